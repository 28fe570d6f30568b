//! Pages for the mouse: served with what comes late, walked by a journey with one step a page.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use crate::running::{Run, Running, Setting, browser_table};

/// A font whose letters are twice as wide as they are high, made for these tests.
const WIDE_FONT: &[u8] = include_bytes!("fonts/wide.ttf");

/// How much later a picture and a font come than what names them.
const LATE: Duration = Duration::from_millis(400);

/// Serves these pages on two sites, `127.0.0.1` and `localhost`, as long as the test runs. In a page, `PORT` stands for the
/// port. `/late.svg` is a picture 300 pixels high, `/late.ttf` a font of wide letters; both take their time.
pub fn serve(pages: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(&stream.unwrap(), pages, port));
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn answer(mut stream: &TcpStream, pages: &[(&str, &str)], port: u16) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else {
        return;
    };
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let (status, kind, body) = match path {
        "/late.svg" => {
            std::thread::sleep(LATE);
            let picture = "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='300'/>";
            ("200 OK", "image/svg+xml", picture.as_bytes().to_vec())
        }
        "/late.ttf" => {
            std::thread::sleep(LATE);
            ("200 OK", "font/ttf", WIDE_FONT.to_vec())
        }
        _ => match pages.iter().find(|(known, _)| *known == path) {
            Some((_, page)) => {
                let page = page.replace("PORT", &port.to_string());
                ("200 OK", "text/html; charset=utf-8", page.into_bytes())
            }
            None => ("404 Not Found", "text/html", Vec::new()),
        },
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .ok();
    stream.write_all(&body).ok();
}

/// Opens the page and does these actions, each at most 3 seconds long.
pub fn walk(page: &'static str, actions: &str) -> Run {
    walk_site(Box::leak(Box::new([("/", page)])), actions)
}

/// The same with more than one page; the first is opened at `/`.
pub fn walk_site(pages: &'static [(&'static str, &'static str)], actions: &str) -> Run {
    let journey = format!(
        r#"
system = "paginas"
name = "raton"
impact = "low"
every = "24h"
timeout = "55s"
action_timeout = "3s"
[variables]
portal = "https://t.example"
[[step]]
name = "Usar"
actions = [{{ goto = "${{portal}}/" }}, {actions}]
"#
    );
    let setting = Setting::new(&journey, &serve(pages), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run();
    probe.stop();
    run
}

/// The journey is ok.
pub fn expect_ok(page: &'static str, actions: &str) {
    expect_site_ok(Box::leak(Box::new([("/", page)])), actions);
}

/// The journey is ok.
pub fn expect_site_ok(pages: &'static [(&'static str, &'static str)], actions: &str) {
    let run = walk_site(pages, actions);
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

/// The journey has failed so.
pub fn expect_failed(page: &'static str, actions: &str, error_class: &str, error: &str) {
    expect_site_failed(
        Box::leak(Box::new([("/", page)])),
        actions,
        error_class,
        error,
    );
}

/// The journey has failed so.
pub fn expect_site_failed(
    pages: &'static [(&'static str, &'static str)],
    actions: &str,
    error_class: &str,
    error: &str,
) {
    let journey = walk_site(pages, actions).journey;
    assert_eq!(
        journey.text("error_class"),
        Some(error_class),
        "{}",
        journey.0
    );
    let told = journey.text("error").unwrap();
    assert!(told.starts_with(error), "told: {told}");
}
