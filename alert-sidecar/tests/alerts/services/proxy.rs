//! A forward proxy as organisations have them: `CONNECT` for what is encrypted, whole addresses for what is not, and a
//! login if wanted. It remembers what it was asked for.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

const LONGEST_HEAD_BYTES: usize = 64 * 1024;

/// A running proxy. Dropped, it is gone.
pub struct Proxy {
    /// Without a slash at the end.
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Starts one that lets those through who name this user and password, if any.
    pub async fn start(login: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let login = login.map(|(name, password)| {
            let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
            format!("basic {pair}")
        });
        let memory = Arc::clone(&asked);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, Arc::clone(&memory), login.clone()));
            }
        });
        Self {
            address,
            asked,
            server,
        }
    }

    /// What it let through, for example `CONNECT localhost:443` or `POST http://localhost:80/path`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves one connection; one that is not encrypted is for one request, which is what `Connection: close` says.
async fn pass(
    mut stream: TcpStream,
    asked: Arc<Mutex<Vec<String>>>,
    login: Option<String>,
) -> std::io::Result<()> {
    let (head, begun) = read_head(&mut stream).await?;
    let mut lines = head.lines();
    let request = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let shown = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then_some(value)
    });
    let is_let_in = login.as_deref().is_none_or(|login| {
        let (kind, pair) = login.split_once(' ').unwrap_or_default();
        let shown = shown.and_then(|shown| shown.split_once(' '));
        shown.is_some_and(|shown| shown.0.eq_ignore_ascii_case(kind) && shown.1 == pair)
    });
    if !is_let_in {
        let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"testbed\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return stream.write_all(answer).await;
    }
    let mut words = request.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    asked.lock().unwrap().push(format!("{method} {target}"));
    if method == "CONNECT" {
        let mut server = TcpStream::connect(target).await?;
        stream
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        copy_bidirectional(&mut stream, &mut server).await?;
        return Ok(());
    }
    let Ok(url) = Url::parse(target) else {
        return stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            .await;
    };
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let mut server = TcpStream::connect((host, port)).await?;
    let path = &url[url::Position::BeforePath..];
    let kept: Vec<&str> = headers
        .into_iter()
        .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"))
        .collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n",
        kept.join("\r\n")
    );
    server.write_all(head.as_bytes()).await?;
    server.write_all(&begun).await?;
    copy_bidirectional(&mut stream, &mut server).await?;
    Ok(())
}

/// The head without its last line feeds, and what came behind it.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            return Ok((head, read.split_off(end + 4)));
        }
        if read.len() > LONGEST_HEAD_BYTES || stream.read_buf(&mut read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use vigia_testbed::tls::Authority;

    use super::super::{Kind, Proxy, Service, client, telegram};

    async fn ask(service: &Service, proxy: &str, authority: &Authority) -> Result<u16, String> {
        drop(client());
        let certificate = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .proxy(reqwest::Proxy::all(proxy).unwrap())
            .tls_certs_merge([certificate])
            .build()
            .unwrap();
        let address = format!("{}/bot{}/getMe", service.address, telegram::TOKEN);
        let answer = client.get(address).send().await;
        answer
            .map(|answer| answer.status().as_u16())
            .map_err(|error| format!("{error:?}"))
    }

    #[tokio::test]
    async fn a_service_is_reached_through_it_encrypted_or_not() {
        let authority = Authority::new().unwrap();
        let proxy = Proxy::start(Some(("vigia", "testbed"))).await;
        let with_login = proxy.address.replace("//", "//vigia:testbed@");
        let bare = Service::start(Kind::Telegram).await;
        assert_eq!(ask(&bare, &with_login, &authority).await, Ok(404));
        assert_eq!(ask(&bare, &proxy.address, &authority).await, Ok(407));
        let encrypted = Service::start_with_tls(Kind::Telegram, &authority).await;
        assert_eq!(ask(&encrypted, &with_login, &authority).await, Ok(404));
        let asked = proxy.asked();
        assert_eq!(asked.len(), 2);
        assert!(asked[0].starts_with("GET http://localhost:"), "{asked:?}");
        assert!(asked[1].starts_with("CONNECT localhost:"), "{asked:?}");

        let stranger = Authority::new().unwrap();
        let refused = ask(&encrypted, &with_login, &stranger).await.unwrap_err();
        assert!(refused.contains("InvalidCertificate"), "{refused}");
    }
}
