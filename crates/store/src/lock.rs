//! One server per database file.

use crate::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Held by a server for as long as it serves a database file; the operating system releases it with
/// the process, however that ends.
#[derive(Debug)]
pub struct ServerLock {
    _file: File,
}

impl ServerLock {
    /// Locks `<database>.lock`, or fails with [`Error::Locked`] if another server holds it.
    pub fn acquire(database: &Path) -> Result<ServerLock, Error> {
        let path = lock_path(database);
        let failed = |error: std::io::Error| Error::Io { path: path.clone(), message: error.to_string() };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(ServerLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: database.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}
