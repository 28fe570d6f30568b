//! A server that answers, byte for byte, what a test wants to be answered.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};

use crate::running::{Point, Run, Running, Setting, browser_table};

/// What a request gets.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A page, after so many milliseconds.
    Page(u64, String),
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection without a word.
    End,
    /// The connection is torn down.
    Reset,
}

impl Reply {
    /// A page, at once.
    pub fn page(html: impl Into<String>) -> Self {
        Self::Page(0, html.into())
    }

    /// A status line with headers, each ended by a line feed, and a body.
    pub fn raw(head: &str, body: &str) -> Self {
        let head = head.replace('\n', "\r\n");
        Self::Bytes(format!("HTTP/1.1 {head}\r\n\r\n{body}").into_bytes())
    }
}

/// Serves as long as the test runs; the address has no slash at the end. Each connection is one request.
pub fn serve(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reply = Arc::new(reply);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let reply = Arc::clone(&reply);
            // A browser that gives up is no matter here.
            std::thread::spawn(move || answer(stream.unwrap(), &*reply).ok());
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, reply: &dyn Fn(&str) -> Reply) -> std::io::Result<()> {
    let mut request = [0; 8192];
    let length = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..length]);
    let path = request.split(' ').nth(1).unwrap_or_default();
    match reply(path) {
        Reply::Page(delay_ms, html) => {
            std::thread::sleep(Duration::from_millis(delay_ms));
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{html}",
                html.len()
            )
        }
        Reply::Bytes(bytes) => stream.write_all(&bytes),
        Reply::End => Ok(()),
        Reply::Reset => rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))
            .map_err(Into::into),
    }
}

/// A journey of one step with these actions; the site is `${portal}`.
pub fn journey(actions: &str) -> String {
    format!(
        "system = \"paginas\"\nname = \"medida\"\nimpact = \"low\"\nevery = \"24h\"\ntimeout = \"20s\"\naction_timeout = \"3s\"\n[variables]\nportal = \"https://t.example\"\n[[step]]\nname = \"Usar\"\nactions = [{actions}]\n"
    )
}

/// Walks these actions once and gives the run and its `journey_page` points.
pub fn walk(site: &str, actions: &str) -> (Run, Vec<Point>) {
    walk_journey(site, &journey(actions))
}

/// Walks it once and gives the run and its `journey_page` points.
pub fn walk_journey(site: &str, journey: &str) -> (Run, Vec<Point>) {
    let setting = Setting::new(journey, site, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let (_, rest, _) = probe.stop();
    let pages = rest
        .into_iter()
        .filter(|point| point.measurement() == "journey_page")
        .collect();
    (run, pages)
}
