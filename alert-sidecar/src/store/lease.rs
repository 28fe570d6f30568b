//! Which of two sidecars works with a shared store: the one that holds the lease.
//!
//! | who | does what |
//! |---|---|
//! | the holder | raises `beat` twice a second; its every transaction does so too, under its own `epoch`, so that nothing of one that was replaced is committed |
//! | the holder | lets nothing out of the house when its last beat is older than three seconds |
//! | who waits | takes over when `beat` stood still for five seconds, or at once where the lease was given back; a new `epoch` begins |
//!
//! Everybody measures by its own monotonic clock, so that clocks that are set, or differ, do not matter. Between the three
//! seconds and the five lies what is on its way to a mail server already.
//!
//! A holder that hangs in the middle of a transaction locks the row; the database ends that transaction
//! ([`super::postgresql`]).

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use sqlx::{AnyConnection, Result};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How often the holder says that it lives.
pub(super) const BEAT: Duration = Duration::from_millis(500);
/// A holder that could not say it for this long does nothing more that others see.
const LAPSES_AFTER: Duration = Duration::from_secs(3);
/// A holder that nobody heard of for this long is replaced.
const DEAD_AFTER: Duration = Duration::from_secs(5);
/// How often who waits looks.
const LOOK: Duration = Duration::from_millis(250);

/// The right to work with a shared store.
#[derive(Debug)]
pub(super) struct Lease {
    epoch: i64,
    good_until: watch::Sender<Instant>,
}

/// Whether this process may still act in the store's name.
#[derive(Clone, Debug)]
pub struct Tenure(Option<watch::Receiver<Instant>>);

impl Tenure {
    /// Of a store that nobody else can open.
    pub(super) const UNSHARED: Self = Self(None);

    fn lasts(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|good_until| Instant::now() < *good_until.borrow())
    }

    /// Does this while the tenure lasts, and gives nothing where it ended before.
    ///
    /// The tenure is looked at before every single step, so that a process that was stopped, for however long, notices on
    /// waking up before it says another word.
    pub async fn bounds<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if self.lasts() {
                work.as_mut().poll(context).map(Some)
            } else {
                Poll::Ready(None)
            }
        })
        .await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    epoch: i64,
    beat: i64,
    is_held: bool,
}

impl Lease {
    /// Waits until the lease is free or its holder is dead, and takes it.
    pub async fn take(connection: &mut AnyConnection) -> Result<Self> {
        let mut last = standing(connection).await?;
        let mut unchanged_since = Instant::now();
        if last.is_held {
            tracing::info!(
                "another vigia-alert works with the store; this one takes over when that one ends"
            );
        }
        loop {
            if !last.is_held || unchanged_since.elapsed() >= DEAD_AFTER {
                let asked = Instant::now();
                if replace(connection, last).await? {
                    let (good_until, _) = watch::channel(asked + LAPSES_AFTER);
                    return Ok(Self {
                        epoch: last.epoch + 1,
                        good_until,
                    });
                }
            }
            sleep(LOOK).await;
            let now = standing(connection).await?;
            if now != last {
                last = now;
                unchanged_since = Instant::now();
            }
        }
    }

    /// For those who act in the store's name.
    pub fn tenure(&self) -> Tenure {
        Tenure(Some(self.good_until.subscribe()))
    }

    /// Says that the holder lives, and says whether it still is the holder. Inside a transaction it makes sure that it stays
    /// so until the commit.
    pub async fn beat(&self, connection: &mut AnyConnection) -> Result<bool> {
        sqlx::query("UPDATE lease SET beat = beat + 1 WHERE epoch = $1 AND is_held = 1")
            .bind(self.epoch)
            .execute(connection)
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// The beat of this moment is committed.
    pub fn prolong(&self, beaten: Instant) {
        self.good_until.send_replace(beaten + LAPSES_AFTER);
    }

    /// Lets whoever waits take over at once.
    pub async fn give_back(&self, connection: &mut AnyConnection) -> Result<()> {
        sqlx::query("UPDATE lease SET is_held = 0 WHERE epoch = $1")
            .bind(self.epoch)
            .execute(connection)
            .await
            .map(drop)
    }
}

async fn standing(connection: &mut AnyConnection) -> Result<Standing> {
    let (epoch, beat, is_held): (i64, i64, i64) =
        sqlx::query_as("SELECT epoch, beat, is_held FROM lease")
            .fetch_one(connection)
            .await?;
    Ok(Standing {
        epoch,
        beat,
        is_held: is_held != 0,
    })
}

/// Takes the lease where it still stands as it was seen.
async fn replace(connection: &mut AnyConnection, seen: Standing) -> Result<bool> {
    sqlx::query(
        "UPDATE lease SET epoch = epoch + 1, beat = beat + 1, is_held = 1 WHERE epoch = $1 AND beat = $2",
    )
    .bind(seen.epoch)
    .bind(seen.beat)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}
