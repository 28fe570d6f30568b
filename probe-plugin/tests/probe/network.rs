//! What goes over the network besides the pages: what arrives at a real server is what counts.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

use crate::running::{Run, Running, Setting, browser_table};

/// A request as it arrived.
#[derive(Clone, Debug)]
struct Request {
    path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What a server answers with: status, further headers, body.
type Answer = (&'static str, String, String);

/// A server that keeps what it was asked.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let log = Arc::clone(&requests);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream.unwrap(), &log, answer.as_ref()));
            }
        });
        Self { port, requests }
    }

    /// Its address under a name of this machine: another name is another site.
    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    fn requests(&self, path: &str) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        let of_path = requests.iter().filter(|request| request.path == path);
        of_path.cloned().collect()
    }
}

fn serve(
    mut stream: &TcpStream,
    log: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Answer + Send + Sync),
) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let headers = lines
        .by_ref()
        .map_while(|line| line.ok().filter(|line| !line.is_empty()))
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    let request = Request {
        path: first.split(' ').nth(1).unwrap_or_default().to_owned(),
        headers,
    };
    log.lock().unwrap().push(request.clone());
    let (status, more, body) = answer(&request);
    // A length that was given is one that is never reached.
    let length = if more.contains("Content-Length") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{more}{length}Connection: close\r\n\r\n{body}"
    )
    .ok();
    if more.contains("Content-Length") && !more.contains("X-Cut") {
        // Until the browser gives up.
        lines.next();
    }
}

fn html(body: impl Into<String>) -> Answer {
    (
        "200 OK",
        "Content-Type: text/html; charset=utf-8\r\n".into(),
        body.into(),
    )
}

fn journey(tables: &str, actions: &str) -> String {
    format!(
        r#"
system = "red"
name = "trampa"
impact = "low"
every = "24h"
timeout = "15s"
action_timeout = "3s"
[variables]
portal = "https://t.example"
{tables}
[[step]]
name = "Usar"
actions = [{actions}]
"#
    )
}

fn walk(journey: &str, portal: &str, secrets: &[(&str, &str)]) -> Run {
    let more = format!("secrets_folder = \"secrets\"\n{}", browser_table());
    walk_in(&Setting::new(journey, portal, &more), secrets)
}

/// Walks it with these secrets in the folder; nothing that is told may hold one of them.
pub fn walk_in(setting: &Setting, secrets: &[(&str, &str)]) -> Run {
    let folder = setting.path().join("secrets");
    fs::create_dir(&folder).unwrap();
    for (name, value) in secrets {
        fs::write(folder.join(name), value).unwrap();
        let only_ours = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.join(name), only_ours).unwrap();
    }
    let mut probe = Running::start(setting);
    probe.ask_for_points();
    let run = probe.run();
    let (_, rest, stderr) = probe.stop();
    let points = rest.iter().map(|point| point.0.as_str());
    for told in points.chain([run.journey.0.as_str(), stderr.as_str()]) {
        for (_, value) in secrets {
            assert!(!told.contains(value), "the secret is in: {told}");
        }
    }
    run
}

fn expect_ok(run: &Run) {
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
}

fn expect_failed(run: &Run, error_class: &str, error: &str) {
    let told = (
        run.journey.text("result"),
        run.journey.text("error_class"),
        run.journey.text("error").unwrap_or_default(),
    );
    assert_eq!(
        (told.0, told.1),
        (Some("failed"), Some(error_class)),
        "{}",
        told.2
    );
    assert!(told.2.starts_with(error), "told: {}", told.2);
}

const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The field comes late, and the page sends on what was typed.
const CODE_PAGE: &str = "<form action=/codigo><div id=here></div></form><script>setTimeout(() => { here.innerHTML = '<label>Codigo <input name=c></label><button>Entrar</button>' }, 300)</script>";

#[test]
fn a_one_time_code_is_the_one_of_the_moment_and_is_told_to_nobody() {
    for action in [
        r#"{ fill = { field = "label=Codigo", with = "${totp:CLAVE_CODIGO}" } }"#,
        r#"{ type = { field = "label=Codigo", with = "${totp:CLAVE_CODIGO}" } }"#,
    ] {
        types_the_code_of_the_moment(action);
    }
}

