//! What a page must come to show or to hold: it is waited for, and when it does not come, what is there instead is told.

use crate::pages::{expect_failed, expect_ok, walk, walk_site};

#[test]
fn what_comes_late_is_waited_for_whatever_it_is() {
    expect_ok(
        "<title>Inicio</title><p id=estado style='text-transform:uppercase'>Pendiente</p><ul></ul><label>Monto <input id=monto></label>
         <label>Tipo <select><option value=1>Reclamo<option value=2>Queja</select></label>
         <label>Acepto <input type=checkbox style='display:none'></label><a href=/x>Ver</a><button disabled>Enviar</button>
         <label>Acuse <textarea></textarea></label><script>setTimeout(() => {
           estado.firstChild.data = 'Aprobado'; document.title = 'Trámite 12';
           document.querySelector('ul').innerHTML = '<li>a<li>b<li>c<li hidden>d';
           monto.value = '1500'; document.querySelector('select').value = '2';
           document.querySelector('[type=checkbox]').checked = true;
           document.querySelector('a').setAttribute('href', '/acuse/77');
           document.querySelector('button').disabled = false;
           document.querySelector('textarea').disabled = true;
           history.pushState({}, '', '/tramite/12?ver=1'); window.listo = Promise.resolve(3);
         }, 600)</script>",
        r#"
        { expect = { count = { of = "role=listitem", is = 3 } } },
        { expect = { text = { in = "css=#estado", is = "Aprobado" } } },
        { expect = { text = { in = "css=#estado", matches = "^APROB" } } },
        { expect = { title = { contains = "12" } } },
        { expect = { url = { matches = "/tramite/\\d+" } } },
        { expect = { value = { of = "label=Monto", is = "1500" } } },
        { expect = { value = { of = "label=Tipo", is = "Queja" } } },
        { expect = { value = { of = "label=Tipo", is = "2" } } },
        { expect = { checked = "label=Acepto" } },
        { expect = { attribute = { of = "role=link", name = "href", is = "/acuse/77" } } },
        { expect = { enabled = "role=button" } },
        { expect = { disabled = "label=Acuse" } },
        { expect = { expression = "window.listo.then(n => n > 2)" } },
        { expect = { console = "clean" } }"#,
    );
}

#[test]
fn each_is_waited_for_on_its_own() {
    for (change, expectation) in [
        (
            "document.querySelector('input').value = '7'",
            "value = { of = \"role=textbox\", is = \"7\" }",
        ),
        (
            "document.querySelector('#t').checked = true",
            "checked = \"css=#t\"",
        ),
        ("location.hash = 'fin'", "url = { contains = \"#fin\" }"),
        ("window.app = {listo: true}", "expression = \"app.listo\""),
        (
            "p.setAttribute('data-s', 'ok')",
            "attribute = { of = \"css=#p\", name = \"data-s\", is = \"ok\" }",
        ),
        ("document.title = 'B'", "title = \"B\""),
    ] {
        let page = format!(
            "<title>A</title><p id=p>x</p><input><input type=checkbox id=t><script>setTimeout(() => {{ {change} }}, 700)</script>"
        );
        expect_ok(page.leak(), &format!("{{ expect = {{ {expectation} }} }}"));
    }
}

#[test]
fn a_count_that_is_not_reached_is_told_with_the_number_that_is_seen() {
    expect_failed(
        "<ul><li>a<li>b<li style='display:none'>c</ul>",
        r#"{ expect = { count = { of = "role=listitem", at_least = 3 } } }"#,
        "assertion",
        "`role=listitem` matched 2 visible elements, not at least 3",
    );
}

#[test]
fn elements_of_all_frames_are_counted_together_and_none_is_none_in_every_frame() {
    expect_ok(
        "<p class=a>1</p><iframe srcdoc='<p class=a>2</p>'></iframe><iframe srcdoc='<p>x</p>'></iframe>",
        r#"{ expect = { count = { of = "css=.a", is = 2 } } }"#,
    );
    expect_failed(
        "<p>x</p><iframe srcdoc='<p class=a>2</p>'></iframe>",
        r#"{ expect = { count = { of = "css=.a", is = 0 } } }"#,
        "assertion",
        "`css=.a` matched 1 visible element, not 0",
    );
}

