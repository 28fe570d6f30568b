//! Keeps the full-size pictures of runs in a folder: of each journey the newest, readable by the probe's group.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use vigia_contract::artifact::{ArtifactKey, SCREENSHOT_FILE};

/// So many failed runs of a journey are kept.
const RUNS_KEPT: usize = 50;

/// So many runs are kept of which there is nothing but the pictures that the journey asks for: they come with every run, and
/// must not push the failures out.
const OTHER_RUNS_KEPT: usize = 10;

/// A file of a run.
#[derive(Clone, Debug)]
pub struct ArtifactFile {
    /// Its name in the run's folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The folder that artifacts are kept in.
#[derive(Clone, Debug)]
pub struct ArtifactFolder(pub PathBuf);

impl ArtifactFolder {
    /// Writes the files under the run's key; each is there as a whole or not at all.
    pub async fn keep(&self, key: &ArtifactKey, files: Vec<ArtifactFile>) -> anyhow::Result<()> {
        let run = self.0.join(key.to_string());
        let told = format!("failed to keep `{}`", run.display());
        tokio::task::spawn_blocking(move || {
            files.iter().try_for_each(|file| write(&run, file))?;
            run.parent().map_or(Ok(()), forget_the_oldest)
        })
        .await?
        .context(told)
    }
}

/// People's data may be on it: nobody outside the probe's group may look.
fn write(run: &Path, file: &ArtifactFile) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(run)?;
    let partial = run.join(".partial");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(&partial)?
        .write_all(&file.bytes)?;
    std::fs::rename(&partial, run.join(&file.name))
}

/// The names of runs begin with their time.
fn forget_the_oldest(journey: &Path) -> io::Result<()> {
    let mut runs: Vec<PathBuf> = std::fs::read_dir(journey)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    runs.sort();
    let (failed, others): (Vec<&PathBuf>, Vec<&PathBuf>) = runs
        .iter()
        .partition(|run| run.join(SCREENSHOT_FILE).exists());
    for (runs, kept) in [(failed, RUNS_KEPT), (others, OTHER_RUNS_KEPT)] {
        let surplus = runs.len().saturating_sub(kept);
        runs.iter()
            .take(surplus)
            .try_for_each(std::fs::remove_dir_all)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_runs_of_a_journey_are_kept_and_no_stranger_can_look() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactFolder(folder.path().join("artifacts"));
        let files = |name: &str| {
            let bytes = b"jpeg".to_vec();
            let name = name.to_owned();
            vec![ArtifactFile { name, bytes }]
        };
        let key = |run_id: String| ArtifactKey {
            system: "t".into(),
            journey: "j".into(),
            run_id,
        };
        for number in 0..RUNS_KEPT + 3 {
            let failed = key(format!("{number:04}"));
            store.keep(&failed, files(SCREENSHOT_FILE)).await.unwrap();
            let other = key(format!("{number:04}-ok"));
            store.keep(&other, files("01-a-b.jpg")).await.unwrap();
        }
        let mut kept: Vec<_> = std::fs::read_dir(store.0.join("t/j"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        kept.sort();
        let others = kept.iter().filter(|name| name.ends_with("ok")).count();
        assert_eq!(
            (kept.len(), others, kept[0].as_str()),
            (RUNS_KEPT + OTHER_RUNS_KEPT, OTHER_RUNS_KEPT, "0003")
        );
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.0.join("t")), 0o750);
        assert_eq!(mode(&store.0.join("t/j/0003").join(SCREENSHOT_FILE)), 0o640);
    }
}
