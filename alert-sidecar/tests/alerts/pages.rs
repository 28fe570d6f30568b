//! The page as a browser gets it, and what programs ask: the real program, on a real InfluxDB.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{
    Client, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
    redirect,
};
use rustix::process::Signal;
use tokio::net::TcpListener;
use vigia_alert::render::link::{Purpose, Shown, Signer};
use vigia_testbed::until::until;

use super::{
    scripted_smtp::ScriptedSmtp,
    services::{self, Service},
    sidecar::{PICTURE, Sidecar, Stage, run},
};

const SOON: Duration = Duration::from_secs(20);
pub const TOKEN: &str = "a token that people type";
const PAGE: &str = r#"
[page]
listen = "127.0.0.1:0"
token = "${secret:PAGE_TOKEN}"
"#;

const FORM: &str = "application/x-www-form-urlencoded";

/// What a browser sends of a form.
fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// Adds tables to a configuration.
pub fn add(config: &Path, more: &str) {
    let text = fs::read_to_string(config).unwrap();
    // A test does not wait for a minute.
    let text = if text.contains("blind_after") {
        text
    } else {
        text.replace("timeout = \"2s\"", "timeout = \"2s\"\nblind_after = \"1s\"")
    };
    fs::write(config, text + more).unwrap();
}

/// A browser, or a program.
pub struct Browser {
    client: Client,
    url: String,
}

impl Browser {
    pub async fn at(sidecar: &Sidecar) -> Self {
        let address = async || {
            let log = sidecar.log();
            let (_, after) = log.split_once("the page is served address=")?;
            Some(after.split_whitespace().next()?.to_owned())
        };
        let address = until("the page to be served", SOON, address).await.unwrap();
        Self {
            client: Client::builder()
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            url: format!("http://{address}"),
        }
    }

    async fn get_with(&self, path: &str, headers: HeaderMap) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.headers(headers).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        let token = [(AUTHORIZATION, format!("Bearer {TOKEN}").parse().unwrap())];
        self.get_with(path, HeaderMap::from_iter(token)).await
    }

    async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// Looks until the page says this.
    pub async fn shows(&self, path: &str, text: &str) -> String {
        let seen = async || Some(self.text(path).await).filter(|page| page.contains(text));
        match until(text, SOON, seen).await {
            Ok(page) => page,
            Err(error) => panic!("{error:#}\n{}", self.text(path).await),
        }
    }

    /// Sends a form, with the token or with nothing.
    async fn send(&self, path: &str, is_known: bool, fields: &[(&str, &str)]) -> Response {
        let mut request = self.client.post(format!("{}{path}", self.url));
        if is_known {
            request = request.bearer_auth(TOKEN);
        }
        let request = request.header(CONTENT_TYPE, FORM).body(form(fields));
        request.send().await.unwrap()
    }

    async fn log_in(&self, token: &str) -> Response {
        let login = self.client.post(format!("{}/login?lang=en", self.url));
        login
            .header(CONTENT_TYPE, FORM)
            .body(form(&[("token", token)]))
            .send()
            .await
            .unwrap()
    }
}

async fn start(config: &Path) -> (Sidecar, Browser) {
    add(config, PAGE);
    let sidecar = Sidecar::start(config).await;
    let browser = Browser::at(&sidecar).await;
    (sidecar, browser)
}

