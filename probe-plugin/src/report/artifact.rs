//! Keeps the full-size screenshot of a failed run in a folder.

use std::path::PathBuf;

use anyhow::Context;
use vigia_contract::artifact::{ArtifactKey, SCREENSHOT_FILE};

/// The folder that artifacts are kept in.
#[derive(Clone, Debug)]
pub struct ArtifactFolder(pub PathBuf);

impl ArtifactFolder {
    /// Writes the picture under the run's key; it is there as a whole or not at all.
    pub async fn keep_screenshot(&self, key: &ArtifactKey, jpeg: &[u8]) -> anyhow::Result<()> {
        let folder = self.0.join(key.to_string());
        let (partial, whole) = (folder.join(".partial"), folder.join(SCREENSHOT_FILE));
        let write = async {
            tokio::fs::create_dir_all(&folder).await?;
            tokio::fs::write(&partial, jpeg).await?;
            tokio::fs::rename(&partial, &whole).await
        };
        write
            .await
            .with_context(|| format!("failed to keep `{}`", whole.display()))
    }
}