fn types_the_code_of_the_moment(action: &str) {
    let server = Server::start(|request| match request.path.as_str() {
        "/" => html(CODE_PAGE),
        _ => html("<p>Codigo incorrecto</p>"),
    });
    let actions = format!(
        r#"{{ goto = "${{portal}}/" }}, {action}, {{ click = "text=Entrar" }}, {{ expect = {{ text = "Bienvenido" }} }}"#
    );
    let run = walk(
        &journey("", &actions),
        &server.url("127.0.0.1"),
        &[("CLAVE_CODIGO", KEY)],
    );

    expect_failed(&run, "assertion", "the page");
    let requests = server.requests.lock().unwrap();
    let sent: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.path.strip_prefix("/codigo?c="))
        .collect();
    assert_eq!(sent.len(), 1, "{requests:?}");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(KEY).unwrap())
        .build()
        .unwrap();
    // The run may have ended in a later period than the one that it typed in.
    let good = [0, 30].map(|ago| totp.generate(now.as_secs() - ago).to_string());
    assert!(good.iter().any(|code| code == sent[0]), "sent {sent:?}");
    // It stands in the address of the page at the end.
    let url = run.journey.text("url").unwrap();
    assert!(url.ends_with("/codigo?c=***"), "told: {url}");
}

/// `robot:clave-del-robot` as a header holds it.
const AUTHORISATION: &str = "Basic cm9ib3Q6Y2xhdmUtZGVsLXJvYm90";

/// Asks for a name and a password everywhere; `/salir` leads to another site, `/marco` has it in a frame and calls it.
fn guarded(other: String) -> Server {
    Server::start(move |request| {
        if request.header("Authorization") != Some(AUTHORISATION) {
            return (
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"x\"\r\nContent-Type: text/html\r\n".into(),
                "<p>No</p>".into(),
            );
        }
        match request.path.as_str() {
            "/salir" => (
                "302 Found",
                format!("Location: {other}/fin\r\n"),
                String::new(),
            ),
            "/marco" => html(format!(
                "<iframe src='{other}/fin'></iframe><p id=p></p><script>fetch('/dato').then(async (r) => p.textContent = await r.text())</script>"
            )),
            _ => html("<p>Bienvenido</p>"),
        }
    })
}

const LOGIN: &str = r#"[[basic_auth]]
url = "${portal}"
user = "robot"
password = "${secret:CLAVE_RED}""#;

#[test]
fn a_password_answers_the_server_that_it_is_for_and_no_other() {
    // The other one asks too: whoever answered it would give the password away.
    let other = guarded("http://127.0.0.1:1".into());
    let server = guarded(other.url("localhost"));
    let actions = r#"{ goto = "${portal}/" }, { expect = { text = "Bienvenido" } },
        { goto = "${portal}/marco" }, { expect = { text = "Bienvenido" } }, { expect = { text = "No" } }, { goto = "${portal}/salir" }"#;
    let run = walk(
        &journey(LOGIN, actions),
        &server.url("127.0.0.1"),
        &[("CLAVE_RED", "clave-del-robot")],
    );

    expect_failed(&run, "http_status", "`http://");
    assert!(!server.requests("/dato").is_empty());
    let there = other.requests("/fin");
    assert_eq!(there.len(), 2, "{there:?}");
    for request in there {
        assert_eq!(request.header("Authorization"), None);
    }
}