#[tokio::test]
async fn the_page_says_whether_there_is_a_problem_and_what_it_is() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let (sidecar, browser) = start(&config).await;

    let first = browser
        .shows("/?lang=es", "Todavía no se sabe de ningún sistema")
        .await;
    assert!(first.contains("Todavía no se envió ningún mensaje."));
    stage.run_ends("consultar-tramite", "ok", "r1").await;
    let well = browser
        .shows("/?lang=en", "<h1>Everything works</h1>")
        .await;
    assert!(
        well.contains("<h2>Critical</h2>") && well.contains("Trámites"),
        "{well}"
    );

    stage.run_ends("consultar-tramite", "failed", "r2").await;
    browser
        .shows(
            "/?lang=en",
            "<h1>One system has just failed; this is being confirmed</h1>",
        )
        .await;
    stage.run_ends("consultar-tramite", "failed", "r3").await;
    let broken = browser
        .shows("/?lang=es", "<h1>Un sistema crítico no se puede usar</h1>")
        .await;
    assert!(
        broken.contains("No se puede usar «Consultar un trámite»"),
        "{broken}"
    );
    let told = browser.shows("/?lang=es", "entregado").await;
    assert!(
        told.contains("Trámites → mail (director@agency.example)"),
        "{told}"
    );

    let (_, after) = broken.split_once("<img src=\"").unwrap();
    let picture = after.split('"').next().unwrap().replace("&amp;", "&");
    let picture = browser.get(&picture).await;
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    assert_eq!(picture.bytes().await.unwrap(), PICTURE.as_slice());
    let (_, after) = broken.split_once("<h3><a href=\"").unwrap();
    let incident = after.split('"').next().unwrap().replace("&amp;", "&");
    let incident = browser.text(&incident).await;
    for said in [
        "Ingresar",
        "tramites.example",
        "Se avisa por «mail»: una ruta lo manda ahí.",
        "entregado",
    ] {
        assert!(incident.contains(said), "{said} is not in\n{incident}");
    }
    assert_eq!(
        browser.get("/incident?id=none").await.status(),
        StatusCode::NOT_FOUND
    );
    // A browser shows words in the place of the picture.
    let none = browser.get("/picture?id=none&lang=es").await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
    assert_eq!(none.headers()["content-type"], "image/svg+xml");
    let none = none.text().await.unwrap();
    assert!(none.contains(">No hay captura</text>"), "{none}");

    stage.run_ends("consultar-tramite", "ok", "r4").await;
    browser
        .shows("/?lang=en", "<h1>Everything works</h1>")
        .await;
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));
}

#[tokio::test]
async fn what_pages_and_points_say_can_do_nothing_on_the_page() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let (_sidecar, browser) = start(&config).await;
    let hostile = r"</p><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}";
    for run_id in ["r1", "r2"] {
        let at = jiff::Timestamp::now().as_nanosecond();
        let point = format!(
            "journey,system=<b>sys</b>,journey=<i>j</i>,probe=<u>p</u>,impact=critical ok=0i,valid=1i,result=\"failed\",run_id=\"{run_id}\",failed_step=\"<s>paso</s>\",error_class=\"script\",error=\"{}\",url=\"javascript:alert(1)\" {at}",
            hostile.replace('"', "\\\""),
        );
        stage.influxdb.write(point).await.unwrap();
    }
    let page = browser
        .shows("/?lang=en", "<h1>One critical system cannot be used</h1>")
        .await;
    let (_, after) = page.split_once("<h3><a href=\"").unwrap();
    let link = after.split('"').next().unwrap().replace("&amp;", "&");
    let incident = browser.text(&link).await;
    for page in [&page, &incident] {
        for tag in [
            "<script",
            "<img src=x",
            "<b>",
            "<i>",
            "<u>",
            "<s>",
            "href=\"javascript",
        ] {
            assert!(!page.contains(tag), "{tag} is in\n{page}");
        }
    }
    assert!(
        incident.contains("&lt;script&gt;alert(1)&lt;"),
        "{incident}"
    );
    assert!(incident.contains("{{ 7*7 }}"), "{incident}");
    let headers = browser.get("/").await.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
}

#[tokio::test]
async fn without_the_token_nothing_is_shown_and_a_login_lasts() {
    let stage = Stage::new().await;
    let config = stage.configure_plain(9);
    let (sidecar, browser) = start(&config).await;
    for path in ["/", "/incident?id=x", "/picture?id=x", "/metrics"] {
        let refused = browser.get_with(path, HeaderMap::new()).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/healthz", "/page.css"] {
        assert_eq!(
            browser.get_with(path, HeaderMap::new()).await.status(),
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(
        browser.log_in("a guess").await.status(),
        StatusCode::FORBIDDEN
    );
    let welcome = browser.log_in(TOKEN).await;
    assert_eq!(welcome.status(), StatusCode::SEE_OTHER);
    assert_eq!(welcome.headers()["location"], "./?lang=en");
    let cookie = welcome.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains(TOKEN),
        "{cookie}"
    );
    let session = cookie.split(';').next().unwrap().parse().unwrap();
    let headers = HeaderMap::from_iter([(reqwest::header::COOKIE, session)]);
    assert_eq!(
        browser.get_with("/", headers).await.status(),
        StatusCode::OK
    );
    assert!(!sidecar.log().contains(TOKEN));
}

/// The value of a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let field = format!("name=\"{name}\" value=\"");
    let (_, after) = page
        .split_once(&field)
        .unwrap_or_else(|| panic!("{name} is not in\n{page}"));
    after.split('"').next().unwrap()
}

