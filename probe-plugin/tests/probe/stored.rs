//! What a journey reads from a page and needs again later, and JavaScript of the operator's.

use crate::{
    pages::{expect_failed, expect_ok, walk_site},
    running::{JOURNEY, Setting},
};

#[test]
fn what_is_stored_is_used_in_addresses_fields_selectors_and_texts() {
    let run = walk_site(
        &[
            (
                "/",
                "<h1 id=n>…</h1><a href='/detalle?n=1' data-n=a1>Ver</a><script>setTimeout(() => { n.textContent = 'Expediente 2026-0045' }, 500)</script>",
            ),
            (
                "/detalle",
                "<p>Expediente 2026-0045</p><label>Buscar <input oninput='o.textContent = `[${this.value}]`'></label><p id=o></p><button onclick='o.textContent = `visto`'>Abrir 2026-0045</button>",
            ),
        ],
        r#"
        { store = { as = "numero", from = "css=#n", matches = "(\\d{4}-\\d+)" } },
        { store = { as = "camino", from = "role=link", attribute = "href" } },
        { goto = "${portal}${stored:camino}" },
        { expect = { text = "Expediente ${stored:numero}" } },
        { fill = { field = "label=Buscar", with = "n:${stored:numero}" } },
        { store = { as = "campo", from = "label=Buscar" } },
        { expect = { text = { in = "css=#o", is = "[${stored:campo}]" } } },
        { click = "role=button[name='Abrir ${stored:numero}']" },
        { script = { run = "return ${stored:numero}.length + await Promise.resolve(1)", as = "largo" } },
        { expect = { expression = "${stored:largo} === '10'" } },
        { expect = { text = "visto" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn what_a_page_shows_is_never_taken_for_a_reference_or_for_code() {
    expect_ok(
        "<p id=n>${secret:TRAMITES_CLAVE}\"; document.title = 'mal'; \"</p><label>Campo <input oninput='o.textContent = this.value.slice(0, 9)'></label><p id=o></p>",
        r#"
        { store = { as = "texto", from = "css=#n" } },
        { fill = { field = "label=Campo", with = "${stored:texto}" } },
        { expect = { text = { in = "css=#o", is = "${secret:".. } } },
        { script = "window.t = ${stored:texto}" },
        { expect = { expression = "t.length > 40 && document.title === ''" } }"#
            .replace(r#"is = "${secret:".. }"#, r#"matches = "^\\$.secret:$" }"#)
            .as_str(),
    );
}

#[test]
fn what_is_not_there_to_be_stored_is_told_and_a_password_is_never_stored() {
    expect_failed(
        "<p id=n>Sin número</p>",
        r#"{ store = { as = "n", from = "css=#n", matches = "\\d+" } }"#,
        "assertion",
        "`css=#n` shows `Sin número`, which does not match `\\\\d+`",
    );
    expect_failed(
        "<label>Clave <input type=password value=abc></label>",
        r#"{ store = { as = "n", from = "label=Clave" } }"#,
        "assertion",
        "`label=Clave` holds a secret, and secrets are not stored",
    );
}

#[test]
fn a_script_that_throws_or_never_ends_is_told_and_one_that_leads_elsewhere_is_followed() {
    expect_failed(
        "<p>x</p>",
        r#"{ script = "document.querySelector('#falta').click()" }"#,
        "script",
        "the script threw TypeError: Cannot read properties of null",
    );
    expect_failed(
        "<p>x</p>",
        r#"{ script = "throw JSON.parse('{')" }"#,
        "script",
        "the script threw SyntaxError",
    );
    expect_failed(
        "<p>x</p>",
        r#"{ script = "await new Promise(() => {})" }"#,
        "timeout",
        "the script did not come to an end in time",
    );
    let run = walk_site(
        &[("/", "<p>x</p>"), ("/otra", "<p>Otra</p>")],
        r#"{ script = "location.href = '/otra'" }, { expect = { text = "Otra" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn a_reference_to_what_no_action_before_it_stores_is_told_by_check() {
    let journey = JOURNEY
        .replace("{ goto = \"${portal}/ingreso\" },", "{ goto = \"${portal}/${stored:numero}\" },\n  { store = { as = \"numero\", from = \"css=#n\" } },\n  { store = { as = \"1x\", from = \"css=#n\" } },\n  { expect = { count = { of = \"css=.x\" } } },\n  { expect = { text = { in = \"css=.x\", contains = \"${secret:TRAMITES_CLAVE}\" } } },\n  { expect = { status = 2000 } },\n  { expect = { text = \"${stored:numero}\" } },");
    let setting = Setting::new(&journey, "https://t.example", "");
    let output = setting.command("check").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.replace(&setting.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text, @r#"
    FOLDER/journeys/journey.toml:16:12: nothing is stored as `numero` before this action
      16 |   { goto = "${portal}/${stored:numero}" },
         |            ^
      hint: store it first: { store = { as = "numero", from = "..." } }
    FOLDER/journeys/journey.toml:18:20: nothing can be stored as `1x`
      18 |   { store = { as = "1x", from = "css=#n" } },
         |                    ^
      hint: write a letter, then letters, digits and underscores
    FOLDER/journeys/journey.toml:19:14: it is not said how many
      19 |   { expect = { count = { of = "css=.x" } } },
         |              ^
      hint: write `is`, or `at_least`, `at_most` or both
    FOLDER/journeys/journey.toml:20:23: a secret cannot be looked for on a page
      20 |   { expect = { text = { in = "css=.x", contains = "${secret:TRAMITES_CLAVE}" } } },
         |                       ^
      hint: expect something that the page shows to everybody
    FOLDER/journeys/journey.toml:21:25: `2000` is no HTTP status
      21 |   { expect = { status = 2000 } },
         |                         ^
      hint: write a number from 100 to 599
    5 mistakes
    "#);
}
