//! Actions that several journeys share.

use std::fs;

use crate::{
    pages::serve,
    running::{JOURNEY, Running, Setting, browser_table},
};

const FRAGMENT: &str = r#"
parameters = ["portal", "usuario"]
actions = [
  { goto = "${portal}/" },
  { fill = { field = "label=Usuario", with = "${usuario}" } },
  { store = { as = "sesion", from = "label=Usuario" } },
]
"#;

fn with_fragment(journey: &str, fragment: &str, portal: &str) -> Setting {
    let setting = Setting::new(journey, portal, browser_table());
    let folder = setting.path().join("journeys/fragments");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("ingresar.toml"), fragment).unwrap();
    setting
}

const SHARING: &str = r#"
system = "paginas"
name = "comparte"
impact = "low"
every = "24h"
timeout = "15s"
action_timeout = "2s"
[variables]
portal = "https://t.example"
[[step]]
name = "Ingresar"
use = "fragments/ingresar.toml"
with = { portal = "${portal}", usuario = "robot" }
actions = [{ expect = { text = "[${stored:sesion}]" } }]
"#;

#[test]
fn a_step_does_the_shared_actions_with_its_own_values_and_then_its_own() {
    let portal = serve(&[(
        "/",
        "<label>Usuario <input oninput='o.textContent = `[${this.value}]`'></label><p id=o></p>",
    )]);
    let setting = with_fragment(SHARING, FRAGMENT, &portal);
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    probe.stop();
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
}

#[test]
fn mistakes_in_a_fragment_are_told_with_its_own_file_and_line_and_once() {
    let journey = SHARING.replace("usuario = \"robot\"", "clave = \"x\"");
    let fragment = FRAGMENT
        .replace("goto", "gotoo")
        .replace("${usuario}", "${quien}")
        .replace("parameters", "use = \"otro.toml\"\nparameters");
    let setting = with_fragment(&journey, &fragment, "https://t.example");
    let other = JOURNEY.replace("budget = \"3s\"", "use = \"fragments/falta.toml\"");
    fs::write(setting.path().join("journeys/otra.toml"), other).unwrap();
    let again = journey.replace("comparte", "comparte-2");
    fs::write(setting.path().join("journeys/tercera.toml"), again).unwrap();
    let output = setting.command("check").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.replace(&setting.path().display().to_string(), "FOLDER");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text, @r#"
    FOLDER/journeys/fragments/ingresar.toml:2:1: unknown key `use`
      2 | use = "otro.toml"
        | ^
      hint: known here: parameters, actions
    FOLDER/journeys/fragments/ingresar.toml:5:5: unknown value `gotoo`
      5 |   { gotoo = "${portal}/" },
        |     ^
      hint: did you mean `goto`? known here: goto, back, forward, reload, click, hover, drag, scroll, fill, type, press, key_down, key_up, change, select, check, uncheck, upload, dialog, tab, frame, viewport, network, cookie, expect, store, script, screenshot, wait
    FOLDER/journeys/fragments/ingresar.toml:6:46: unknown variable `${quien}`
      6 |   { fill = { field = "label=Usuario", with = "${quien}" } },
        |                                              ^
      hint: name it in this file: parameters = ["quien"]
    FOLDER/journeys/journey.toml:12:7: the fragment needs a value for `usuario`
      12 | use = "fragments/ingresar.toml"
         |       ^
      hint: add it to the step: with = { usuario = "..." }
    FOLDER/journeys/journey.toml:12:7: the fragment has no parameter `clave`
      12 | use = "fragments/ingresar.toml"
         |       ^
      hint: write a name that stands under `parameters` in the fragment's file
    FOLDER/journeys/otra.toml:14:7: the fragment `FOLDER/journeys/fragments/falta.toml` cannot be read: No such file or directory (os error 2)
      14 | use = "fragments/falta.toml"
         |       ^
      hint: name a file with shared actions, relative to this file, in a folder beside the journeys
    FOLDER/journeys/tercera.toml:12:7: the fragment needs a value for `usuario`
      12 | use = "fragments/ingresar.toml"
         |       ^
      hint: add it to the step: with = { usuario = "..." }
    FOLDER/journeys/tercera.toml:12:7: the fragment has no parameter `clave`
      12 | use = "fragments/ingresar.toml"
         |       ^
      hint: write a name that stands under `parameters` in the fragment's file
    8 mistakes
    "#);
}
