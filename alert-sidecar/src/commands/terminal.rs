//! Incidents and silences as a person reads them in a terminal. Pure.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::control::{MessageReport, Report, SilenceReport};

/// A few lines about an incident.
pub(super) fn brief(incident: &Report, time_zone: &TimeZone, now: Timestamp) -> String {
    let moment = |at| moment(at, time_zone);
    let mut lines = vec![headline(incident, time_zone, now)];
    if let Some(why) = why(incident) {
        lines.push(format!("  {why}"));
    }
    for taken in &incident.acknowledgements {
        let comment = if taken.comment.is_empty() {
            String::new()
        } else {
            format!(": {}", taken.comment)
        };
        lines.push(format!(
            "  {} takes care of it since {}{comment}",
            taken.person,
            moment(taken.at)
        ));
    }
    match incident.messages.last() {
        Some(last) => lines.push(format!("  {}", message(last, time_zone))),
        None => lines.extend(
            incident
                .decisions
                .last()
                .map(|decision| format!("  {}", decision.sentence)),
        ),
    }
    lines.push(format!("  {}", incident.id));
    lines.join("\n") + "\n"
}

/// What it is about, and since when.
pub(super) fn headline(incident: &Report, time_zone: &TimeZone, now: Timestamp) -> String {
    let lasted = duration(
        incident
            .ended
            .unwrap_or(now)
            .duration_since(incident.started),
    );
    let when = match incident.ended {
        Some(ended) => format!(
            "from {} to {} ({lasted})",
            moment(incident.started, time_zone),
            moment(ended, time_zone)
        ),
        None => format!("since {} ({lasted})", moment(incident.started, time_zone)),
    };
    let form = match incident.form.as_str() {
        "flapping" => ", comes and goes".to_owned(),
        "local" => format!(
            ", only from there: it works from {}",
            incident.elsewhere.join(", ")
        ),
        _ => String::new(),
    };
    format!(
        "{} {} / {}, seen from {}{form}, {when}",
        incident.impact.to_uppercase(),
        incident.system,
        incident.journey,
        incident.probe
    )
}

/// Why it failed, in a line.
pub(super) fn why(incident: &Report) -> Option<String> {
    let error = incident
        .error
        .as_deref()
        .or(incident.error_class.as_deref())?;
    Some(match &incident.failed_step {
        Some(step) => format!("step {step:?}: {error}"),
        None => error.to_owned(),
    })
}

/// How far a message came, in a line.
pub(super) fn message(message: &MessageReport, time_zone: &TimeZone) -> String {
    let at = moment(message.settled.unwrap_or(message.intended), time_zone);
    let answer = message.answer.as_deref().unwrap_or_default();
    let state = match message.state.as_str() {
        "pending" if answer.is_empty() => "waits".to_owned(),
        "pending" => match message.next_attempt {
            Some(next) => format!(
                "failed, is tried again at {}: {answer}",
                moment(next, time_zone)
            ),
            None => format!("failed, is tried again: {answer}"),
        },
        "refused" => format!("refused for good: {answer}"),
        state => state.to_owned(),
    };
    let attempts = match message.attempts {
        0 | 1 => String::new(),
        attempts => format!(", {attempts} attempts"),
    };
    format!(
        "{at} {} through {} to {}: {state}{attempts}",
        message.kind, message.channel, message.recipient
    )
}

/// What is muted, until when, by whom and why, in a line.
pub(super) fn silence(silence: &SilenceReport, time_zone: &TimeZone) -> String {
    let named = [
        ("system", &silence.system),
        ("journey", &silence.journey),
        ("probe", &silence.probe),
        ("rule", &silence.rule),
        ("impact", &silence.impact),
    ];
    let named: Vec<String> = named
        .into_iter()
        .filter_map(|(name, values)| Some(format!("{name} {}", values.as_ref()?.join(" or "))))
        .collect();
    let what = if named.is_empty() {
        "everything".to_owned()
    } else {
        named.join(", ")
    };
    format!(
        "{}  {what}, from {} to {}, by {}: {}",
        silence.id,
        moment(silence.starts, time_zone),
        moment(silence.ends, time_zone),
        silence.author,
        silence.comment
    )
}

/// A moment by the clock of those who read.
pub(super) fn moment(at: Timestamp, time_zone: &TimeZone) -> String {
    at.to_zoned(time_zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The two largest units.
pub(super) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
