//! What pages are told about the user's machine, as they show it themselves, and the ways that requests take.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    running::{Run, Running, Setting, browser_table},
    site, tls,
};

/// A server that answers every request with a page that shows what it was asked with and what scripts are told. As a
/// proxy it does the same for whatever address it is asked for, and may want a name and a password first.
struct Mirror {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What the page shows once it knows: each line a name and a value.
const PAGE: &str = r#"<!doctype html><meta name=viewport content="width=device-width"><pre id=told></pre><script>
const lines = {
  host: location.host,
  language: navigator.language,
  accepts: document.currentScript.dataset.accepts,
  agent: navigator.userAgent,
  platform: navigator.platform,
  mobile: navigator.userAgentData?.mobile,
  number: (1234.5).toLocaleString(),
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  hour: new Date(Date.UTC(2026, 0, 15, 12)).getHours(),
  window: innerWidth + 'x' + innerHeight + '@' + devicePixelRatio,
  touch: navigator.maxTouchPoints > 0,
};
const show = () => told.textContent = Object.entries(lines).map(([k, v]) => k + '=' + v).join('\n');
show();
navigator.geolocation?.getCurrentPosition(
  p => { lines.place = [p.coords.latitude, p.coords.longitude, p.coords.accuracy]; show(); },
  e => { lines.place = 'refused'; show(); });
</script>"#;

impl Mirror {
    fn start(wants_login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let log = Arc::clone(&log);
                // A browser that gives up is no matter here.
                std::thread::spawn(move || answer(stream.unwrap(), &log, wants_login).ok());
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: TcpStream,
    log: &Mutex<Vec<String>>,
    wants_login: Option<&str>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    log.lock().unwrap().push(request);
    if let Some(login) = wants_login
        && headers.get("proxy-authorization").map(String::as_str) != Some(login)
    {
        return write!(
            stream,
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"salida\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let accepts = headers.get("accept-language").cloned().unwrap_or_default();
    let page = PAGE.replace("<script>", &format!("<script data-accepts=\"{accepts}\">"));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
}

/// A journey that opens the address and wants the page to show these lines.
fn walk(address: &str, head: &str, lines: &[&str]) -> (Run, String) {
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            format!("{{ expect = {{ text = {{ in = \"#told\", contains = \"{line}\" }} }} }}")
        })
        .collect();
    let shown = shown.join(",\n");
    let journey = format!(
        r#"
system = "paginas"
name = "espejo"
impact = "low"
every = "24h"
timeout = "20s"
action_timeout = "5s"
{head}
[variables]
portal = "https://t.example"
[[step]]
name = "Mirar"
actions = [{{ goto = "${{portal}}/" }},
{shown}
]
"#
    );
    let setting = Setting::new(&journey, address, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    let (_, _, stderr) = probe.stop();
    (run, stderr)
}

fn shows(emulate: &str, lines: &[&str]) {
    let mirror = Mirror::start(None);
    let address = format!("http://127.0.0.1:{}", mirror.port);
    let (run, stderr) = walk(&address, &format!("emulate = {{ {emulate} }}"), lines);
    assert_eq!(
        run.journey.text("result"),
        Some("ok"),
        "{}\n{stderr}",
        run.journey.0
    );
}

#[test]
fn a_page_is_told_the_users_language_and_time_zone() {
    shows(
        "locale = \"es-UY\", time_zone = \"America/Montevideo\"",
        &[
            "language=es-UY",
            "accepts=es-UY",
            "number=1.234,5",
            "zone=America/Montevideo",
            "hour=9",
            "agent=Mozilla/5.0 (X11; Linux",
        ],
    );
}

#[test]
fn a_page_is_told_where_the_user_is_without_asking_anybody() {
    shows(
        "geolocation = { latitude = -34.9, longitude = -56.16, accuracy = 25 }",
        &["place=-34.9,-56.16,25"],
    );
    shows("", &["place=refused"]);
}

#[test]
fn a_page_is_told_of_the_users_window_and_browser() {
    shows(
        "viewport = { width = 640, height = 480, scale = 2 }, user_agent = \"Navegador de la sede/1.0\"",
        &[
            "window=640x480@2",
            "agent=Navegador de la sede/1.0",
            "touch=false",
        ],
    );
}

#[test]
fn a_page_is_told_of_a_telephone_and_of_a_tablet() {
    shows(
        "device = \"Pixel 8\"",
        &[
            "window=412x915@2.625",
            "touch=true",
            "platform=Linux armv81",
            "mobile=true",
            "agent=Mozilla/5.0 (Linux; Android 10; K)",
        ],
    );
    shows(
        "device = \"iPhone 15\", locale = \"es-AR\"",
        &["window=393x852@3", "platform=iPhone", "language=es-AR"],
    );
    shows(
        "device = \"iPad\", viewport = { width = 1180, height = 820, landscape = true }",
        &["window=1180x820@1", "touch=false", "platform=MacIntel"],
    );
}

#[test]
fn a_slow_network_and_a_slow_processor_are_those_of_the_user_from_the_first_page_on() {
    let mirror = Mirror::start(None);
    let address = format!("http://127.0.0.1:{}", mirror.port);
    let slow = "emulate = { network = { latency = \"700ms\" }, cpu_slowdown = 4 }";
    let (run, _) = walk(&address, slow, &["host=127.0.0.1"]);
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    // Never the other way: a machine that is busy only makes it longer.
    let took = Duration::from_secs_f64(run.journey.float("duration_ms").unwrap() / 1000.0);
    assert!(took >= Duration::from_millis(700), "{took:?}");
}

#[test]
fn requests_go_through_the_proxy_that_the_journey_names() {
    let proxy = Mirror::start(None);
    let direct = Mirror::start(None);
    let table = format!(
        "proxy = {{ server = \"http://127.0.0.1:{}\", bypass = [\"<-loopback>\", \"localhost\"] }}",
        proxy.port
    );
    // Nobody but the proxy knows this name.
    let (run, _) = walk(
        "http://tramites.invalid",
        &table,
        &["host=tramites.invalid"],
    );
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    let asked = proxy.asked();
    assert!(
        asked.contains(&"GET http://tramites.invalid/ HTTP/1.1".to_owned()),
        "{asked:?}"
    );

    let address = format!("http://localhost:{}", direct.port);
    let (run, _) = walk(&address, &table, &["host=localhost"]);
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    assert!(direct.asked().contains(&"GET / HTTP/1.1".to_owned()));
}

#[test]
fn a_proxy_that_wants_a_name_and_a_password_gets_them_and_nobody_else_hears_of_them() {
    // robot:clave-de-prueba, of which the password is the secret of these tests.
    let login: &'static str = Box::leak(
        format!(
            "Basic {}",
            base64_of(&format!("robot:{}", crate::running::SECRET))
        )
        .into_boxed_str(),
    );
    let proxy = Mirror::start(Some(login));
    let table = |password: &str| {
        format!(
            "proxy = {{ server = \"http://127.0.0.1:{}\", user = \"robot\", password = \"{password}\" }}",
            proxy.port
        )
    };
    let right = table("${secret:TRAMITES_CLAVE}");
    let (run, stderr) = walk(
        "http://tramites.invalid",
        &right,
        &["host=tramites.invalid"],
    );
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    assert!(!stderr.contains(crate::running::SECRET), "{stderr}");

    let (run, _) = walk("http://tramites.invalid", &table("otra"), &[]);
    assert_eq!(
        run.journey.text("result"),
        Some("failed"),
        "{}",
        run.journey.0
    );
}

#[test]
fn a_proxy_that_is_not_there_is_no_fault_of_the_name() {
    let table = "proxy = { server = \"http://127.0.0.1:9\" }";
    let (run, _) = walk("http://tramites.invalid", table, &[]);
    assert_eq!(
        run.journey.text("error_class"),
        Some("connect"),
        "{}",
        run.journey.0
    );
    let error = run.journey.text("error").unwrap();
    assert!(error.to_lowercase().contains("proxy"), "{error}");
}

#[test]
fn an_organisations_own_authority_vouches_for_its_servers_where_it_is_named_and_nowhere_else() {
    let (address, authority) = tls::serve_vouched_for();
    let journey = site::journey("{ goto = \"${portal}/\" }");
    let setting = Setting::new(&journey, &address, browser_table());
    let run = |setting: &Setting| {
        let mut probe = Running::start(setting);
        probe.ask_for_points();
        let run = probe.run();
        probe.stop();
        run.journey
    };
    let stranger = run(&setting);
    assert_eq!(stranger.text("error_class"), Some("tls"), "{}", stranger.0);

    fs::write(setting.path().join("interna.pem"), authority).unwrap();
    let file = setting.path().join("probe.toml");
    let text = fs::read_to_string(&file).unwrap();
    let named = text.replace("[browser]", "[browser]\nextra_ca = [\"interna.pem\"]");
    fs::write(&file, named).unwrap();
    let known = run(&setting);
    assert_eq!(known.text("result"), Some("ok"), "{}", known.0);

    fs::write(setting.path().join("interna.pem"), "nada").unwrap();
    let told = setting.command("check").output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("interna.pem` holds no certificate"), "{told}");
}

fn base64_of(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
