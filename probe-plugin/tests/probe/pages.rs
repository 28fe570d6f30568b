//! Pages as people build them, each with a trap: what a user sees is found, what he does not see is not.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
};

use crate::running::{Run, Running, Setting, browser_table};

/// Serves these pages, each connection one request, as long as the test runs. `/never` never answers.
pub fn serve(pages: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(&stream.unwrap(), pages));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream, pages: &[(&str, &str)]) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else {
        return;
    };
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    if path == "/never" {
        // Until the browser gives up.
        lines.next();
        return;
    }
    let known = path.split('?').next().unwrap_or_default();
    let (status, page) = match pages.iter().find(|(known_path, _)| *known_path == known) {
        Some((_, page)) => ("200 OK", *page),
        None => ("404 Not Found", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
    .ok();
}

/// Opens the page and does these actions, in one step with this budget.
pub fn walk(page: &'static str, actions: &str) -> Run {
    walk_site(Box::leak(Box::new([("/", page)])), actions)
}

/// The same with several pages; the first is at `/`.
pub fn walk_site(pages: &'static [(&'static str, &'static str)], actions: &str) -> Run {
    let journey = format!(
        r#"
system = "paginas"
name = "trampa"
impact = "low"
every = "24h"
timeout = "15s"
action_timeout = "2s"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/" }}]
[[step]]
name = "Usar"
budget = "1s"
actions = [{actions}]
"#
    );
    let setting = Setting::new(&journey, &serve(pages), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    probe.stop();
    run
}

/// The run is ok.
pub fn expect_ok(page: &'static str, actions: &str) {
    let run = walk(page, actions);
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

/// The run failed so.
pub fn expect_failed(page: &'static str, actions: &str, error_class: &str, error: &str) {
    let run = walk(page, actions);
    assert_eq!(
        run.journey.text("error_class"),
        Some(error_class),
        "{}",
        run.journey.0
    );
    let told = run.journey.text("error").unwrap();
    assert!(told.starts_with(error), "told: {told}");
}

#[test]
fn a_text_that_stands_only_in_a_script_is_not_shown() {
    expect_failed(
        "<title>x</title><body><h1>Servicio no disponible</h1><script>const T = {ok: 'Bienvenido'}</script>",
        r#"{ expect = { text = "Bienvenido" } }"#,
        "assertion",
        "the page `x` does not show `Bienvenido`",
    );
}

#[test]
fn a_hidden_part_of_a_text_is_not_shown() {
    expect_failed(
        "<title>x</title><p>Error<span hidden> grave</span></p>",
        r#"{ expect = { text = "Error grave" } }"#,
        "assertion",
        "the page `x` does not show `Error grave`",
    );
}

#[test]
fn a_text_over_two_lines_and_one_with_a_hidden_twin_are_shown() {
    expect_ok(
        "<p>Bienvenida,<br>Ana</p><p>Aprobado <span hidden>Aprobado</span></p><div style='display:contents'>Suelto</div><h2 style='text-transform:uppercase'>Estado</h2>",
        r#"{ expect = { text = "Bienvenida, Ana" } }, { expect = { text = "Aprobado" } }, { expect = { text = "Suelto" } }, { expect = { text = "Estado" } }"#,
    );
}

#[test]
fn a_text_inside_an_open_shadow_root_is_shown_and_its_button_is_clicked() {
    expect_ok(
        "<my-b><span>Guardar</span></my-b><p id=o></p><script>
        customElements.define('my-b', class extends HTMLElement { connectedCallback() {
          this.attachShadow({mode: 'open'}).innerHTML = '<em>Sombra</em><button><slot></slot></button>';
          this.shadowRoot.querySelector('button').onclick = () => o.textContent = 'Guardado';
        }})</script>",
        r#"{ expect = { text = "Sombra" } }, { click = "role=button[name='Guardar']" }, { expect = { text = "Guardado" } }"#,
    );
}

#[test]
fn a_button_is_called_what_a_user_sees_of_it() {
    expect_ok(
        "<button onclick='o.textContent+=1'><img alt=Buscar width=20 height=20></button>
         <button onclick='o.textContent+=2'>Ingresar<span style='display:none'> Cargando</span></button>
         <label>Tipo: <input onfocus='o.textContent+=3'></label><p id=o></p>",
        r#"{ click = "role=button[name='Buscar']" }, { click = "role=button[name='Ingresar']" }, { fill = { field = "label=Tipo:", with = "x" } }, { expect = { text = "123" } }"#,
    );
}

#[test]
fn a_button_far_down_is_brought_out_from_under_a_bar_that_stays() {
    expect_ok(
        "<div style='height:3000px'></div><button onclick=\"o.textContent='Hecho'\">Enviar</button><p id=o></p><div style='height:2000px'></div>
         <div style='position:fixed;bottom:0;left:0;right:0;height:90px;background:#ccc'>Usamos cookies</div>",
        r#"{ click = "text=Enviar" }, { expect = { text = "Hecho" } }"#,
    );
}

#[test]
fn a_link_over_two_lines_is_clicked_on_one_of_them() {
    expect_ok(
        "<p style='width:300px'>Palabras que llenan el renglón casi todo <a href='#fin' onclick=\"o.textContent='Ido'\">el enlace partido en dos renglones</a> y sigue.</p><p id=o></p>",
        r#"{ click = "role=link" }, { expect = { text = "Ido" } }"#,
    );
}

#[test]
fn a_button_behind_a_curtain_is_told_with_the_curtain() {
    expect_failed(
        "<button>Enviar</button><div class=modal style='position:fixed;inset:0;background:#0008'></div>",
        r#"{ click = "text=Enviar" }"#,
        "not_actionable",
        "`text=Enviar` is covered by `div.modal`",
    );
}

#[test]
fn a_button_that_moves_is_clicked_when_it_stands_still() {
    expect_ok(
        "<style>@keyframes k { to { transform: translateX(600px) } } button { animation: k .6s linear forwards }</style>
         <button onclick=\"o.textContent=this.getAnimations()[0].playState\">Enviar</button><p id=o></p>",
        r#"{ click = "text=Enviar" }, { expect = { text = "finished" } }"#,
    );
}

#[test]
fn a_disabled_button_is_waited_for() {
    expect_ok(
        "<button disabled onclick=\"o.textContent='Dado'\">Enviar</button><p id=o></p><script>setTimeout(() => document.querySelector('button').disabled = false, 500)</script>",
        r#"{ click = "text=Enviar" }, { expect = { text = "Dado" } }"#,
    );
}

#[test]
fn two_buttons_of_one_name_are_told_both() {
    expect_failed(
        "<button>Enviar</button><button class=b>Enviar</button>",
        r#"{ click = "role=button[name='Enviar']" }"#,
        "not_actionable",
        "`role=button[name='Enviar']` matched 2 elements: `button` “Enviar”, `button.b` “Enviar”",
    );
}

#[test]
fn a_field_that_takes_no_typed_text_is_told_and_not_passed_over() {
    expect_failed(
        "<label>Acepto <input type=checkbox></label>",
        r#"{ fill = { field = "label=Acepto", with = "x" } }"#,
        "not_actionable",
        "`label=Acepto` takes no typed text: it is `input` of type `checkbox`",
    );
}

#[test]
fn a_field_that_throws_its_text_away_is_told() {
    expect_failed(
        "<label>Número <input oninput=\"this.value=''\"></label>",
        r#"{ fill = { field = "label=Número", with = "7" } }"#,
        "not_actionable",
        "`label=Número` did not keep the text that was typed",
    );
}

#[test]
fn an_empty_text_clears_the_field() {
    expect_ok(
        "<label>Número <input value=viejo oninput='o.textContent=`[${this.value}]`'></label><p id=o></p>",
        r#"{ fill = { field = "label=Número", with = "" } }, { expect = { text = "[]" } }"#,
    );
}

#[test]
fn a_selector_that_is_none_is_the_configurations_fault() {
    let run = walk("<p>x</p>", r##"{ click = "#a[" }"##);
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    assert_eq!(run.journey.text("error_class"), Some("config"));
}

#[test]
fn the_wait_for_a_form_is_in_the_time_of_the_step() {
    let run = walk(
        "<p id=o></p><script>setTimeout(() => o.innerHTML = '<button>Enviar</button>', 1200)</script>",
        r#"{ click = "text=Enviar" }"#,
    );
    assert_eq!(
        run.journey.text("result"),
        Some("slow"),
        "{}",
        run.journey.0
    );
    assert!(
        run.steps[1].float("duration_ms").unwrap() >= 1000.0,
        "{}",
        run.steps[1].0
    );
}

#[test]
fn a_page_that_hands_over_by_script_before_its_load_is_followed() {
    let run = walk_site(
        &[
            ("/", "<p>x</p>"),
            (
                "/sso",
                "<script>location.replace('/destino')</script><img src='/never'>",
            ),
            ("/destino", "<h1>Llegada</h1>"),
        ],
        r#"{ goto = "${portal}/sso" }, { expect = { text = "Llegada" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn a_page_that_goes_elsewhere_after_the_step_has_not_failed_it() {
    let run = walk(
        "<p id=o></p><script>setTimeout(() => { o.textContent = 'Listo'; location = '/never' }, 300)</script>",
        r#"{ expect = { text = "Listo" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn another_place_of_the_same_document_is_not_the_time_of_its_load() {
    let run = walk(
        "<p>x</p>",
        r#"{ wait = "400ms" }, { goto = "${portal}/#fin" }, { expect = { text = "x" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
    assert!(run.steps[1].float("duration_ms").unwrap() >= 400.0);
}

#[test]
fn a_page_in_an_endless_loop_is_a_timeout_of_the_system() {
    expect_failed(
        "<p>x</p><script>setTimeout(() => { for (;;); }, 100)</script>",
        r#"{ wait = "300ms" }, { expect = { text = "Nunca" } }"#,
        "timeout",
        "the page does not respond",
    );
}

#[test]
fn a_dialog_that_nobody_expected_is_told_and_does_not_hold_the_run_up() {
    expect_failed(
        "<button onclick=\"alert('Sesión vencida')\">Enviar</button>",
        r#"{ click = "text=Enviar" }"#,
        "dialog",
        "the page opened a dialog that nobody expected: `Sesión vencida`",
    );
}