#[test]
fn what_an_element_shows_instead_is_told() {
    expect_failed(
        "<p id=estado>Rechazado</p>",
        r#"{ expect = { text = { in = "css=#estado", is = "Aprobado" } } }"#,
        "assertion",
        "`css=#estado` shows `Rechazado`, not `Aprobado`",
    );
}

#[test]
fn what_a_field_with_a_secret_holds_is_not_told() {
    for field in [
        "<label>Clave <input type=password></label>",
        "<label>Clave <input oninput='this.value+=this.value'></label>",
    ] {
        let run = walk(
            field,
            r#"{ fill = { field = "label=Clave", with = "x${secret:TRAMITES_CLAVE}y" } }, { expect = { value = { of = "label=Clave", is = "otra" } } }"#,
        );
        assert_eq!(
            run.journey.text("error_class"),
            Some("assertion"),
            "{}",
            run.journey.0
        );
        let told = run.journey.text("error").unwrap();
        assert!(
            told.starts_with(
                "`label=Clave` holds something else; what a field with a secret holds is not shown"
            ),
            "{told}"
        );
    }
}

#[test]
fn a_status_is_that_of_a_request_of_this_step_and_not_of_an_earlier_one() {
    const SITE: &[(&str, &str)] = &[
        (
            "/",
            "<p>x</p><script>fetch('/api/lista')</script><button onclick=\"setTimeout(() => fetch('/api/alta?n=1'), 300)\">Alta</button>",
        ),
        ("/api/lista", "[]"),
        ("/api/alta", "{}"),
    ];
    let run = walk_site(
        SITE,
        r#"{ expect = { status = 200 } }, { click = "role=button" }, { expect = { status = { url = "/api/alta", is = 200 } } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
    let run = walk_site(
        SITE,
        r#"{ expect = { status = { url = "/api/lista", is = 200 } } }"#,
    );
    let told = run.journey.text("error").unwrap_or_default();
    assert!(
        told.starts_with("nothing was asked of `/api/lista` in this step"),
        "{}",
        run.journey.0
    );
}

#[test]
fn another_status_than_the_one_that_is_expected_is_told() {
    let run = walk(
        "<button onclick=\"fetch('/api/falta')\">Alta</button>",
        r#"{ click = "role=button" }, { expect = { status = { url = "/api/falta", is = 201 } } }"#,
    );
    let told = run.journey.text("error").unwrap_or_default();
    assert!(
        told.contains("/api/falta` answered with HTTP status 404, not 201"),
        "{}",
        run.journey.0
    );
}

#[test]
fn an_error_in_the_console_is_told_unless_it_is_of_those_that_do_not_count() {
    const PAGE: &str = "<script>console.error('Mapa: sin clave', 7); setTimeout(() => falta(), 50)</script><p>x</p>";
    expect_failed(
        PAGE,
        r#"{ wait = "200ms" }, { expect = { console = { ignore = ["Mapa"] } } }"#,
        "assertion",
        "the console is not clean: ReferenceError: falta is not defined",
    );
    expect_ok(
        PAGE,
        r#"{ wait = "200ms" }, { expect = { console = { ignore = ["Mapa", "falta is not"] } } }"#,
    );
}

#[test]
fn an_expression_that_stays_false_or_throws_fails_and_one_that_is_no_javascript_is_the_configurations_fault()
 {
    expect_failed(
        "<p>x</p>",
        r#"{ expect = { expression = "document.title" } }"#,
        "assertion",
        "the expression `document.title` is ``",
    );
    expect_failed(
        "<p>x</p>",
        r#"{ expect = { expression = "app.listo" } }"#,
        "assertion",
        "the expression `app.listo` threw ReferenceError: app is not defined",
    );
    for action in [
        r#"{ expect = { expression = "1 +" } }"#,
        r#"{ script = "retur 1" }"#,
        r#"{ expect = { title = { matches = "(" } } }"#,
    ] {
        let run = walk("<p>x</p>", action);
        assert_eq!(
            run.journey.text("error_class"),
            Some("config"),
            "{action}: {}",
            run.journey.0
        );
        assert_eq!(run.journey.text("result"), Some("unmeasured"));
    }
}
