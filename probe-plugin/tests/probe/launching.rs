//! Programs that are no browser, and browsers that do not come up: told in words, given up in time, and nothing stays.

use std::{fs, path::Path};

use vigia_testbed::portal::Portal;

use crate::{
    running::Running,
    supervision::{group, is_gone, setting, write_program},
};

/// Has the program started as a browser, and returns what is told; nothing of it may stay.
async fn told_of(name: &str, make: impl FnOnce(&Path), more: &str) -> String {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "1h", &format!("program = \"./{name}\"\n{more}"));
    make(&setting.path().join(name));
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    assert_eq!(run.journey.text("error_class"), Some("browser"));
    let told = run.journey.text("error").unwrap().to_owned();
    probe.stop();
    assert_eq!(setting.browser_groups(), Vec::<i32>::new());
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
    told.replace(&format!("{}/.", setting.path().display()), "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_executable_is_told_so() {
    let told = told_of("plain", |path| write_program(path, "x", 0o644), "").await;
    assert_eq!(
        told,
        "failed to start the browser `/plain`: it is not executable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_a_folder_is_told_so() {
    let told = told_of("folder", |path| fs::create_dir(path).unwrap(), "").await;
    assert_eq!(
        told,
        "failed to start the browser `/folder`: it is a folder"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_interpreter_is_not_there_is_told_so() {
    let told = told_of(
        "odd",
        |path| write_program(path, "#!/nowhere/sh\n", 0o755),
        "",
    )
    .await;
    assert_eq!(
        told,
        "failed to start the browser `/odd`: the interpreter or the loader that it asks for is not there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_ends_at_once_without_a_word_is_told_so() {
    let told = told_of(
        "silent",
        |path| write_program(path, "#!/bin/sh\n", 0o755),
        "",
    )
    .await;
    assert_eq!(
        told,
        "the browser `/silent` ended before it answered; its last words: none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_never_answers_is_given_up_in_time_with_its_last_words() {
    let program = "#!/bin/sh\nprintf 'waiting for\\377 the display' >&2\nsleep 1000 &\nwait\n";
    let told = told_of(
        "mute",
        |path| write_program(path, program, 0o755),
        "launch_timeout = \"1s\"",
    )
    .await;
    assert_eq!(
        told,
        "the browser `/mute` did not answer within its `launch_timeout` of 1 s; its last words: waiting for\u{fffd} the display"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_stopped_at_its_start_is_given_up_in_time() {
    let told = told_of(
        "stopped",
        |path| write_program(path, "#!/bin/sh\nkill -STOP $$\n", 0o755),
        "launch_timeout = \"1s\"",
    )
    .await;
    assert_eq!(
        told,
        "the browser `/stopped` did not answer within its `launch_timeout` of 1 s; its last words: none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_stopped_while_its_browser_starts_leaves_nothing() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "1h", "program = \"./mute\"");
    write_program(
        &setting.path().join("mute"),
        "#!/bin/sh\nsleep 1000 &\nwait\n",
        0o755,
    );
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let browser = group(&setting);

    let (status, _, stderr) = probe.stop();

    assert!(status.success(), "{stderr}");
    assert!(is_gone(browser));
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_ends_as_a_run_comes_to_it_costs_no_run() {
    let portal = Portal::start().await.unwrap();
    let setting = setting(&portal, "1h", "program = \"./leaving\"");
    // It answers until it is asked for a context, and is Chromium when it is started again.
    let left = setting.path().join("left");
    let program = format!(
        r#"#!/bin/bash
if [ -e '{left}' ]; then
  for browser in /usr/lib/chromium/chromium-headless-shell /usr/lib/chromium/chromium; do
    [ -x $browser ] && exec $browser "$@"
  done
fi
version='"protocolVersion":"1.3","product":"x","revision":"x","userAgent":"x","jsVersion":"x"'
while IFS= read -r -d '' message <&3; do
  case $message in *createBrowserContext*) touch '{left}'; exit ;; esac
  id=${{message#*\"id\":}}
  printf '{{"id":%s,"result":{{%s}}}}\0' "${{id%%[,\}}]*}}" "$version" >&4
done
"#,
        left = left.display()
    );
    write_program(&setting.path().join("leaving"), &program, 0o755);
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert!(left.exists());
    let result = run.journey.text("result");
    assert!(matches!(result, Some("ok" | "slow")), "{}", run.journey.0);
    probe.stop();
}
