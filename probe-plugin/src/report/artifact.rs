//! Keeps the full-size screenshots of failed runs in a folder: of each journey the newest, readable by the probe's group.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use vigia_contract::artifact::{ArtifactKey, SCREENSHOT_FILE};

/// So many runs of a journey are kept.
const RUNS_KEPT: usize = 50;

/// The folder that artifacts are kept in.
#[derive(Clone, Debug)]
pub struct ArtifactFolder(pub PathBuf);

impl ArtifactFolder {
    /// Writes the picture under the run's key; it is there as a whole or not at all.
    pub async fn keep_screenshot(&self, key: &ArtifactKey, jpeg: Vec<u8>) -> anyhow::Result<()> {
        let run = self.0.join(key.to_string());
        let told = format!("failed to keep `{}`", run.join(SCREENSHOT_FILE).display());
        tokio::task::spawn_blocking(move || {
            write(&run, &jpeg)?;
            run.parent().map_or(Ok(()), forget_the_oldest)
        })
        .await?
        .context(told)
    }
}

/// People's data may be on it: nobody outside the probe's group may look.
fn write(run: &Path, jpeg: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(run)?;
    let partial = run.join(".partial");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(&partial)?
        .write_all(jpeg)?;
    std::fs::rename(&partial, run.join(SCREENSHOT_FILE))
}

/// The names of runs begin with their time.
fn forget_the_oldest(journey: &Path) -> io::Result<()> {
    let mut runs: Vec<PathBuf> = std::fs::read_dir(journey)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    runs.sort();
    let surplus = runs.len().saturating_sub(RUNS_KEPT);
    runs.iter()
        .take(surplus)
        .try_for_each(std::fs::remove_dir_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_runs_of_a_journey_are_kept_and_no_stranger_can_look() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactFolder(folder.path().join("artifacts"));
        for number in 0..RUNS_KEPT + 3 {
            let run_id = format!("{number:04}");
            let key = ArtifactKey {
                system: "t".into(),
                journey: "j".into(),
                run_id,
            };
            store.keep_screenshot(&key, b"jpeg".to_vec()).await.unwrap();
        }
        let mut kept: Vec<_> = std::fs::read_dir(store.0.join("t/j"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        kept.sort();
        assert_eq!((kept.len(), kept[0].as_str()), (RUNS_KEPT, "0003"));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.0.join("t")), 0o750);
        assert_eq!(mode(&store.0.join("t/j/0003").join(SCREENSHOT_FILE)), 0o640);
    }
}
