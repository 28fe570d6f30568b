//! A site with many ways through it, and journeys on it, all in one probe: each comes to what its case says.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

use crate::running::{Point, Running, Setting, browser_table};

/// A journey that opens `page` and does `actions`, and what it must come to: nothing where it is ok, or the class and the
/// beginning of the error. `PORT` in either is the site's.
pub struct Case {
    /// What is told when it is not so; also the journey's name: a slug.
    pub name: &'static str,
    /// What the site shows at `/`.
    pub page: &'static str,
    /// As they stand in the file.
    pub actions: &'static str,
    /// What becomes of it.
    pub becomes: Result<(), (&'static str, &'static str)>,
}

/// Walks all of them and returns their points, in the order of the cases.
pub fn check(cases: &[Case], more_pages: &[(&str, &str)]) -> Vec<Point> {
    let mut pages: Vec<(String, String)> = more_pages
        .iter()
        .map(|(path, page)| ((*path).to_owned(), (*page).to_owned()))
        .collect();
    pages.extend(
        cases
            .iter()
            .map(|case| (format!("/{}", case.name), case.page.to_owned())),
    );
    let portal = serve(pages);
    let port = portal.rsplit_once(':').unwrap().1;
    // A run that waits too long for its slot is missed: a starved machine gets few at once.
    let points: Vec<Point> = cases
        .chunks(6)
        .flat_map(|cases| walk(cases, &portal, port))
        .collect();
    let mut in_order = Vec::new();
    let mut wrong = Vec::new();
    for case in cases {
        let of_case = |point: &&Point| point.tag("journey").as_deref() == Some(case.name);
        let point = points.iter().find(of_case).unwrap();
        let told = (
            point.text("error_class").unwrap_or_default(),
            point.text("error").unwrap_or_default(),
        );
        let as_it_should = match case.becomes {
            Ok(()) => point.integer("ok") == Some(1),
            Err((class, error)) => {
                told.0 == class && told.1.starts_with(&error.replace("PORT", port))
            }
        };
        if !as_it_should {
            wrong.push(format!("{}: {told:?}", case.name));
        }
        in_order.push(Point(point.0.clone()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    in_order
}

fn walk(cases: &[Case], portal: &str, port: &str) -> Vec<Point> {
    let setting = Setting::new(&journey(&cases[0], port), portal, browser_table());
    for case in &cases[1..] {
        let path = setting.path().join(format!("journeys/{}.toml", case.name));
        fs::write(path, journey(case, port)).unwrap();
    }
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let points = cases.iter().map(|_| probe.next("journey")).collect();
    probe.stop();
    points
}

fn journey(case: &Case, port: &str) -> String {
    // Only what is to be late need not be waited for long.
    let late = case.becomes.is_err();
    let action_timeout = if late { "3s" } else { "15s" };
    format!(
        r#"
system = "paginas"
name = "{name}"
impact = "low"
every = "24h"
timeout = "40s"
action_timeout = "{action_timeout}"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/{name}" }}]
[[step]]
name = "Usar"
actions = [{actions}]
"#,
        name = case.name,
        actions = case.actions.replace("PORT", port)
    )
}

/// Serves these pages and, at addresses of their own, what is no page.
pub fn serve(pages: Vec<(String, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pages: &'static [(String, String)] = Box::leak(pages.into_boxed_slice());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(&stream.unwrap(), pages));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream, pages: &[(String, String)]) {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    if reader.read_line(&mut request).is_err() {
        return;
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok();
    let known = path.split('?').next().unwrap_or_default();
    let page = pages.iter().find(|(known_path, _)| known_path == known);
    let (head, page) = match known {
        "/never" => {
            // Until the browser gives up.
            reader.read_line(&mut request).ok();
            return;
        }
        "/nothing" => ("204 No Content", ""),
        "/broken" => ("500 Internal Server Error", "<h1>Error</h1>"),
        "/file" => (
            "200 OK\r\nContent-Disposition: attachment; filename=a.bin",
            "datos",
        ),
        "/receive" => ("303 See Other\r\nLocation: /second", ""),
        _ => match page {
            Some((_, page)) => ("200 OK", page.as_str()),
            None => ("404 Not Found", ""),
        },
    };
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
    .ok();
}
