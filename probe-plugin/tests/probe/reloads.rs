//! The configuration changes under a running probe: all of it is taken over, or nothing.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process};

use crate::{
    running::{PATIENCE, Point, Running, Setting, browser_table},
    site::{Reply, serve},
};

/// It runs every second, so that whoever runs at all is soon heard.
fn journey(name: &str) -> String {
    format!(
        r#"
system = "paginas"
name = "{name}"
impact = "low"
every = "1s"
timeout = "20s"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/" }}]
"#
    )
}

fn setting() -> Setting {
    let site = serve(|_| Reply::page("Bienvenido"));
    Setting::new(&journey("una"), &site, browser_table())
}

/// The next point of the probe about itself that is so.
fn told(probe: &Running, what: &str, is_so: impl Fn(&Point) -> bool) -> Point {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        let point = probe.next("probe");
        if is_so(&point) {
            return point;
        }
    }
}

#[test]
fn journeys_that_come_and_go_are_taken_up_without_a_restart() {
    let setting = setting();
    let probe = Running::start(&setting);
    probe.run_of("una");

    setting.add_journey("otra", &journey("otra"));
    probe.run_of("otra");

    fs::remove_file(setting.path().join("journeys/journey.toml")).unwrap();
    let reloaded = told(&probe, "one journey alone", |point| {
        point.integer("journeys") == Some(1) && point.integer("reloads") == Some(2)
    });
    let mut later = 0;
    while later < 3 {
        let run = probe.run_that_started().journey;
        // A run of the journey that is gone may have been under way; it is told to its end.
        if run.time() > reloaded.time() {
            assert_eq!(run.tag("journey").as_deref(), Some("otra"), "{}", run.0);
            later += 1;
        }
    }
    let (status, _, stderr) = probe.stop();
    assert!(status.success());
    assert!(
        stderr.contains("I! the configuration was read anew: 2 journeys"),
        "{stderr}"
    );
}

#[test]
fn a_mistake_keeps_what_is_in_use_and_is_told_on_stderr_and_in_the_point() {
    let setting = setting();
    let probe = Running::start(&setting);
    probe.run_of("una");

    setting.add_journey("buena", &journey("buena"));
    setting.add_journey("mala", &journey("mala").replace("low", "urgent"));

    let point = told(&probe, "a mistake", |point| {
        point.integer("config_mistakes") == Some(1)
    });
    assert_eq!(point.integer("journeys"), Some(1), "not even the good one");
    assert_eq!(point.integer("reloads"), Some(0));
    for _ in 0..3 {
        let run = probe.run_that_started();
        assert_eq!(run.journey.tag("journey").as_deref(), Some("una"));
    }

    setting.add_journey("mala", &journey("mala"));
    told(&probe, "the mended configuration", |point| {
        point.integer("config_mistakes") == Some(0) && point.integer("journeys") == Some(3)
    });
    probe.run_of("mala");
    let (_, _, stderr) = probe.stop();
    let mistakes = stderr.matches("unknown value `urgent`").count();
    assert_eq!(mistakes, 1, "once: {stderr}");
    assert!(
        stderr.contains(
            "E! the configuration has changed and has mistakes: the one before it stays in use"
        ),
        "{stderr}"
    );
    assert!(
        stderr.lines().all(|line| line.get(1..3) == Some("! ")),
        "{stderr}"
    );
}

#[test]
fn sighup_reads_everything_at_once_and_tells_a_mistake_each_time() {
    let setting = setting();
    let probe = Running::start(&setting);
    probe.run_of("una");
    kill_process(probe.id(), Signal::HUP).unwrap();
    told(&probe, "a reload", |point| {
        point.integer("reloads") == Some(1)
    });

    setting.add_journey("mala", "system = 5");
    for _ in 0..2 {
        kill_process(probe.id(), Signal::HUP).unwrap();
        told(&probe, "mistakes", |point| {
            point.integer("config_mistakes") > Some(0)
        });
    }

    let stopped = Instant::now();
    let (status, _, stderr) = probe.stop();
    assert!(status.success());
    assert!(stopped.elapsed() < Duration::from_secs(4));
    assert!(stderr.contains("invalid type: integer `5`"), "{stderr}");
}

#[test]
fn a_browser_with_other_settings_takes_over_after_the_run_under_way() {
    let setting = setting();
    let probe = Running::start(&setting);
    probe.run_of("una");
    let file = setting.path().join("probe.toml");
    let text = fs::read_to_string(&file).unwrap();

    fs::write(
        &file,
        text.replace("[browser]", "[browser]\nrecycle_after_runs = 123"),
    )
    .unwrap();

    told(&probe, "a second browser", |point| {
        point.integer("browser_starts") == Some(2)
    });
    let run = probe.run_that_started();
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    let (_, _, stderr) = probe.stop();
    assert!(
        stderr
            .contains("I! a new browser takes over from one that was started with other settings"),
        "{stderr}"
    );
}
