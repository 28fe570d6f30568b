//! When the program is told to do something from outside: Telegraf's end of stdin, and signals.

use std::io::BufRead;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// What Telegraf or the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A line on stdin: points, now.
    Points,
    /// The end of stdin, or a signal: an end within 4 s.
    Stop,
}

/// Listens on stdin and for SIGTERM and SIGINT.
pub fn wishes() -> std::io::Result<mpsc::UnboundedReceiver<Wish>> {
    let (wishes, receiver) = mpsc::unbounded_channel();
    let from_stdin = wishes.clone();
    // A thread of its own: a read of stdin cannot be given up, and must not keep the runtime from ending.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || from_stdin.send(Wish::Points).is_err() {
                break;
            }
        }
        // Nobody listens any more when the program is ending already.
        from_stdin.send(Wish::Stop).ok();
    });
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut asked = signal(kind)?;
        let wishes = wishes.clone();
        tokio::spawn(async move {
            if asked.recv().await.is_some() {
                wishes.send(Wish::Stop).ok();
            }
        });
    }
    Ok(receiver)
}
