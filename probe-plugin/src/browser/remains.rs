//! What is left of a browser when it ends, and how it is cleared away: its processes, its folder.
//!
//! The processes are killed at once, wherever that is; the waiting is done on a thread of its own, and whoever ends the
//! program can wait until everything is gone.

use std::{io, path::Path, process::Child, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::watch;

use crate::{
    log::{Level, log},
    own_folder::OwnFolder,
};

/// How many browsers are not wholly gone.
#[derive(Clone, Debug, Default)]
pub struct NotGone(watch::Sender<usize>);

impl NotGone {
    /// Waits until all of them are gone; false where they are not within this time.
    pub async fn none(&self, within: Duration) -> bool {
        let mut count = self.0.subscribe();
        let none = count.wait_for(|count| *count == 0);
        matches!(tokio::time::timeout(within, none).await, Ok(Ok(_)))
    }
}

/// All that a browser is outside of this process; cleared away when it is dropped.
#[derive(Debug)]
pub struct Remains(Option<Parts>);

#[derive(Debug)]
struct Parts {
    group: Pid,
    child: Child,
    profile: OwnFolder,
    not_gone: NotGone,
}

impl Remains {
    /// Of a child that leads its own process group.
    pub fn of(child: Child, profile: OwnFolder, not_gone: &NotGone) -> Self {
        not_gone.0.send_modify(|count| *count += 1);
        Self(Some(Parts {
            group: Pid::from_child(&child),
            child,
            profile,
            not_gone: not_gone.clone(),
        }))
    }

    /// Its profile's folder; nothing once that is cleared away.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_ref().map(|parts| parts.profile.path())
    }

    /// The process group of all its processes.
    pub fn group(&self) -> Option<Pid> {
        self.0.as_ref().map(|parts| parts.group)
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        let Some(parts) = self.0.take() else {
            return;
        };
        // The child is not reaped yet, so that the number of the group can be nobody else's. It fails where all of them
        // had ended.
        let killed = kill_process_group(parts.group, Signal::KILL);
        std::thread::spawn(move || {
            let not_gone = parts.not_gone.clone();
            let gone = match killed {
                Ok(()) | Err(rustix::io::Errno::SRCH) => parts.clear_away(),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = gone {
                log(
                    Level::Warning,
                    &format!("failed to clear a browser away: {error}"),
                );
            }
            not_gone.0.send_modify(|count| *count -= 1);
        });
    }
}

impl Parts {
    fn clear_away(mut self) -> io::Result<()> {
        self.child.wait()?;
        self.profile.remove()
    }
}
