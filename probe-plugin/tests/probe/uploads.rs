//! Files handed to pages: to visible and hidden file fields, and to the dialog that a button opens.

use std::{fs, path::Path};

use crate::{
    pages::serve,
    running::{Run, Running, Setting, browser_table},
};

/// Walks the journey on the page with `plano.pdf` and `foto.txt` beside the journey's file.
fn setting(page: &'static str, actions: &str) -> Setting {
    let journey = format!(
        "system = \"paginas\"\nname = \"archivos\"\nimpact = \"low\"\nevery = \"24h\"\ntimeout = \"15s\"\naction_timeout = \"2s\"\n[variables]\nportal = \"https://t.example\"\n[[step]]\nname = \"Adjuntar\"\nactions = [{{ goto = \"${{portal}}/\" }}, {actions}]\n"
    );
    let pages = Box::leak(Box::new([("/", page)]));
    let setting = Setting::new(&journey, &serve(pages), browser_table());
    let beside = setting.path().join("journeys");
    fs::write(beside.join("plano.pdf"), "%PDF-1.4 plano").unwrap();
    fs::write(beside.join("foto.txt"), "foto").unwrap();
    setting
}

fn walk(setting: &Setting, change: impl FnOnce(&Path)) -> Run {
    let mut probe = Running::start(setting);
    change(setting.path());
    probe.ask_for_points();
    let run = probe.run();
    probe.stop();
    run
}

