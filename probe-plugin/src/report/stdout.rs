//! The one writer of stdout: whole runs, in order, from a thread of its own.
//!
//! Telegraf stops reading while its outputs are blocked; then the writer waits, the queue fills, and whoever has a run to
//! report waits too. Nothing is lost and nothing grows.

use std::{io::Write, thread::JoinHandle, time::Duration};

use tokio::sync::mpsc;

/// So many runs may wait for Telegraf.
const QUEUE_RUNS: usize = 256;

/// Telegraf closes its end of the pipe when the process ends, and may not have read the last lines by then.
const LINGER: Duration = Duration::from_millis(200);

/// Where reports go.
#[derive(Debug)]
pub struct Stdout {
    queue: mpsc::Sender<Vec<u8>>,
    thread: JoinHandle<std::io::Result<()>>,
}

impl Stdout {
    /// Starts the writer.
    pub fn start() -> Self {
        let (queue, mut waiting) = mpsc::channel::<Vec<u8>>(QUEUE_RUNS);
        let thread = std::thread::spawn(move || {
            let mut stdout = std::io::stdout().lock();
            while let Some(lines) = waiting.blocking_recv() {
                stdout.write_all(&lines)?;
                stdout.flush()?;
            }
            std::thread::sleep(LINGER);
            Ok(())
        });
        Self { queue, thread }
    }

    /// A handle for whoever has lines to write; each send is written in one piece.
    pub fn queue(&self) -> mpsc::Sender<Vec<u8>> {
        self.queue.clone()
    }

    /// Writes what waits and ends, once every handle is gone.
    pub async fn finish(self) -> anyhow::Result<()> {
        drop(self.queue);
        let thread = self.thread;
        let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
        match ended {
            Ok(written) => Ok(written?),
            Err(_) => anyhow::bail!("the writer of stdout panicked"),
        }
    }
}
