//! Pages that do harm: the run ends inside its deadline with the right outcome, the other journeys run on, and afterwards
//! there is no more of anything than before.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use vigia_testbed::portal::Portal;

use crate::{
    census::Census,
    running::{JOURNEY, Point, Running, Setting, browser_table, members, until},
};

/// What the hostile journey may take in all, by its own file.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What comes on top of it at the worst: the look whether the browser hangs, and a picture of a page that cannot draw.
const MARGIN: Duration = Duration::from_secs(10);

/// Walks `actions` on the page, beside a good journey, and returns what was told. `meanwhile` is called when the page has
/// been asked for.
async fn walk(
    page: &'static str,
    actions: &str,
    action_timeout: Duration,
    meanwhile: impl FnOnce(&Setting) + Send + 'static,
) -> Point {
    let portal = Portal::start().await.unwrap();
    let (address, asked) = serve(page);
    let good = JOURNEY
        .replace("every = \"24h\"", "every = \"5s\"")
        .replace("action_timeout = \"3s\"", "action_timeout = \"20s\"");
    let setting = Setting::new(
        &good,
        portal.url(),
        &format!("max_concurrent = 2\n{}", browser_table()),
    );
    setting.add_journey(
        "hostil",
        &hostile_journey(&address, actions, action_timeout),
    );
    tokio::task::spawn_blocking(move || {
        let mut probe = Running::start(&setting);
        let (first, _) = probe.run_of("consultar-tramite");
        assert!(is_well(&first.journey), "{}", first.journey.0);
        let before = Census::at_rest(probe.id(), &setting);

        let began = Instant::now();
        probe.ask_for_points();
        asked.recv().expect("the page to be asked for");
        meanwhile(&setting);
        let (hostile, others) = probe.run_of("hostil");

        assert!(
            began.elapsed() < TIMEOUT + MARGIN,
            "it took {:?}",
            began.elapsed()
        );
        let (after, _) = probe.run_of("consultar-tramite");
        for other in others.iter().chain([&after]) {
            assert!(is_well(&other.journey), "{}", other.journey.0);
        }
        before.comes_back(probe.id(), &setting);
        let (status, _, stderr) = probe.stop();
        assert!(status.success(), "{stderr}");
        assert_eq!(setting.browser_groups(), Vec::<i32>::new());
        assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
        drop(portal);
        hostile.journey
    })
    .await
    .unwrap()
}

fn is_well(journey: &Point) -> bool {
    matches!(journey.text("result"), Some("ok" | "slow"))
}

fn hostile_journey(address: &str, actions: &str, action_timeout: Duration) -> String {
    format!(
        r#"
system = "paginas"
name = "hostil"
impact = "low"
every = "24h"
timeout = "{}s"
action_timeout = "{}s"
[[step]]
name = "Abrir"
actions = [{{ goto = "{address}/" }}, {actions}]
"#,
        TIMEOUT.as_secs(),
        action_timeout.as_secs(),
    )
}

/// What a page that is given up after a while gets for an action.
const SHORT: Duration = Duration::from_secs(3);

/// What a page that has much to do gets: also on a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(25);

/// `result`, `error_class`, a part of `error`.
type Told = (&'static str, Option<&'static str>, &'static str);

/// Walks a page that never does what it should and holds what is told against what should be.
async fn expect_failed(
    page: &'static str,
    actions: &str,
    error_class: &'static str,
    error: &'static str,
) {
    let told = walk(page, actions, SHORT, |_| {}).await;
    assert_told(&told, ("failed", Some(error_class), error));
}

/// Walks a page that has much to do.
async fn check_patiently(page: &'static str, actions: &str, should: Told) {
    let told = walk(page, actions, LONG, |_| {}).await;
    assert_told(&told, should);
}

fn assert_told(told: &Point, (result, error_class, error): Told) {
    assert_eq!(told.text("result"), Some(result), "{}", told.0);
    assert_eq!(told.text("error_class"), error_class, "{}", told.0);
    let words = told.text("error").unwrap_or_default();
    assert!(words.contains(error), "{words}");
}

/// Serves the page, and at other paths what no page should do; says when the page is asked for the first time.
fn serve(page: &'static str) -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let asked = asked.clone();
            std::thread::spawn(move || {
                // It fails where the browser is gone: that is the test's matter.
                answer(stream.unwrap(), page, &asked).ok();
            });
        }
    });
    (format!("http://{address}"), receiver)
}

