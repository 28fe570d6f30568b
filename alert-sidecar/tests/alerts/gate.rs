//! Stands before a real InfluxDB, lets everything through, and on demand does what an InfluxDB or a proxy does on a bad day.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use vigia_testbed::until::until;

/// What it does with whoever asks.
#[derive(Clone, Debug)]
pub enum Act {
    /// Lets them through.
    Pass,
    /// Hangs up.
    HangUp,
    /// Says nothing.
    StaySilent,
    /// Answers this, as it goes over the wire, and hangs up.
    Answer(String),
}

impl Act {
    /// An answer with this status line, these headers and this body.
    pub fn answer(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Answer(format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }
}

pub struct Gate {
    pub port: u16,
    act: watch::Sender<Act>,
    asked: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Gate {
    /// Opens it before the server at this address.
    pub async fn start(url: &str) -> Self {
        let upstream = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (act, acts) = watch::channel(Act::Pass);
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, acts, asked) = (upstream.clone(), acts.clone(), counted.clone());
                tokio::spawn(serve(stream, upstream, acts, asked));
            }
        });
        Self {
            port,
            act,
            asked,
            server,
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on; whoever is inside is put out.
    pub fn act(&self, act: Act) {
        self.act.send_replace(act);
    }

    /// How many requests were not let through.
    pub fn turned_away(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub async fn wait_to_turn_away(&self, count: usize) {
        let wanted = self.turned_away() + count;
        let seen = async || (self.turned_away() >= wanted).then_some(());
        until("requests to be turned away", Duration::from_secs(20), seen)
            .await
            .unwrap();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A client that goes away in the middle ends the conversation.
async fn serve(
    mut stream: TcpStream,
    upstream: String,
    mut acts: watch::Receiver<Act>,
    asked: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let act = acts.borrow_and_update().clone();
    if !matches!(act, Act::Pass) {
        asked.fetch_add(1, Ordering::SeqCst);
    }
    match act {
        Act::Pass => {
            let mut inside = TcpStream::connect(upstream).await?;
            tokio::select! {
                copied = copy_bidirectional(&mut stream, &mut inside) => copied.map(drop),
                _ = acts.changed() => Ok(()),
            }
        }
        Act::HangUp => Ok(()),
        Act::StaySilent => {
            drop(acts.changed().await);
            Ok(())
        }
        Act::Answer(answer) => {
            read_request(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
    }
}

/// The whole of it, or the client would see a connection reset in place of the answer.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if body.len() >= length {
            return Ok(());
        }
    }
}
