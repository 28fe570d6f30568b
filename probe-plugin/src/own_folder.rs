//! A folder of temporary files that is ours as long as this process lives, and how one is told that a killed probe left
//! behind.
//!
//! Whether a folder's owner still lives is told by a lock that the owner holds and that the kernel lets go with it: the
//! number of a process may be another's by now, and means nothing in another container that shares the folder.

use std::{
    env,
    fs::{self, File, Permissions, TryLockError},
    io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The file in the folder that its owner holds locked.
const LOCK: &str = "vigia.lock";

/// Chromium puts a socket into its temporary files, `org.chromium.Chromium.XXXXXX/SingletonSocket`, and dies where the
/// socket's whole path is longer than 107 bytes: `unix(7)`. This is what remains for the folder with ours.
const FOLDER_MAX_BYTES: usize = 40;

/// A folder without a lock is being made by another probe right now, unless it is older than this.
const MADE_WITHIN: Duration = Duration::from_mins(1);

/// How long killed processes may still write.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// A folder; it is ours as long as this lives.
#[derive(Debug)]
pub struct OwnFolder {
    folder: TempDir,
    _lock: File,
}

/// Where the folders are: among the temporary files, where the path is short enough for Chromium.
pub fn place() -> PathBuf {
    let place = env::temp_dir();
    if place.as_os_str().len() <= FOLDER_MAX_BYTES {
        place
    } else {
        PathBuf::from("/tmp")
    }
}

impl OwnFolder {
    /// A new folder that only its owner may read; its name begins so.
    pub fn create(prefix: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place())?;
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it.
    pub fn remove(self) -> io::Result<()> {
        remove(&self.folder.keep())
    }
}

/// Removes the folders whose names begin so and whose owners are gone, each after `before` has ended what is still at work
/// in it. Returns how many there were. What is not ours to remove is left.
pub fn sweep(prefix: &str, before: impl Fn(&Path)) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(place())? {
        let path = entry?.path();
        let named = path
            .file_name()
            .is_some_and(|name| name.as_bytes().starts_with(prefix.as_bytes()));
        if named && is_left_behind(&path) {
            before(&path);
            count += usize::from(remove(&path).is_ok());
        }
    }
    Ok(count)
}

fn is_left_behind(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::metadata(folder)
            .and_then(|about| about.modified())
            .is_ok_and(|made| made.elapsed().is_ok_and(|age| age > MADE_WITHIN)),
        Err(_) => false,
    }
}

/// The last of the processes may still be dying: a folder into which one writes meanwhile is found not to be empty.
fn remove(folder: &Path) -> io::Result<()> {
    let deadline = Instant::now() + LAST_WRITES;
    loop {
        match fs::remove_dir_all(folder) {
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty
                    && Instant::now() < deadline => {}
            removed => return removed,
        }
    }
}
