//! Notices when the configuration or one of its journeys has changed, or when somebody asks by SIGHUP, and reads everything
//! anew: all of it or nothing.
//!
//! Files are looked at from time to time. What notifies of changes does not see those of network file systems, nor a folder
//! that is swapped for another by a link, which is how several tools bring new configurations.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::spawn_blocking,
};
use vigia_contract::mistake::Mistakes;

use crate::config::{self, Config, Files};

/// How often the files are looked at. A change is taken up once two looks see the same: whoever copies many files is let
/// finish.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// While there is a mistake, everything is read again after so many looks: what mends it need not be one of the files that
/// are known, such as a fragment or a secret that was not there.
const MISTAKEN_LOOKS: u32 = 5;

/// What reading everything anew came to.
pub type Reload = Result<Config, Mistakes>;

/// Begins to listen and to look. What is read is sent; the same mistakes are sent once, unless somebody asks.
pub fn reloads(path: PathBuf, files: Files) -> std::io::Result<mpsc::Receiver<Reload>> {
    let asked = signal(SignalKind::hangup())?;
    let (reloads, receiver) = mpsc::channel(1);
    let watch = Watch {
        seen: None,
        changed: None,
        mistaken: None,
        path,
        files,
    };
    tokio::spawn(watch.look_on(asked, reloads));
    Ok(receiver)
}

/// What is known of the files.
struct Watch {
    path: PathBuf,
    files: Files,
    /// As they were when everything was read.
    seen: Option<Look>,
    /// As they are since the last look, where that is something else.
    changed: Option<Look>,
    /// What was wrong when they were read last, and how many looks ago that was.
    mistaken: Option<(Mistakes, u32)>,
}

/// What a look at the files sees: of each that is there, which one it is, its length and when it was written.
type Look = Vec<(PathBuf, Option<(u64, u64, i64, i64)>)>;

enum Why {
    Asked,
    Changed,
    StillMistaken,
}

impl Watch {
    async fn look_on(mut self, mut asked: Signal, reloads: mpsc::Sender<Reload>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            let why = tokio::select! {
                () = reloads.closed() => return,
                asked = asked.recv() => asked.map(|()| Why::Asked),
                _ = looks.tick() => self.look().await,
            };
            let Some(why) = why else { continue };
            let path = self.path.clone();
            let Ok(read) = spawn_blocking(move || config::read(&path)).await else {
                // It panicked, and has said so.
                continue;
            };
            if let Ok(config) = &read {
                self.files = config.files.clone();
            }
            self.seen = self.files_now().await;
            self.changed = None;
            let known = self.mistaken.take().map(|(mistakes, _)| mistakes);
            let is_news = match &read {
                Ok(_) => true,
                Err(mistakes) => known.as_ref() != Some(mistakes) || matches!(why, Why::Asked),
            };
            if let Err(mistakes) = &read {
                self.mistaken = Some((mistakes.clone(), 0));
            }
            if is_news && reloads.send(read).await.is_err() {
                return;
            }
        }
    }

    /// Whether everything is to be read anew.
    async fn look(&mut self) -> Option<Why> {
        let now = self.files_now().await?;
        let Some(seen) = &self.seen else {
            // The first look: the configuration in use was read a moment ago.
            self.seen = Some(now);
            return None;
        };
        if *seen != now {
            let settled = self.changed.as_ref() == Some(&now);
            self.changed = Some(now);
            return settled.then_some(Why::Changed);
        }
        self.changed = None;
        let (_, looks) = self.mistaken.as_mut()?;
        *looks += 1;
        (*looks >= MISTAKEN_LOOKS).then_some(Why::StillMistaken)
    }

    async fn files_now(&self) -> Option<Look> {
        let files = self.files.clone();
        spawn_blocking(move || look(&files)).await.ok()
    }
}

fn look(files: &Files) -> Look {
    let journeys = config::journey_files(&files.folder).unwrap_or_default();
    let mut paths: Vec<PathBuf> = files.read.iter().cloned().chain(journeys).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .map(|path| {
            let about = identity(&path);
            (path, about)
        })
        .collect()
}

fn identity(path: &Path) -> Option<(u64, u64, i64, i64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
}