#[tokio::test]
async fn a_form_of_the_page_or_a_link_of_a_message_acts_and_nothing_else_does() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    add(
        &config,
        &PAGE.replace(
            "token =",
            "url = \"https://vigia.example\"\nlink_key = \"${secret:PAGE_LINK_KEY}\"\ntoken =",
        ),
    );
    let sidecar = Sidecar::start(&config).await;
    let browser = Browser::at(&sidecar).await;
    for run_id in ["r1", "r2"] {
        stage.run_ends("consultar-tramite", "failed", run_id).await;
    }
    let page = browser.shows("/?lang=en", "/act?do=acknowledge").await;
    let (_, after) = page.split_once("href=\"/act?do=acknowledge").unwrap();
    let address = after.split('"').next().unwrap().replace("&amp;", "&");
    let shown = browser.text(&format!("/act?do=acknowledge{address}")).await;
    let (about, mark) = (hidden(&shown, "about"), hidden(&shown, "mark"));
    let fields = [
        ("do", "acknowledge"),
        ("about", about),
        ("person", "Ana <b>"),
        ("comment", ""),
    ];
    let send = async |is_known, more: &[(&str, &str)]| {
        let fields = [&fields, more].concat();
        let answer = browser.send("/act?lang=en", is_known, &fields).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(send(true, &[]).await.0, 403);
    assert_eq!(send(true, &[("mark", "9999999999.AAAA")]).await.0, 403);
    assert_eq!(send(false, &[("mark", mark)]).await.0, 401);
    assert!(!browser.text("/?lang=en").await.contains("takes care"));
    let (status, done) = send(true, &[("mark", mark)]).await;
    assert!(
        status == 200 && done.contains("Ana &lt;b&gt; takes care of it"),
        "{done}"
    );
    browser
        .shows("/?lang=en", "Ana &lt;b&gt; takes care of it")
        .await;

    // Who has the link of a message needs no token; opening it changes nothing.
    let mail = smtp.wait_for(1).await[0].raw.clone();
    let text = mail.replace("=\r\n", "").replace("=3D", "=");
    let (_, after) = text
        .split_once("Silenciar: https://vigia.example")
        .unwrap_or_else(|| panic!("no link in\n{text}"));
    let link = after.split_whitespace().next().unwrap();
    assert!(text.contains("Me ocupo yo: https://vigia.example/act?do=acknowledge"));
    let opened = browser.get_with(link, HeaderMap::new()).await;
    let opened = opened.text().await.unwrap();
    let (until, signature) = (hidden(&opened, "until"), hidden(&opened, "signature"));
    let about = &hidden(&opened, "about").replace("&#x2f;", "/");
    let changed = link.replace("do=silence", "do=acknowledge");
    assert_eq!(
        browser.get_with(&changed, HeaderMap::new()).await.status(),
        StatusCode::FORBIDDEN
    );
    let fields = [
        ("do", "silence"),
        ("about", about),
        ("until", until),
        ("signature", signature),
        ("person", "Eva"),
        ("for", "4h"),
    ];
    let why = [&fields[..], &[("comment", " ")]].concat();
    let refused = browser.send("/act?lang=es", false, &why).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("Falta el comentario")
    );
    let why = [&fields[..], &[("comment", "cambio de disco")]].concat();
    // It would mute every critical system, were it not for one more.
    let at = jiff::Timestamp::now();
    stage
        .influxdb
        .write(run("otro", "ok", "r3", at))
        .await
        .unwrap();
    let point = run("otro", "ok", "r4", at).replace("system=tramites", "system=pagos");
    stage.influxdb.write(point).await.unwrap();
    browser.shows("/?lang=en", "Pagos").await;
    let silenced = browser.send("/act?lang=es", false, &why).await;
    let text = silenced.text().await.unwrap();
    assert!(text.contains("Silenciado por Eva"), "{text}");
    browser.shows("/?lang=es", "Eva: cambio de disco").await;
}

/// Where a link of a message leads to, here.
fn here(address: &str) -> &str {
    address.strip_prefix("https://vigia.example").unwrap()
}

