//! The browser comes, is worn or hung, and goes: runs go on with another one, and nothing of the old one stays.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use vigia_testbed::portal::{Fault, Portal, Switch};

use crate::{
    census::Census,
    running::{JOURNEY, Running, Setting, browser_table, members, until},
};

/// What Debian installs.
const FULL_CHROMIUM: &str = "/usr/lib/chromium/chromium";

/// A probe on a good portal; `more` stands in the table `[browser]`.
pub fn setting(portal: &Portal, every: &str, more: &str) -> Setting {
    let journey = JOURNEY
        .replace("every = \"24h\"", &format!("every = \"{every}\""))
        .replace("action_timeout = \"3s\"", "action_timeout = \"20s\"");
    Setting::new(
        &journey,
        portal.url(),
        &format!("{}\n{more}", browser_table()),
    )
}

pub fn group(of: &Setting) -> Pid {
    let mut group = None;
    until("a browser", || {
        group = of.browser_group();
        group.is_some()
    });
    Pid::from_raw(group.unwrap()).unwrap()
}

pub fn is_gone(browser: Pid) -> bool {
    members(browser.as_raw_nonzero().get()).is_empty()
}

pub fn write_program(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The next run must be good.
fn runs_well(probe: &Running) {
    let run = probe.run_that_started();
    let result = run.journey.text("result");
    assert!(matches!(result, Some("ok" | "slow")), "{}", run.journey.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_hung_while_it_was_idle_costs_no_run() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "8s", "");
    let probe = Running::start(&setting);
    runs_well(&probe);
    let before = Census::at_rest(probe.id(), &setting);
    let hung = group(&setting);

    kill_process_group(hung, Signal::STOP).unwrap();

    runs_well(&probe);
    until("the end of the hung browser", || is_gone(hung));
    before.comes_back(probe.id(), &setting);
    let (_, _, stderr) = probe.stop();
    assert!(
        stderr.contains(
            "W! a new browser takes over from one that is not well: the browser did not answer"
        ),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_died_while_it_was_idle_costs_no_run() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "8s", "");
    let probe = Running::start(&setting);
    runs_well(&probe);
    let before = Census::at_rest(probe.id(), &setting);

    kill_process_group(group(&setting), Signal::KILL).unwrap();

    runs_well(&probe);
    before.comes_back(probe.id(), &setting);
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_hangs_in_the_middle_of_a_run_is_replaced_and_leaves_nothing() {
    middle_of_a_run(Signal::STOP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_killed_in_the_middle_of_a_run_is_replaced_and_leaves_nothing() {
    middle_of_a_run(Signal::KILL).await;
}

async fn middle_of_a_run(signal: Signal) {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "4s", "");
    let probe = Running::start(&setting);
    runs_well(&probe);
    let before = Census::at_rest(probe.id(), &setting);
    portal.set_fault(Fault::NeverEnds, Switch::On);
    until("the search to be asked for", || {
        portal.requests_held_up() > 0
    });
    let browser = group(&setting);

    kill_process_group(browser, signal).unwrap();

    let run = probe.first_run_not_ok();
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    assert_eq!(run.journey.text("error_class"), Some("browser"));
    portal.set_fault(Fault::NeverEnds, Switch::Off);
    runs_well(&probe);
    until("the browser's end", || is_gone(browser));
    before.comes_back(probe.id(), &setting);
    probe.stop();
}

/// Every good run is made by a browser of its own, because of this setting.
async fn worn_by(table: &str, told: &str) {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "4s", table);
    let probe = Running::start(&setting);
    runs_well(&probe);
    let before = Census::at_rest(probe.id(), &setting);
    let first = group(&setting);

    until("another browser", || {
        setting
            .browser_groups()
            .iter()
            .any(|&other| Pid::from_raw(other) != Some(first))
    });

    until("the first one's end", || is_gone(first));
    runs_well(&probe);
    before.comes_back(probe.id(), &setting);
    let (_, _, stderr) = probe.stop();
    assert!(stderr.contains(told), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_replaced_after_so_many_runs() {
    worn_by(
        "recycle_after_runs = 1",
        "I! a new browser takes over from one that has made 1 runs",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_replaced_when_it_is_old() {
    worn_by(
        "recycle_after = \"1s\"",
        "I! a new browser takes over from one that is 0 minutes old",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_replaced_when_it_takes_too_much_memory() {
    worn_by(
        "recycle_above_mb = 1",
        "I! a new browser takes over from one that takes ",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_ends_well_on_the_browser_that_another_run_replaces() {
    let portal = Portal::start().await.unwrap();
    let held_up = JOURNEY
        .replace("action_timeout = \"3s\"", "action_timeout = \"20s\"")
        .replace("name = \"consultar-tramite\"", "name = \"larga\"");
    let short = r#"
system = "tramites"
name = "corta"
impact = "low"
every = "2s"
timeout = "20s"
[variables]
portal = "https://tramites.example"
[[step]]
name = "Abrir"
actions = [{ goto = "${portal}/ingreso" }]
"#;
    let setting = setting(&portal, "1h", "recycle_after_runs = 1");
    fs::remove_file(setting.path().join("journeys/journey.toml")).unwrap();
    setting.add_journey("larga", &held_up);
    setting.add_journey("corta", short);
    portal.set_fault(Fault::NeverEnds, Switch::On);
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    until("the search to be asked for", || {
        portal.requests_held_up() > 0
    });
    for _ in 0..2 {
        let (short, _) = probe.run_of("corta");
        assert_eq!(
            short.journey.integer("valid"),
            Some(1),
            "{}",
            short.journey.0
        );
    }

    portal.set_fault(Fault::NeverEnds, Switch::Off);

    let (long, _) = probe.run_of("larga");
    assert_eq!(long.journey.integer("ok"), Some(1), "{}", long.journey.0);
    until("one browser alone", || setting.browser_groups().len() == 1);
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_stays_in_front_of_the_browser_leaves_nothing() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "4s", "program = \"./launcher\"");
    let program = ["chromium-headless-shell", "chromium"]
        .map(|name| Path::new("/usr/lib/chromium").join(name))
        .into_iter()
        .find(|path| path.is_file())
        .unwrap();
    let launcher = format!("#!/bin/sh\n\"{}\" \"$@\"\n", program.display());
    write_program(&setting.path().join("launcher"), &launcher, 0o755);
    let probe = Running::start(&setting);
    runs_well(&probe);
    let launcher = group(&setting);

    kill_process(launcher, Signal::KILL).unwrap();

    runs_well(&probe);
    probe.stop();
    assert!(is_gone(launcher));
    assert_eq!(setting.browser_groups(), Vec::<i32>::new());
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_outlives_its_killed_probe_is_ended_by_the_next_one() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "1h", "program = \"./deaf\"");
    // It does not see that the other end of its pipes is gone.
    write_program(
        &setting.path().join("deaf"),
        "#!/bin/sh\nwhile :; do sleep 1000; done\n",
        0o755,
    );
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let browser = group(&setting);
    kill_process(probe.id(), Signal::KILL).unwrap();
    probe.wait();
    assert!(!is_gone(browser));

    let next = Running::start(&setting);

    until("the end of the deaf browser", || is_gone(browser));
    next.stop();
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_probe_does_not_take_the_profile_of_the_first() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "2s", "");
    let first = Running::start(&setting);
    runs_well(&first);
    let browser = group(&setting);

    let second = Running::start(&setting);
    runs_well(&second);
    second.stop();

    assert!(!is_gone(browser));
    assert_eq!(setting.profiles().len(), 1);
    runs_well(&first);
    first.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_full_browser_leaves_none_of_its_own_temporary_files() {
    if !Path::new(FULL_CHROMIUM).is_file() {
        return;
    }
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "2s", &format!("program = \"{FULL_CHROMIUM}\""));
    let probe = Running::start(&setting);
    runs_well(&probe);
    assert_eq!(setting.profiles().len(), 1, "{:?}", setting.profiles());

    kill_process_group(group(&setting), Signal::KILL).unwrap();

    runs_well(&probe);
    probe.stop();
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_makes_runs_unmeasured_only_where_there_can_be_no_profile() {
    let portal = Portal::start().await.unwrap();
    let journey = JOURNEY
        .replace("every = \"24h\"", "every = \"3s\"")
        .replace("action_timeout = \"3s\"", "action_timeout = \"20s\"");
    let setting =
        Setting::new(&journey, portal.url(), "[browser]\nsandbox = false").on_a_small_disk();
    let probe = Running::start(&setting);
    runs_well(&probe);
    let disk = setting.temporary_files(&probe);

    // No room for a byte: Chromium can do without.
    let fill = disk.join("fill");
    let no_byte = fs::write(&fill, vec![0; 64 << 20]).unwrap_err();
    assert_eq!(no_byte.kind(), std::io::ErrorKind::StorageFull);
    kill_process_group(group(&setting), Signal::KILL).unwrap();
    runs_well(&probe);

    // No room for a file.
    let files = disk.join("files");
    fs::create_dir(&files).unwrap();
    let no_file = (0..)
        .map(|number| fs::File::create(files.join(number.to_string())))
        .find_map(Result::err)
        .unwrap();
    assert_eq!(no_file.kind(), std::io::ErrorKind::StorageFull);
    let browser = group(&setting);
    kill_process_group(browser, Signal::KILL).unwrap();
    // What the browser leaves free when it goes is taken too.
    let mut last = 0;
    until("the end of the last profile", || {
        last += 1;
        let taken = fs::File::create(files.join(format!("last-{last}")));
        taken.is_err() && is_gone(browser)
    });
    let run = probe.first_run_not_ok();
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    let told = run.journey.text("error").unwrap();
    assert!(
        told.starts_with("failed to make a folder for the browser's profile in `")
            && told.contains("`: No space left on device (os error 28)"),
        "{told}"
    );

    fs::remove_dir_all(&files).unwrap();
    fs::remove_file(&fill).unwrap();
    until("a good run", || {
        probe.run_that_started().journey.integer("ok") == Some(1)
    });
    probe.stop();
}
