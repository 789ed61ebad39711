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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_refused_until_the_first_ends() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("books.db");
        let first = ServerLock::acquire(&database).unwrap();
        let refused = ServerLock::acquire(&database).unwrap_err();
        assert_eq!(refused, Error::Locked { path: database.clone() });
        assert!(refused.to_string().contains("books.db is in use by another server"));
        ServerLock::acquire(&directory.path().join("other.db")).unwrap();
        drop(first);
        ServerLock::acquire(&database).unwrap();
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let error = ServerLock::acquire(Path::new("/nowhere/at/all/books.db")).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/at/all/books.db.lock: "), "{error}");
    }
}