fn answer(
    stream: TcpStream,
    page: &str,
    asked: &std::sync::mpsc::Sender<()>,
) -> std::io::Result<()> {
    let mut head = [0; 16];
    stream.peek(&mut head)?;
    if head.starts_with(b"GET /socket") {
        return keep_busy(stream);
    }
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let mut stream = &stream;
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
    match request.split(' ').nth(1).unwrap_or_default() {
        "/" => {
            asked.send(()).ok();
            write!(stream, "{html}Content-Length: {}\r\n\r\n{page}", page.len())
        }
        "/elsewhere" => write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        "/endless" => {
            write!(stream, "{html}\r\n<p>")?;
            loop {
                // Until the browser hangs up.
                stream.write_all(&[b'x'; 4096])?;
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        path if path.starts_with("/again") => {
            let again = "<script>location.replace('/again?' + Math.random())</script>";
            write!(stream, "{html}\r\n{again}")
        }
        "/refresh" => write!(stream, "{html}\r\n<meta http-equiv=refresh content=0>"),
        _ => write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
    }
}

/// A web socket that is never quiet.
fn keep_busy(stream: TcpStream) -> std::io::Result<()> {
    let mut socket = tungstenite::accept(stream).map_err(std::io::Error::other)?;
    loop {
        socket
            .send(tungstenite::Message::text("x".repeat(1000)))
            .map_err(std::io::Error::other)?;
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_alerts_are_told_as_a_dialog() {
    expect_failed(
        "<p>x</p><button onclick=\"for (;;) alert('Sesión vencida')\">Enviar</button>",
        r#"{ click = "text=Enviar" }"#,
        "dialog",
        "`Sesión vencida`",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_alerts_before_the_load_are_told_as_a_dialog() {
    expect_failed(
        "<p>x</p><script>for (;;) alert('Sesión vencida')</script>",
        r#"{ expect = { text = "x" } }"#,
        "dialog",
        "`Sesión vencida`",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_in_the_page_is_a_timeout_of_the_system() {
    expect_failed(
        "<p>x</p><script>setTimeout(() => { for (;;); }, 100)</script>",
        r#"{ wait = "300ms" }, { expect = { text = "Nunca" } }"#,
        "timeout",
        "the page does not respond",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_before_the_load_is_a_timeout_of_the_system() {
    expect_failed(
        "<p>x</p><script>for (;;);</script>",
        r#"{ expect = { text = "x" } }"#,
        "timeout",
        "did not finish loading in time",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_redirects_to_itself_is_told() {
    expect_failed(
        "<script>location = '/elsewhere'</script>",
        r#"{ expect = { text = "Nunca" } }"#,
        "http_status",
        "ERR_TOO_MANY_REDIRECTS",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_replaces_itself_by_script_for_ever_fails() {
    let told = walk(
        "<script>location = '/again'</script>",
        r#"{ expect = { text = "Nunca" } }"#,
        SHORT,
        |_| {},
    )
    .await;
    assert_eq!(told.text("result"), Some("failed"), "{}", told.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_refreshes_itself_for_ever_fails() {
    let told = walk(
        "<script>location = '/refresh'</script>",
        r#"{ expect = { text = "Nunca" } }"#,
        SHORT,
        |_| {},
    )
    .await;
    assert_eq!(told.text("result"), Some("failed"), "{}", told.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_never_ends_is_a_timeout_of_the_system() {
    expect_failed(
        "<script>location = '/endless'</script>",
        r#"{ expect = { text = "Nunca" } }"#,
        "timeout",
        "in time",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_nodes_are_walked_as_any_page() {
    check_patiently(
        "<script>
           let html = '';
           for (let i = 0; i < 5000; i++) html += `<div><label>Campo ${i}<input></label><button>Ver ${i}</button></div>`;
           document.write(html);
         </script><p id=o></p><button onclick=\"o.textContent = 'Hecho'\">Enviar</button>",
        r#"{ fill = { field = "label=Campo 4999", with = "x" } }, { click = "role=button[name='Enviar']" }, { expect = { text = "Hecho" } }"#,
        ("ok", None, ""),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_is_missing_among_twenty_thousand_is_told() {
    check_patiently(
        "<script>
           let html = '';
           for (let i = 0; i < 4000; i++) html += `<div><span>Trámite <b>${i}</b></span><p>Detalle</p></div>`;
           for (let i = 0; i < 2000; i++) html += `<button>Ver ${i}</button>`;
           document.write(html);
         </script>",
        r#"{ click = "role=button[name='Enviar']" }"#,
        (
            "failed",
            Some("element_missing"),
            "`role=button[name='Enviar']` matched nothing; there are",
        ),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_that_is_never_quiet_holds_nothing_up() {
    check_patiently(
        "<p id=o></p><script>
           let count = 0;
           new WebSocket(`ws://${location.host}/socket`).onmessage = message => {
             message.target.send(message.data);
             if (++count === 500) o.textContent = 'Conectado';
           };
         </script>",
        r#"{ expect = { text = "Conectado" } }"#,
        ("ok", None, ""),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_draws_without_a_graphics_card_is_walked_as_any_page() {
    check_patiently(
        "<canvas id=c></canvas><canvas id=g></canvas><p id=o></p><script>
           c.getContext('2d').fillRect(0, 0, 50, 50);
           const gl = g.getContext('webgl2') || g.getContext('webgl');
           if (gl) { gl.clearColor(1, 0, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT); }
           o.textContent = 'Dibujado';
         </script>",
        r#"{ expect = { text = "Dibujado" } }"#,
        ("ok", None, ""),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_process_is_killed_is_unmeasured() {
    // By its size it is told from those of other journeys, which may run at this moment.
    let large = "<p>x</p><script>window.large = new Uint8Array(300e6).fill(1)</script>";
    let told = walk(large, r#"{ wait = "20s" }"#, LONG, |setting| {
        let mut page = None;
        until("the page's process", || {
            let mut renderers = renderers(setting).into_iter();
            page = renderers.find(|renderer| resident_bytes(*renderer) > 250_000_000);
            page.is_some()
        });
        kill_process(page.unwrap(), Signal::KILL).unwrap();
    })
    .await;
    assert_told(
        &told,
        (
            "unmeasured",
            Some("crash"),
            "the page's process crashed: it was ended by signal 9",
        ),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_takes_memory_without_end_fails() {
    // It ends at V8's own limit, 4 GB.
    check_patiently(
        "<p>x</p><script>
           setTimeout(() => { const all = []; for (;;) all.push(new Array(1e7).fill(1.5)); }, 100);
         </script>",
        r#"{ wait = "50s" }"#,
        (
            "failed",
            Some("crash"),
            "it took more memory than a page may have",
        ),
    )
    .await;
}

/// Proc's `statm` counts pages of 4 kB.
fn resident_bytes(process: Pid) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64) * 4096
}

fn renderers(setting: &Setting) -> Vec<Pid> {
    let processes = setting.browser_groups().into_iter().flat_map(members);
    processes
        .filter(|process| {
            let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("--type=renderer")
        })
        .filter_map(Pid::from_raw)
        .collect()
}
