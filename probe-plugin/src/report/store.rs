//! Where the files that runs leave are kept: in a folder, or in an S3-compatible store. How long is said in `retention`.
//!
//! A store that does not take them is said and stops nothing.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::{TryStreamExt, future::try_join_all};
use jiff::Timestamp;
use object_store::{
    ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path,
};
use serde::Deserialize;
use vigia_contract::{
    artifact::ArtifactKey,
    secret::{ExposeSecret, SecretPlaces, Template},
    variables::Variables,
};

use super::retention::{KeptFile, Retention, surplus};

/// How often all that is kept is looked through; what a journey has is looked at each time it leaves something.
const WHOLE_LOOK_EVERY: Duration = Duration::from_mins(10);

/// A store that has not taken a run's files by then does not take them.
const DEADLINE: Duration = Duration::from_secs(30);

/// What is asked of a store that is away is asked again so long.
const RETRY_FOR: Duration = Duration::from_secs(15);

/// A file of a run.
#[derive(Clone, Debug)]
pub struct ArtifactFile {
    /// Its name in the run's folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Which place it is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of an S3-compatible store.
    S3(S3),
}

/// An S3-compatible store: the table `s3`. What is left out is taken from the environment, as Amazon's own tools do it
/// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, a role of the machine).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// It must be there.
    pub bucket: String,
    /// The address of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Stores that are not Amazon's take any; `us-east-1` where it is said nowhere.
    pub region: Option<String>,
    /// A reference to a secret, or the name itself.
    pub access_key: Option<Template>,
    /// A reference to a secret.
    pub secret_key: Option<Template>,
}

/// The store.
#[derive(Debug)]
pub struct ArtifactStore {
    place: Place,
    secrets: SecretPlaces,
    retention: Retention,
    /// Opened when it is needed: a disk may come later than the probe.
    open: tokio::sync::Mutex<Option<Arc<dyn ObjectStore>>>,
    looked_through: Mutex<Option<Instant>>,
}

impl ArtifactStore {
    /// It is opened when something is to be kept.
    pub fn new(place: Place, secrets: SecretPlaces, retention: Retention) -> Self {
        Self {
            place,
            secrets,
            retention,
            open: tokio::sync::Mutex::default(),
            looked_through: Mutex::default(),
        }
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn ObjectStore>> {
        let mut open = self.open.lock().await;
        if let Some(store) = &*open {
            return Ok(Arc::clone(store));
        }
        let (place, secrets) = (self.place.clone(), self.secrets.clone());
        let store = tokio::task::spawn_blocking(move || place.open(&secrets)).await??;
        *open = Some(Arc::clone(&store));
        Ok(store)
    }

    /// Writes the files under the run's key; each is there as a whole or not at all.
    pub async fn keep(&self, key: &ArtifactKey, files: Vec<ArtifactFile>) -> anyhow::Result<()> {
        let kept = async {
            let store = self.store().await?;
            let puts = files.into_iter().map(|file| {
                let store = Arc::clone(&store);
                async move {
                    let path = Path::parse(format!("{key}/{}", file.name))?;
                    store.put(&path, file.bytes.into()).await?;
                    anyhow::Ok(())
                }
            });
            try_join_all(puts).await?;
            anyhow::Ok(())
        };
        tokio::time::timeout(DEADLINE, kept)
            .await
            .context("it took too long")
            .flatten()
            .with_context(|| format!("failed to keep `{key}` in {}", self.place))
    }

    /// Forgets what is too much of this journey, and from time to time what is too much or too old of all.
    pub async fn forget(&self, key: &ArtifactKey) -> anyhow::Result<()> {
        let whole = self.is_time_for_all();
        let prefix = (!whole).then(|| Path::parse(format!("{}/{}", key.system, key.journey)));
        let prefix = prefix.transpose()?;
        let forgotten = async {
            let store = self.store().await?;
            let listed = store.list(prefix.as_ref());
            let kept: Vec<KeptFile> = listed
                .map_ok(|file| KeptFile {
                    path: file.location.to_string(),
                    bytes: file.size,
                })
                .try_collect()
                .await?;
            for path in surplus(&kept, &self.retention, Timestamp::now()) {
                store.delete(&Path::parse(path)?).await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(DEADLINE, forgotten)
            .await
            .context("it took too long")
            .flatten()
            .with_context(|| format!("failed to clear up in {}", self.place))
    }

    fn is_time_for_all(&self) -> bool {
        let mut last = self
            .looked_through
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| last.elapsed() >= WHOLE_LOOK_EVERY);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

impl Place {
    fn open(&self, secrets: &SecretPlaces) -> anyhow::Result<Arc<dyn ObjectStore>> {
        match self {
            Self::Folder(folder) => {
                // People's data may be in it: nobody outside the probe's group may look.
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o750)
                    .create(folder)?;
                let store = LocalFileSystem::new_with_prefix(folder)?;
                Ok(Arc::new(store.with_automatic_cleanup(true)))
            }
            Self::S3(s3) => s3.open(secrets),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(formatter, "`{}`", folder.display()),
            Self::S3(s3) => write!(formatter, "the bucket `{}`", s3.bucket),
        }
    }
}

impl S3 {
    fn open(&self, secrets: &SecretPlaces) -> anyhow::Result<Arc<dyn ObjectStore>> {
        // Its client takes the one of the process, and there is none before somebody says so; a second time changes nothing.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let retry = RetryConfig {
            max_retries: 3,
            retry_timeout: RETRY_FOR,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&self.bucket)
            .with_retry(retry);
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        let none = Variables::new();
        if let Some(key) = &self.access_key {
            builder = builder.with_access_key_id(key.resolve(secrets, &none)?.expose_secret());
        }
        if let Some(key) = &self.secret_key {
            builder = builder.with_secret_access_key(key.resolve(secrets, &none)?.expose_secret());
        }
        Ok(Arc::new(builder.build()?))
    }
}