#[tokio::test]
async fn who_has_the_link_of_a_picture_sees_that_picture_and_nothing_else() {
    let stage = Stage::new().await;
    let slack = Service::start(services::Kind::Slack).await;
    let config = stage.configure_plain(9);
    let hook = format!("{}{}", slack.address, services::slack::WEBHOOK);
    let text = fs::read_to_string(&config).unwrap();
    let (before, after) = text.split_once("email = ").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    let text = format!("{before}slack_webhook = {{ url = \"{hook}\" }}\n{after}");
    fs::write(&config, text).unwrap();
    add(
        &config,
        &PAGE.replace(
            "token =",
            "url = \"https://vigia.example\"\nlink_key = \"${secret:PAGE_LINK_KEY}\"\ntoken =",
        ),
    );
    let sidecar = Sidecar::start(&config).await;
    let browser = Browser::at(&sidecar).await;
    for (run_id, result) in [("r1", "ok"), ("r2", "failed"), ("r3", "failed")] {
        stage.run_ends("consultar-tramite", result, run_id).await;
    }
    let opened = slack.wait_for(1).await[0].linked.clone();
    stage.run_ends("consultar-tramite", "ok", "r4").await;
    let closed = slack.wait_for(2).await[1].linked.clone();

    let get = async |address: &str| {
        let answer = browser.get_with(address, HeaderMap::new()).await;
        let status = answer.status().as_u16();
        (status, answer.bytes().await.unwrap())
    };
    assert_eq!((opened.len(), closed.len()), (2, 1));
    for (address, _) in opened.iter().chain(&closed) {
        let (status, bytes) = get(here(address)).await;
        assert_eq!((status, &bytes[..]), (200, &PICTURE[..]), "{address}");
    }
    let (failed, before) = (here(&opened[0].0), here(&opened[1].0));
    for changed in [
        failed.replace("picture=failed", "picture=restored"),
        before.replace("picture=before", "picture=failed"),
        failed.replace("about=", "about=x"),
    ] {
        assert_eq!(get(&changed).await.0, 403, "{changed}");
    }
    for incomplete in ["/shown", &failed.replace("picture=failed", "picture=all")] {
        assert_eq!(get(incomplete).await.0, 404, "{incomplete}");
    }

    let key = super::sidecar::LINK_KEY.into();
    let signer = Signer::new("https://vigia.example", &key, Duration::from_hours(1));
    let now = jiff::Timestamp::now();
    let link = |about: &str, at| signer.address(Purpose::Show(Shown::Failed), about, at);
    assert_eq!(get(here(&link("no-incident", now))).await.0, 404);
    let old = now - Duration::from_hours(2);
    assert_eq!(get(here(&link("no-incident", old))).await.0, 410);
    // What `vigia-alert test` sends is no incident.
    let (status, bytes) = get(here(&link("vigia-test.1", now))).await;
    assert!(status == 200 && bytes.starts_with(b"\x89PNG"), "{status}");
}

/// Counts who asks it for anything.
async fn switch() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a-secret-path", listener.local_addr().unwrap());
    let beats = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&beats);
    let router = axum::Router::new().fallback(async move || {
        counted.fetch_add(1, Ordering::SeqCst);
        "OK"
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, beats)
}

#[tokio::test]
async fn it_says_ready_and_its_heart_beats_only_while_it_sees() {
    let stage = Stage::new().await;
    let (url, beats) = switch().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    add(
        &config,
        &format!("[heartbeat]\nurl = \"{url}\"\nevery = \"100ms\"\n"),
    );
    let (sidecar, browser) = start(&config).await;
    browser.shows("/readyz", "ready").await;
    let beaten = async || (beats.load(Ordering::SeqCst) > 3).then_some(());
    until("the heart to beat", SOON, beaten).await.unwrap();
    let metrics = browser.shows("/metrics", "vigia_alert_ready 1").await;
    for line in [
        "vigia_alert_rule_questions_total{rule=\"journeys-failed\",answer=\"answered\"}",
        "vigia_alert_incidents_open{impact=\"critical\"} 0",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }

    stage.influxdb.stop().await.unwrap();
    browser
        .shows(
            "/readyz",
            "the rule `journeys-failed` has had no answer since",
        )
        .await;
    assert_eq!(
        browser.get("/readyz").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(browser.get("/healthz").await.status(), StatusCode::OK);
    sidecar.wait_for_log("the heartbeat does not beat").await;
    let before = beats.load(Ordering::SeqCst);
    browser
        .shows("/?lang=en", "<h1>The monitoring is blind</h1>")
        .await;
    assert_eq!(beats.load(Ordering::SeqCst), before);
    assert!(!sidecar.log().contains("a-secret-path"));
}
