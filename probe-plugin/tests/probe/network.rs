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
every = "1h"
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

/// Walks it with these secrets in the folder; nothing that is told may hold one of them.
fn walk(journey: &str, portal: &str, secrets: &[(&str, &str)]) -> Run {
    let more = format!("secrets_folder = \"secrets\"\n{}", browser_table());
    let setting = Setting::new(journey, portal, &more);
    let folder = setting.path().join("secrets");
    fs::create_dir(&folder).unwrap();
    for (name, value) in secrets {
        fs::write(folder.join(name), value).unwrap();
        let only_ours = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.join(name), only_ours).unwrap();
    }
    let mut probe = Running::start(&setting);
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
    let server = Server::start(|request| match request.path.as_str() {
        "/" => html(CODE_PAGE),
        _ => html("<p>Codigo incorrecto</p>"),
    });
    let actions = r#"{ goto = "${portal}/" }, { fill = { field = "label=Codigo", with = "${totp:CLAVE_CODIGO}" } },
        { click = "text=Entrar" }, { expect = { text = "Bienvenido" } }"#;
    let run = walk(
        &journey("", actions),
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
