//! A mail server that does what a test tells it to, and remembers what it was given.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use vigia_testbed::until::until;

/// What the server does with one mail; after the script is done it accepts.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Answers this to `RCPT TO`.
    AnswerRecipient(&'static str),
    /// Answers `RCPT TO` only when it is told to by [`ScriptedSmtp::go_on`].
    HoldRecipient,
    /// Answers this after the mail.
    AnswerMail(&'static str),
    /// Takes the mail and hangs up without a word.
    HangUpAfterMail,
    /// Takes the mail and never says anything.
    StaySilentAfterMail,
}

/// A mail that the server was given whole, whatever it answered.
#[derive(Clone, Debug)]
pub struct Received {
    pub recipient: String,
    pub raw: String,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.raw.split("\r\n\r\n").next()?;
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

#[derive(Debug, Default)]
struct Memory {
    script: VecDeque<Act>,
    mails: Vec<Received>,
    commands: Vec<String>,
}

pub struct ScriptedSmtp {
    pub port: u16,
    memory: Arc<Mutex<Memory>>,
    held: Arc<Notify>,
    server: JoinHandle<()>,
}

impl ScriptedSmtp {
    pub async fn start(script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory {
            script: script.iter().copied().collect(),
            ..Memory::default()
        }));
        let shared = Arc::clone(&memory);
        let held = Arc::new(Notify::new());
        let gate = Arc::clone(&held);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared), Arc::clone(&gate)));
            }
        });
        Self {
            port,
            memory,
            held,
            server,
        }
    }

    /// Lets the server answer what it holds.
    pub fn go_on(&self) {
        self.held.notify_one();
    }

    /// Waits until the server was sent a command that begins so.
    pub async fn wait_for_command(&self, beginning: &str) {
        let within = Duration::from_secs(20);
        until(beginning, within, async || {
            let commands = self.commands();
            commands
                .iter()
                .any(|command| command.starts_with(beginning))
                .then_some(())
        })
        .await
        .unwrap();
    }

    pub fn mails(&self) -> Vec<Received> {
        self.memory.lock().unwrap().mails.clone()
    }

    pub fn commands(&self) -> Vec<String> {
        self.memory.lock().unwrap().commands.clone()
    }

    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} mails");
        let within = Duration::from_secs(20);
        until(&what, within, async || {
            Some(self.mails()).filter(|mails| mails.len() >= count)
        })
        .await
        .unwrap()
    }
}

impl Drop for ScriptedSmtp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A client that goes away in the middle ends the conversation; that is what the tests do to it.
async fn converse(
    stream: TcpStream,
    memory: Arc<Mutex<Memory>>,
    held: Arc<Notify>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut recipient = String::new();
    stream.write_all(b"220 scripted\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        memory.lock().unwrap().commands.push(command.clone());
        let verb = command
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-scripted\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
            "RCPT" => {
                recipient = command
                    .split(['<', '>'])
                    .nth(1)
                    .unwrap_or_default()
                    .to_owned();
                let (answer, is_held) = next_answer(&memory);
                if is_held {
                    held.notified().await;
                }
                answer
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let raw = read_mail(&mut stream).await?;
                let act = {
                    let mut memory = memory.lock().unwrap();
                    memory.mails.push(Received {
                        recipient: recipient.clone(),
                        raw,
                    });
                    memory.script.pop_front()
                };
                match act {
                    Some(Act::HangUpAfterMail) => return Ok(()),
                    Some(Act::StaySilentAfterMail) => std::future::pending().await,
                    Some(Act::AnswerMail(answer)) => answer,
                    Some(Act::AnswerRecipient(_) | Act::HoldRecipient) | None => "250 taken",
                }
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => "250 good",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// The answer to `RCPT TO`, and whether it waits.
fn next_answer(memory: &Mutex<Memory>) -> (&'static str, bool) {
    let mut memory = memory.lock().unwrap();
    match memory.script.front() {
        Some(Act::AnswerRecipient(answer)) => {
            let answer = *answer;
            memory.script.pop_front();
            (answer, false)
        }
        Some(Act::HoldRecipient) => {
            memory.script.pop_front();
            ("250 good", true)
        }
        _ => ("250 good", false),
    }
}

async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        let start = mail.len();
        if stream.read_line(&mut mail).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if &mail[start..] == ".\r\n" {
            mail.truncate(start);
            return Ok(mail);
        }
    }
}
