//! Planned work that the probe knows of, and journeys that several probes share.

use crate::{
    running::{Running, Setting, browser_table},
    site::{Reply, journey, serve},
};

fn setting(site: &str, window: &str) -> Setting {
    Setting::new(
        &journey("{ goto = \"${portal}/\" }"),
        site,
        &format!("{window}\n{}", browser_table()),
    )
}

/// A window around now.
fn window(of: &str) -> String {
    let now = jiff::Timestamp::now();
    let hour = jiff::SignedDuration::from_hours(1);
    format!(
        "[[maintenance]]\nname = \"respaldo nocturno\"\nof = [\"{of}\"]\nfrom = \"{}\"\nuntil = \"{}\"\n",
        now - hour,
        now + hour
    )
}

#[test]
fn in_a_maintenance_window_nothing_is_asked_of_the_system_and_the_point_says_why() {
    let site = serve(|_| panic!("nobody is to come"));
    let setting = setting(&site, &window("paginas"));
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    let point = &run.journey;
    assert_eq!(point.integer("valid"), Some(0), "{}", point.0);
    assert_eq!(point.integer("ok"), Some(0));
    assert_eq!(point.text("result"), Some("unmeasured"));
    assert_eq!(point.text("error"), Some("maintenance: respaldo nocturno"));
    assert_eq!(point.float("duration_ms"), None);
    probe.stop();
}

#[test]
fn a_window_of_other_systems_changes_nothing() {
    let site = serve(|_| Reply::page("Bienvenido"));
    let setting = setting(&site, "");
    setting.add_journey(
        "otra",
        &journey("{ goto = \"${portal}/\" }").replace("\"paginas\"", "\"otras\""),
    );
    let file = setting.path().join("probe.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}{}", window("otras/medida"))).unwrap();
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let runs = [probe.run(), probe.run()];
    for run in runs {
        let is_worked_on = run.journey.tag("system").as_deref() == Some("otras");
        assert_eq!(
            run.journey.integer("valid"),
            Some(i64::from(!is_worked_on)),
            "{}",
            run.journey.0
        );
    }
    probe.stop();
}

#[test]
fn probes_that_share_journeys_take_each_of_them_once() {
    let site = serve(|_| Reply::page(""));
    let mut taken: Vec<String> = Vec::new();
    for shard in ["1/2", "2/2"] {
        let setting = setting(&site, &format!("shard = \"{shard}\""));
        for number in 0..12 {
            let name = format!("otra-{number}");
            let other = journey("{ goto = \"${portal}/\" }");
            setting.add_journey(&name, &other.replace("\"medida\"", &format!("\"{name}\"")));
        }
        let told = setting.command("check").output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let journeys = told
            .lines()
            .filter_map(|line| line.trim().split_once(": low"));
        let journeys: Vec<String> = journeys.map(|(name, _)| name.to_owned()).collect();
        assert!((2..=11).contains(&journeys.len()), "{told}");
        taken.extend(journeys);
    }
    taken.sort();
    let count = taken.len();
    taken.dedup();
    assert_eq!((count, taken.len()), (13, 13), "{taken:?}");
}
