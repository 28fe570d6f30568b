//! What a journey tidies up after every run, and the pictures that it asks for.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Output,
    sync::mpsc,
};

use crate::running::{PATIENCE, Running, Setting, browser_table, members};

/// Answers every request with this page and tells which addresses were asked for.
fn serve(page: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let asked = asked.clone();
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(&stream).lines();
                let Some(Ok(request)) = lines.next() else {
                    return;
                };
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let page = if path == "/" { page } else { "<p>Listo</p>" };
                asked.send(path).ok();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                )
                .ok();
            });
        }
    });
    (format!("http://{address}"), requests)
}

fn journey(actions: &str, cleanup: &str) -> String {
    format!(
        r#"
system = "paginas"
name = "limpia"
impact = "low"
every = "24h"
timeout = "15s"
action_timeout = "2s"
cleanup_timeout = "8s"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/" }}]
[[step]]
name = "Usar"
actions = [{actions}]
{cleanup}
"#
    )
}

fn wait_for(requests: &mpsc::Receiver<String>, wanted: &str) {
    while requests.recv_timeout(PATIENCE).expect(wanted) != wanted {}
}

const SIGN_OUT: &str = r#"
[[cleanup]]
name = "Salir"
actions = [{ goto = "${portal}/salir" }, { expect = { text = "Listo" } }, { goto = "${portal}/fin" }]
"#;

#[test]
fn a_failed_run_is_told_as_it_stood_and_then_tidied_up() {
    let (portal, requests) = serve("<title>Inicio</title><p>x</p>");
    let text = journey(r#"{ expect = { text = "Nunca" } }"#, SIGN_OUT);
    let setting = Setting::new(&text, &portal, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    wait_for(&requests, "/fin");
    let (_, later, stderr) = probe.stop();
    assert_eq!(run.journey.text("result"), Some("failed"));
    assert_eq!(run.journey.text("url"), Some(format!("{portal}/").as_str()));
    assert_eq!(run.steps.len(), 2);
    let pages: Vec<_> = later
        .iter()
        .filter(|point| point.measurement() == "journey_page")
        .collect();
    assert!(
        pages.iter().all(|page| !page.0.contains("/salir")),
        "{pages:?}"
    );
    assert!(!stderr.contains("clean-up"), "{stderr}");
}

#[test]
fn a_page_that_hangs_and_one_with_an_open_dialog_do_not_keep_the_run_from_being_tidied_up() {
    for (page, actions) in [
        (
            "<p>x</p><script>setTimeout(() => { for (;;); }, 300)</script>",
            r#"{ wait = "500ms" }, { expect = { text = "Nunca" } }"#,
        ),
        (
            "<button onclick=\"alert('Sesión vencida')\">Ir</button>",
            r#"{ click = "role=button" }"#,
        ),
        (
            "<button onclick='window.close()'>Ir</button>",
            r#"{ script = "window.close()" }, { expect = { text = "Nunca" } }"#,
        ),
    ] {
        let (portal, requests) = serve(page);
        let setting = Setting::new(&journey(actions, SIGN_OUT), &portal, browser_table());
        let mut probe = Running::start(&setting);
        probe.ask_for_points();
        let run = probe.run();
        wait_for(&requests, "/fin");
        probe.stop();
        assert_eq!(
            run.journey.text("result"),
            Some("failed"),
            "{}",
            run.journey.0
        );
    }
}

#[test]
fn a_page_whose_process_died_is_replaced_by_a_new_one_to_tidy_up_from() {
    let (portal, requests) = serve("<p>x</p><script>fetch('/listo')</script>");
    let text = journey(r#"{ expect = { text = "Nunca" } }"#, SIGN_OUT);
    let setting = Setting::new(&text, &portal, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    wait_for(&requests, "/listo");
    for id in members(setting.browser_group().unwrap()) {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains("--type=renderer") {
            let id = rustix::process::Pid::from_raw(id).unwrap();
            rustix::process::kill_process(id, rustix::process::Signal::KILL).ok();
        }
    }
    let run = probe.run();
    wait_for(&requests, "/fin");
    probe.stop();
    assert_eq!(
        run.journey.text("error_class"),
        Some("crash"),
        "{}",
        run.journey.0
    );
}

fn tried(text: &str, portal: &str) -> Output {
    let setting = Setting::new(text, portal, browser_table());
    let mut command = setting.command("try");
    command.arg(setting.path().join("journeys/journey.toml"));
    command.output().unwrap()
}

#[test]
fn a_clean_up_that_fails_is_said_and_changes_nothing_and_the_next_one_is_made() {
    let cleanup = format!(
        "[[cleanup]]\nname = \"Borrar\"\nactions = [{{ click = \"text=Borrar ${{secret:TRAMITES_CLAVE}}\" }}]\n{SIGN_OUT}"
    )
    .replace(" ${secret:TRAMITES_CLAVE}", "");
    let (portal, requests) = serve("<p>x</p>");
    let output = tried(
        &journey(r#"{ expect = { text = "x" } }"#, &cleanup),
        &portal,
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains(
            "W! the clean-up of paginas/limpia `Borrar` failed: `text=Borrar` matched nothing"
        ),
        "{stderr}"
    );
    assert!(requests.try_iter().any(|path| path == "/salir"));
}

#[test]
fn a_clean_up_of_what_was_never_made_is_passed_over() {
    let cleanup = "[[cleanup]]\nname = \"Borrar\"\nactions = [{ goto = \"${portal}/borrar/${stored:numero}\" }]\n";
    let actions =
        r#"{ store = { as = "numero", from = "css=b" } }, { expect = { text = "Nunca" } }"#;
    for (page, deleted) in [("<p>x</p>", None), ("<b>7</b>", Some("/borrar/7"))] {
        let (portal, requests) = serve(page);
        let output = tried(&journey(actions, cleanup), &portal);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let found = requests.try_iter().find(|path| path.starts_with("/borrar"));
        assert_eq!(found.as_deref(), deleted);
    }
}

#[test]
fn the_pictures_that_a_journey_asks_for_are_kept_by_step() {
    let (portal, _requests) = serve("<p>x</p>");
    let actions =
        r#"{ screenshot = "antes" }, { expect = { text = "x" } }, { screenshot = "despues" }"#;
    let setting = Setting::new(&journey(actions, ""), &portal, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    probe.stop();
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    let folder = setting
        .path()
        .join("artifacts")
        .join(run.journey.text("artifact").unwrap());
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["01-usar-antes.jpg", "02-usar-despues.jpg"]);
}
