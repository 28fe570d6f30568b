//! `vigia-probe check`: every mistake of the configuration and its journeys, word for word.

use crate::running::{JOURNEY, Setting};

fn told(setting: &Setting) -> (Option<i32>, String) {
    let output = setting.command("check").output().unwrap();
    let folder = setting.path().display().to_string();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text.replace(&folder, "FOLDER"))
}

#[test]
fn a_good_configuration_is_told_with_what_it_will_do() {
    let (code, text) = told(&Setting::new(JOURNEY, "https://t.example", ""));
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(text, @"
    FOLDER/probe.toml: no mistake, 1 journeys
      tramites/consultar-tramite: critical, every 86400s, 3 steps
    ");
}

#[test]
fn every_mistake_is_told_at_once() {
    let journey = r#"
system = "Trámites"
name = "consultar"
impact = "urgent"
every = "1 minuto"

[[step]]
name = "Ingresar"
actions = [
  { goto = "${portal}/ingreso" },
  { clik = "role=button[name='Ingresar']" },
  { fill = { field = "lable=Clave", with = "${secret:CLAVE DE ROBOT}" } },
  { press = "Entrar" },
]
"#;
    let (code, text) = told(&Setting::new(
        journey,
        "https://t.example",
        "max_concurrent = 0\n",
    ));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/probe.toml:3:18: with no slot no journey can run
      3 | max_concurrent = 0
        |                  ^
      hint: write 1 or more; one for each core is a good start
    FOLDER/journeys/journey.toml:1:1: `timeout` is missing
      1 | 
        | ^
      hint: add `timeout = ...` here
    FOLDER/journeys/journey.toml:2:10: `Trámites` cannot be a name in points and addresses
      2 | system = "Trámites"
        |          ^
      hint: write lower-case letters, digits and hyphens: `tramites`
    FOLDER/journeys/journey.toml:4:10: unknown value `urgent`
      4 | impact = "urgent"
        |          ^
      hint: known here: critical, high, low
    FOLDER/journeys/journey.toml:5:9: `1 minuto` is not a duration
      5 | every = "1 minuto"
        |         ^
      hint: write a number with a unit, for example "250ms", "30s", "1m" or "1h 30m"
    FOLDER/journeys/journey.toml:10:12: unknown variable `${portal}`
      10 |   { goto = "${portal}/ingreso" },
         |            ^
      hint: give it a value in this file: [variables], then portal = "..."
    FOLDER/journeys/journey.toml:11:5: unknown value `clik`
      11 |   { clik = "role=button[name='Ingresar']" },
         |     ^
      hint: did you mean `click`? known here: goto, back, forward, reload, click, hover, drag, scroll, fill, type, press, key_down, key_up, change, select, check, uncheck, upload, dialog, tab, frame, viewport, network, cookie, expect, store, script, screenshot, wait
    FOLDER/journeys/journey.toml:12:22: the selector `lable=Clave` begins with an unknown kind `lable`
      12 |   { fill = { field = "lable=Clave", with = "${secret:CLAVE DE ROBOT}" } },
         |                      ^
      hint: known kinds: css, text, role, named, label, placeholder, testid, xpath; behind a >> also nth
    FOLDER/journeys/journey.toml:12:44: the reference to a secret at `${secret:CLAVE DE ROBOT}` is not complete
      12 |   { fill = { field = "lable=Clave", with = "${secret:CLAVE DE ROBOT}" } },
         |                                            ^
      hint: write ${secret:NAME}, the name of letters, digits and underscores
    FOLDER/journeys/journey.toml:13:13: unknown key `Entrar`
      13 |   { press = "Entrar" },
         |             ^
      hint: a single character, or one of Enter, Tab, Escape, Backspace, Delete, Insert, Space, ArrowUp, ArrowDown, ArrowLeft, ArrowRight, Home, End, PageUp, PageDown, ContextMenu, Alt, Control, Meta, Shift, AltGraph, CapsLock, Help, NumLock, Pause, PrintScreen, ScrollLock, F1 to F12; with others held down: Control+A
    10 mistakes
    "#);
}

#[test]
fn a_secret_that_is_not_there_is_told_before_the_first_run() {
    let setting = Setting::new(
        &JOURNEY.replace("TRAMITES_CLAVE", "OTRA_CLAVE"),
        "https://t.example",
        "",
    );
    let (code, text) = told(&setting);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/journeys/journey.toml: the secret `OTRA_CLAVE` is neither in the environment nor among the credentials nor in the secrets folder
      hint: set the environment variable `OTRA_CLAVE` of the process that starts the probe, or put a file `OTRA_CLAVE` into `secrets_folder`
    1 mistake
    "#);
}

#[test]
fn a_step_without_actions_and_two_of_one_name_are_told() {
    let journey = format!("{JOURNEY}\n[[step]]\nname = \"Ver detalle\"\nactions = []\n");
    let (code, text) = told(&Setting::new(&journey, "https://t.example", ""));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/journeys/journey.toml:42:8: another step of this journey is called `ver-detalle` too
      42 | name = "Ver detalle"
         |        ^
      hint: give every step of a journey a name of its own: its times are kept under it
    FOLDER/journeys/journey.toml:43:11: the step `Ver detalle` does nothing
      43 | actions = []
         |           ^
      hint: add an action, for example { goto = "https://..." }
    2 mistakes
    "#);
}

#[test]
fn mistakes_of_the_probes_own_file_do_not_hide_those_of_its_journeys() {
    let journey = JOURNEY.replace("impact = \"critical\"", "impact = \"urgent\"");
    let (code, text) = told(&Setting::new(
        &journey,
        "https://t.example",
        "max_concurent = 2\n",
    ));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/probe.toml:3:1: unknown key `max_concurent`
      3 | max_concurent = 2
        | ^
      hint: did you mean `max_concurrent`? known here: probe, journeys, recording, max_concurrent, shard, maintenance, secrets_folder, secret_command, artifacts, browser, environment
    FOLDER/journeys/journey.toml:4:10: unknown value `urgent`
      4 | impact = "urgent"
        |          ^
      hint: known here: critical, high, low
    2 mistakes
    "#);
}

#[test]
fn a_variable_that_no_journey_has_is_told_so_that_nobody_walks_the_wrong_system() {
    let setting = Setting::new(&JOURNEY.replace("portal", "portl"), "https://t.example", "");
    let (code, text) = told(&setting);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/probe.toml:7:13: no journey has a variable `portal`
      7 | variables = { portal = "https://t.example" }
        |             ^
      hint: write the name as it stands under [variables] in a journey's file
    1 mistake
    "#);
}

#[test]
fn what_would_only_fail_at_run_time_is_told_by_check() {
    let journey = JOURNEY
        .replace("every = \"24h\"", "every = \"10ms\"")
        .replace(
            "{ goto = \"${portal}/ingreso\" }",
            "{ goto = \"tramites.example\" }",
        )
        .replace(
            "text = \"Bienvenido\"",
            "text = \"${secret:TRAMITES_CLAVE}\"",
        )
        .replace(
            "portal = \"https://tramites.example\"",
            "portal = \"https://t.example\"\notro = \"${portal}/x\"",
        );
    let (code, text) = told(&Setting::new(&journey, "https://t.example", ""));
    assert_eq!(code, Some(1));
    let told: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("FOLDER"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    FOLDER/journeys/journey.toml:5:9: a journey cannot run more often than once a second
    FOLDER/journeys/journey.toml:11:8: the value of the variable `otro` refers to something else
    FOLDER/journeys/journey.toml:17:12: `tramites.example` is no address of a page
    FOLDER/journeys/journey.toml:21:23: a secret cannot be looked for on a page
    ");
}

#[test]
fn mistakes_in_ways_windows_and_dialogs_are_told_with_what_is_known() {
    let journey = r#"
system = "tramites"
name = "consultar"
impact = "low"
every = "1m"
timeout = "30s"

[[step]]
name = "Ingresar"
actions = [
  "reloads",
  { tab = "first" },
  { dialog = "yes" },
  { dialog = { answer = "dismiss", type = "Ana" } },
  { dialog = { text = "Ana" } },
]
"#;
    let (code, text) = told(&Setting::new(journey, "https://t.example", ""));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/journeys/journey.toml:11:3: unknown value `reloads`
      11 |   "reloads",
         |   ^
      hint: did you mean `reload`? known here: goto, back, forward, reload, click, hover, drag, scroll, fill, type, press, key_down, key_up, change, select, check, uncheck, upload, dialog, tab, frame, viewport, network, cookie, expect, store, script, screenshot, wait
    FOLDER/journeys/journey.toml:12:11: unknown value `first`
      12 |   { tab = "first" },
         |           ^
      hint: known here: main, close, url, title, target
    FOLDER/journeys/journey.toml:13:14: unknown value `yes`
      13 |   { dialog = "yes" },
         |              ^
      hint: known here: accept, dismiss
    FOLDER/journeys/journey.toml:14:14: what is typed into a dialog that is dismissed goes nowhere
      14 |   { dialog = { answer = "dismiss", type = "Ana" } },
         |              ^
      hint: write answer = "accept", or leave out `type`
    FOLDER/journeys/journey.toml:15:14: `answer` is missing
      15 |   { dialog = { text = "Ana" } },
         |              ^
      hint: add `answer = ...` here
    5 mistakes
    "#);
}