#[test]
fn a_wrong_password_is_told_by_its_status_and_tried_once() {
    let server = guarded(String::new());
    let run = walk(
        &journey(LOGIN, r#"{ goto = "${portal}/" }"#),
        &server.url("127.0.0.1"),
        &[("CLAVE_RED", "clave-vieja-del-robot")],
    );

    expect_failed(&run, "http_status", "`http://127.0.0.1");
    assert_eq!(run.journey.integer("http_status"), Some(401));
    let tried = server.requests("/");
    assert_eq!(tried.len(), 2, "{tried:?}");
}

#[test]
fn headers_go_to_the_addresses_that_they_are_for_and_to_no_other() {
    let other = Server::start(|_| html("<p>Otro</p>"));
    let there = other.url("localhost");
    let server = Server::start(move |request| match request.path.as_str() {
        "/salir" => (
            "302 Found",
            format!("Location: {there}/fin\r\n"),
            String::new(),
        ),
        "/" => html(format!(
            "<iframe src='{there}/marco'></iframe><img src='{there}/imagen'><p id=p></p><script>fetch('/dato').then(async (r) => p.textContent = await r.text())</script>"
        )),
        _ => html("Bienvenido"),
    });
    let tables = r#"[[headers]]
url = "${portal}"
set = { X-Robot = "vigia", Authorization = "Bearer ${secret:FICHA_RED}" }"#;
    let actions = r#"{ goto = "${portal}/" }, { expect = { text = "Bienvenido" } }, { expect = { text = "Otro" } },
        { goto = "${portal}/salir" }, { expect = { text = "Otro" } }"#;
    let run = walk(
        &journey(tables, actions),
        &server.url("127.0.0.1"),
        &[("FICHA_RED", "ficha-del-robot")],
    );

    expect_ok(&run);
    for path in ["/", "/dato", "/salir"] {
        let request = server.requests(path).remove(0);
        assert_eq!(request.header("X-Robot"), Some("vigia"), "{path}");
        assert_eq!(
            request.header("Authorization"),
            Some("Bearer ficha-del-robot"),
            "{path}"
        );
    }
    for path in ["/marco", "/imagen", "/fin"] {
        let request = other.requests(path).remove(0);
        assert_eq!(request.header("X-Robot"), None, "{path}");
        assert_eq!(request.header("Authorization"), None, "{path}");
    }
}

#[test]
fn a_cookie_is_sent_to_its_host_until_it_is_cleared() {
    let server = Server::start(|_| html("<p>Bienvenido</p>"));
    let actions = r#"{ cookie = { set = { url = "${portal}/", name = "idioma", value = "es-${secret:GALLETA_RED}" } } },
        { goto = "${portal}/con" }, { cookie = { clear = "${portal}/" } }, { goto = "${portal}/sin" }"#;
    let run = walk(
        &journey("", actions),
        &server.url("127.0.0.1"),
        &[("GALLETA_RED", "galleta123")],
    );

    expect_ok(&run);
    let cookie = |path: &str| {
        let request = server.requests(path).remove(0);
        request.header("Cookie").map(str::to_owned)
    };
    assert_eq!(cookie("/con").as_deref(), Some("idioma=es-galleta123"));
    assert_eq!(cookie("/sin"), None);
}

/// Hands out files: a whole one, an empty one, one that breaks off, one that never ends.
fn files() -> Server {
    let file = |more: &str, body: &str| {
        let headers = format!(
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"acta-7.pdf\"\r\n{more}"
        );
        ("200 OK", headers, body.to_owned())
    };
    Server::start(move |request| match request.path.as_str() {
        "/entera" => file("", "%PDF-1.7 acta"),
        "/vacia" => file("", ""),
        "/rota" => file("Content-Length: 5000\r\nX-Cut: 1\r\n", "%PDF-1.7"),
        "/eterna" => file("Content-Length: 5000\r\n", "%PDF-1.7"),
        _ => html(
            "<p>Actas</p><a href=/entera>Entera</a> <a href=/entera target=_blank>Aparte</a> <a href=/vacia>Vacia</a> <a href=/rota>Rota</a> <a href=/eterna>Eterna</a> <a href=#>Ninguna</a>",
        ),
    })
}

fn download(link: &str, expected: &str) -> Run {
    let actions = format!(
        r#"{{ goto = "${{portal}}/" }}, {{ click = "text={link}" }}, {expected} {{ expect = {{ text = "Actas" }} }}"#
    );
    walk(&journey("", &actions), &files().url("127.0.0.1"), &[])
}

const WHOLE: &str = r#"{ expect = { download = { name = "acta-*.pdf", at_least_bytes = 13, contains = "%PDF-" } } },"#;

#[test]
fn a_file_is_downloaded_whole() {
    expect_ok(&download("Entera", WHOLE));
    expect_ok(&download("Aparte", WHOLE));
}

#[test]
fn a_download_that_is_not_what_it_should_be_fails_with_what_it_is() {
    for (link, expected, told) in [
        (
            "Vacia",
            WHOLE.to_owned(),
            "the download `acta-7.pdf` is empty",
        ),
        (
            "Rota",
            WHOLE.to_owned(),
            "the download of `acta-7.pdf` broke off: 8 of 5000 bytes had come",
        ),
        (
            "Eterna",
            WHOLE.to_owned(),
            "the download of `acta-7.pdf` did not end: 8 of 5000 bytes had come",
        ),
        ("Ninguna", WHOLE.to_owned(), "no download began"),
        (
            "Entera",
            WHOLE.replace("acta-*", "informe-*"),
            "the download is called `acta-7.pdf`, not `informe-*.pdf`",
        ),
        (
            "Entera",
            WHOLE.replace("13", "14"),
            "the download `acta-7.pdf` has 13 bytes, not 14 or more",
        ),
        (
            "Entera",
            WHOLE.replace("%PDF-", "<html"),
            "the download `acta-7.pdf` does not contain `<html` in its 13 bytes",
        ),
    ] {
        expect_failed(&download(link, &expected), "download", told);
    }
}

#[test]
fn a_download_that_nobody_expected_does_not_hang_the_step() {
    expect_ok(&download("Eterna", ""));
    expect_ok(&download("Aparte", ""));
}
