//! What the demo tells whoever watches it.

use std::{fmt::Write, time::SystemTime};

use jiff::{Timestamp, tz::TimeZone};

use super::walk::{Moments, seconds};

/// Says it, at once.
#[expect(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]
pub fn say(text: &str) {
    println!("{text}");
}

/// When what happened, with the differences that matter.
pub fn tell(moments: &Moments) -> String {
    let Moments {
        broken,
        failing,
        mail,
        healed,
        good,
        recovery,
        ..
    } = moments;
    let mut lines = vec![(*broken, format!("fault on: {}", moments.fault.name()))];
    for run in failing {
        lines.push((run.end, format!("failing run ended, {}", run.failure)));
    }
    lines.push((
        mail.arrived,
        format!("mail in the mailbox: {}", mail.subject),
    ));
    lines.push((*healed, "fault off".to_owned()));
    lines.push((good.end, "good run ended".to_owned()));
    lines.push((
        recovery.arrived,
        format!("recovery in the same thread: {}", recovery.subject),
    ));

    let mut text = String::from("\nTimeline\n");
    for (moment, what) in &lines {
        line(&mut text, *moment, seconds(*broken, *moment), what);
    }
    if let Some(last) = failing.last() {
        let told = seconds(last.end, mail.arrived);
        sentence(
            &mut text,
            "from end of the failing run to mail in the mailbox",
            told,
        );
    }
    sentence(
        &mut text,
        "from end of the good run to recovery in the mailbox",
        seconds(good.end, recovery.arrived),
    );
    text
}

fn line(text: &mut String, moment: SystemTime, after: f64, what: &str) {
    let clock = Timestamp::try_from(moment)
        .map(|moment| {
            moment
                .to_zoned(TimeZone::system())
                .strftime("%H:%M:%S%.3f")
                .to_string()
        })
        .unwrap_or_default();
    writeln!(text, "  {clock}  {after:>+6.1} s  {what}")
        .expect("writing to a string does not fail");
}

fn sentence(text: &mut String, what: &str, seconds: f64) {
    writeln!(text, "  {what}: {seconds:.1} s").expect("writing to a string does not fail");
}