fn expect_ok(page: &'static str, actions: &str) {
    let run = walk(&setting(page, actions), |_| {});
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

fn expect_told(page: &'static str, actions: &str, class: &str, error: &str) {
    let run = walk(&setting(page, actions), |_| {});
    assert_eq!(
        run.journey.text("error_class"),
        Some(class),
        "{}",
        run.journey.0
    );
    let told = run.journey.text("error").unwrap();
    assert!(told.starts_with(error), "told: {told}");
}

const READ: &str = "<p id=o></p><script>async function read(field) { const { isTrusted } = event; o.textContent = (await Promise.all([...field.files].map(async (file) => file.name + '=' + await file.text()))).join(' ') + ' ' + isTrusted }</script>";

#[test]
fn a_file_is_put_into_a_visible_field_and_into_a_hidden_one() {
    let page = format!(
        "{READ}<label>Plano <input type=file onchange='read(this)'></label>
         <label for=h style='padding:9px'>Elegir fotos</label><input id=h type=file multiple style='display:none' onchange='read(this)'>"
    );
    expect_ok(
        page.leak(),
        r#"{ upload = { field = "label=Plano", file = "plano.pdf" } }, { expect = { text = "plano.pdf=%PDF-1.4 plano true" } },
           { upload = { field = "text=Elegir fotos", file = ["foto.txt", "../journeys/plano.pdf"] } }, { expect = { text = "foto.txt=foto plano.pdf=%PDF-1.4 plano true" } }"#,
    );
}

#[test]
fn the_dialog_that_a_button_opens_is_answered() {
    let page = format!(
        "{READ}<button id=b>Adjuntar</button><script>b.onclick = () => {{ const field = document.createElement('input'); field.type = 'file'; field.onchange = () => read(field); field.click() }}</script>"
    );
    expect_ok(
        page.leak(),
        r#"{ upload = { field = "role=button[name='Adjuntar']", file = "foto.txt" } }, { expect = { text = "foto.txt=foto true" } },
           { upload = { field = "role=button[name='Adjuntar']", file = "plano.pdf" } }, { expect = { text = "plano.pdf=%PDF-1.4 plano true" } }"#,
    );
}

#[test]
fn files_are_dropped_where_the_page_takes_them_and_told_where_it_does_not() {
    let page = format!(
        "{READ}<div id=z style='width:200px;height:90px;background:#eee'>Suelte aquí</div><script>
         setTimeout(() => z.ondragover = (event) => event.preventDefault(), 500); z.ondrop = (event) => {{ event.preventDefault(); read(event.dataTransfer) }}</script>"
    );
    expect_ok(
        page.leak(),
        r#"{ upload = { onto = "text=Suelte aquí", file = ["foto.txt", "plano.pdf"] } }, { expect = { text = "foto.txt=foto plano.pdf=%PDF-1.4 plano true" } }"#,
    );
    expect_told(
        "<div style='width:200px;height:90px'>Suelte aquí</div>",
        r#"{ upload = { onto = "text=Suelte aquí", file = "foto.txt" } }"#,
        "not_actionable",
        "`text=Suelte aquí` takes no dropped files",
    );
}

#[test]
fn a_button_that_asks_for_no_file_a_disabled_field_and_too_many_files_are_told() {
    expect_told(
        "<button>Adjuntar</button>",
        r#"{ upload = { field = "text=Adjuntar", file = "foto.txt" } }"#,
        "not_actionable",
        "`text=Adjuntar` has no file field, and a click on it asked for no file",
    );
    expect_told(
        "<label>Plano <input type=file disabled></label>",
        r#"{ upload = { field = "label=Plano", file = "foto.txt" } }"#,
        "not_actionable",
        "`label=Plano` is disabled",
    );
    expect_told(
        "<label>Plano <input type=file></label>",
        r#"{ upload = { field = "label=Plano", file = ["foto.txt", "plano.pdf"] } }"#,
        "config",
        "`label=Plano` takes one file, not 2",
    );
}

#[test]
fn a_file_that_is_gone_since_the_start_is_no_fault_of_the_system() {
    let setting = setting(
        "<label>Plano <input type=file></label>",
        r#"{ wait = "1s" }, { upload = { field = "label=Plano", file = "foto.txt" } }"#,
    );
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let beside = setting.path().join("journeys/foto.txt");
    crate::running::until("the browser", || !setting.profiles().is_empty());
    fs::remove_file(beside).unwrap();
    let run = probe.run();
    probe.stop();
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    assert!(
        run.journey
            .text("error")
            .unwrap()
            .contains("foto.txt` is not there any more"),
        "{}",
        run.journey.0
    );
}

#[test]
fn a_file_that_is_not_beside_the_journey_is_told_by_check() {
    let told = told_by_check(
        r#"{ upload = { field = "label=Plano", file = ["foto.txt", "otra.txt"] } }, { upload = { field = "label=Plano", file = "." } }"#,
    );
    insta::assert_snapshot!(told, @r#"
    FOLDER/journeys/journey.toml:11:80: failed to find the file `otra.txt`: No such file or directory (os error 2)
      11 | actions = [{ goto = "${portal}/" }, { upload = { field = "label=Plano", file = ["foto.txt", "otra.txt"] } }, { upload = { field = "label=Plano", file = "." } }]
         |                                                                                ^
      hint: put it beside the journey's file: names are relative to that
    FOLDER/journeys/journey.toml:11:153: `.` is not a file
      11 | actions = [{ goto = "${portal}/" }, { upload = { field = "label=Plano", file = ["foto.txt", "otra.txt"] } }, { upload = { field = "label=Plano", file = "." } }]
         |                                                                                                                                                         ^
      hint: name a file; a folder cannot be handed to a page
    2 mistakes
    "#);
}

#[test]
fn a_choice_or_a_key_that_is_written_wrongly_is_told_with_a_hint() {
    let told = told_by_check(
        r#"{ select = { field = "label=Tipo", option = "A", index = 1 } }, { press = { key = "Ctrl+A" } }, { type = { texto = "x" } }"#,
    );
    insta::assert_snapshot!(told, @r#"
    FOLDER/journeys/journey.toml:11:48: a choice is named in one way
      11 | actions = [{ goto = "${portal}/" }, { select = { field = "label=Tipo", option = "A", index = 1 } }, { press = { key = "Ctrl+A" } }, { type = { texto = "x" } }]
         |                                                ^
      hint: write `option` with what users read, or `value`, or `index`
    FOLDER/journeys/journey.toml:11:119: unknown key `Ctrl+A`
      11 | actions = [{ goto = "${portal}/" }, { select = { field = "label=Tipo", option = "A", index = 1 } }, { press = { key = "Ctrl+A" } }, { type = { texto = "x" } }]
         |                                                                                                                       ^
      hint: a single character, or one of Enter, Tab, Escape, Backspace, Delete, Insert, Space, ArrowUp, ArrowDown, ArrowLeft, ArrowRight, Home, End, PageUp, PageDown, ContextMenu, Alt, Control, Meta, Shift, AltGraph, CapsLock, Help, NumLock, Pause, PrintScreen, ScrollLock, F1 to F12; with others held down: Control+A
    FOLDER/journeys/journey.toml:11:142: `with` is missing
      11 | actions = [{ goto = "${portal}/" }, { select = { field = "label=Tipo", option = "A", index = 1 } }, { press = { key = "Ctrl+A" } }, { type = { texto = "x" } }]
         |                                                                                                                                              ^
      hint: add `with = ...` here
    FOLDER/journeys/journey.toml:11:144: unknown key `texto`
      11 | actions = [{ goto = "${portal}/" }, { select = { field = "label=Tipo", option = "A", index = 1 } }, { press = { key = "Ctrl+A" } }, { type = { texto = "x" } }]
         |                                                                                                                                                ^
      hint: known here: field, with, delay, replace
    4 mistakes
    "#);
}

fn told_by_check(actions: &str) -> String {
    let setting = setting("", actions);
    let output = setting.command("check").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let folder = setting.path().display().to_string();
    let told = String::from_utf8(output.stdout).unwrap();
    told.replace(&folder, "FOLDER")
}
