//! A file of books copied whole while it is in use, and put in the place of another only when it is
//! whole.
//!
//! These functions wait for the disk: a runtime calls them on a thread of their own.

use crate::Error;
use crate::migrate::{self, Migration};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many pages are copied between two reports.
const PAGES: i32 = 1024;

/// How long others may hold a file that is wanted.
const PATIENCE: Duration = Duration::from_secs(10);

/// What SQLite keeps beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Copies a file of books as it stands at one instant, while others read and write it. `tell` is told
/// how many pages of how many have been copied.
///
/// # Errors
/// If the file cannot be read or the copy cannot be written.
pub fn copy(from: &Path, to: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
    let source = open(from, OpenFlags::empty())?;
    // One snapshot from the first page to the last: without it, each commit of others would make the
    // copy begin again.
    source.execute_batch("begin")?;
    source.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    let mut target = open(to, OpenFlags::SQLITE_OPEN_CREATE)?;
    // Nobody has the copy yet, and it is brought to the disk as a whole.
    target.execute_batch("pragma journal_mode = off; pragma synchronous = off")?;
    let copying = Backup::new(&source, &mut target)?;
    loop {
        let step = copying.step(PAGES)?;
        let progress = copying.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
        let (left, all) = (count(progress.remaining), count(progress.pagecount));
        tell(all.saturating_sub(left), all);
        if step == StepResult::Done {
            break;
        }
        if step != StepResult::More {
            return Err(Error::Busy);
        }
    }
    drop(copying);
    drop(target);
    settle(to)
}

/// Reads all of a file of books and holds it to its schema. Answers the migrations that it lacks.
///
/// # Errors
/// [`Error::Corrupt`] if it is damaged or holds no books, [`Error::NewerSchema`] if a newer program wrote
/// it.
pub fn check(path: &Path) -> Result<Vec<Migration>, Error> {
    let connection = open(path, OpenFlags::empty())?;
    let lacking = migrate::pending(&connection, migrate::SQLITE)?;
    if lacking.len() == migrate::SQLITE.len() {
        return Err(Error::Corrupt("the file holds none".to_owned()));
    }
    let mut statement = connection.prepare("pragma integrity_check(3)")?;
    let found = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    if found != ["ok"] {
        return Err(Error::Corrupt(found.join("; ").replace('\n', " ")));
    }
    let mut statement = connection.prepare("pragma foreign_key_check")?;
    let mut orphans = statement.query([])?;
    if let Some(orphan) = orphans.next()? {
        let (table, parent): (String, String) = (orphan.get(0)?, orphan.get(2)?);
        return Err(Error::Corrupt(format!(
            "a row of {table} refers to one of {parent} that does not exist"
        )));
    }
    Ok(lacking.to_vec())
}

/// Moves all that lies beside a file into it, so that the file alone is the books.
///
/// # Errors
/// [`Error::Busy`] if another process has it open.
pub fn settle(path: &Path) -> Result<(), Error> {
    let connection = open(path, OpenFlags::empty())?;
    // SQLite would put the log into the file when this is closed, or throw it away, even if it cannot read them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mode: String = connection.query_row("pragma journal_mode = delete", [], |row| row.get(0))?;
    if mode == "delete" { Ok(()) } else { Err(Error::Busy) }
}

/// Makes way for a file that takes this one's place: nothing may lie beside it that belongs to the one
/// before. That one stays whole until it is replaced: what lies beside one that cannot be read, and may
/// belong to it, is set aside as `.replaced`.
///
/// # Errors
/// [`Error::Busy`] if another process has it open.
pub fn make_way(path: &Path) -> Result<(), Error> {
    if path.exists() {
        match settle(path) {
            Ok(()) => {}
            Err(Error::Busy) => return Err(Error::Busy),
            Err(error) => {
                tracing::warn!(%error, file = %path.display(), "what is replaced cannot be read");
                return BESIDE.iter().try_for_each(|suffix| set_aside(&beside(path, suffix)));
            }
        }
    }
    BESIDE.iter().try_for_each(|suffix| remove(&beside(path, suffix)))
}

/// A file beside its later place, which it takes when it is whole; until then it goes when this is
/// dropped. One that a process left behind when it was killed is made anew.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    place: PathBuf,
    /// Locked, so that two processes do not write the same draft.
    file: File,
    is_placed: bool,
}

impl Draft {
    /// An empty file beside `place`, readable by its owner only.
    ///
    /// # Errors
    /// If it cannot be made, or another process is making the same.
    pub fn beside(place: &Path) -> Result<Draft, Error> {
        let path = beside(place, ".partial");
        if let Ok(left) = File::open(&path) {
            lock(&left, &path)?;
            remove(&path)?;
        }
        // A log that was left would be taken for that of the new file.
        BESIDE.iter().try_for_each(|suffix| remove(&beside(&path, suffix)))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| failed(&path, &error))?;
        lock(&file, &path)?;
        Ok(Draft { path, place: place.to_owned(), file, is_placed: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it the permissions of another file, brings it to the disk, and moves it to its place.
    ///
    /// # Errors
    /// If the operating system refuses; then the draft is removed.
    pub fn put_in_place(mut self, like: &Path) -> Result<(), Error> {
        let here = |error: std::io::Error| failed(&self.path, &error);
        let permissions = fs::metadata(like).map_err(|error| failed(like, &error))?.permissions();
        self.file.set_permissions(permissions).map_err(here)?;
        self.file.sync_all().map_err(here)?;
        fs::rename(&self.path, &self.place).map_err(|error| failed(&self.place, &error))?;
        self.is_placed = true;
        let folder = match self.place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // The name is on the disk when its folder is.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_placed {
            for suffix in [""].iter().chain(&BESIDE) {
                // There is nobody to tell, and the next draft is made anew anyway.
                let _ = fs::remove_file(beside(&self.path, suffix));
            }
        }
    }
}

fn lock(file: &File, path: &Path) -> Result<(), Error> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(Error::Io { path: path.to_owned(), message: "another process is writing it".to_owned() })
        }
        Err(TryLockError::Error(error)) => Err(failed(path, &error)),
    }
}

fn open(path: &Path, more: OpenFlags) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn set_aside(path: &Path) -> Result<(), Error> {
    match fs::rename(path, beside(path, ".replaced")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// Books with many rows that nobody has open, and where.
    fn books() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate::migrate(&mut connection, migrate::SQLITE).unwrap();
        connection.execute_batch("pragma journal_mode = wal").unwrap();
        fill(&connection, 0);
        (folder, path)
    }

    fn fill(connection: &Connection, from: u32) {
        let sql = "with recursive n (n) as (select ?1 union all select n + 1 from n where n < ?1 + 4999)
             insert into tallies (environment, kind, n) select n, 'kind of tally ' || hex(randomblob(900)), 7 from n";
        connection.execute(sql, [from]).unwrap();
    }

    fn tallies(path: &Path) -> i64 {
        let connection = Connection::open(path).unwrap();
        connection.query_row("select count(*) from tallies", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_copy_is_of_one_instant_while_others_write() {
        let (folder, path) = books();
        let writer = Connection::open(&path).unwrap();
        let (copied, mut steps) = (folder.path().join("copied.db"), Vec::new());
        copy(&path, &copied, &mut |done, all| {
            steps.push((done, all));
            fill(&writer, u32::try_from(steps.len()).unwrap() * 5_000);
        })
        .unwrap();
        assert!(steps.len() > 1, "{steps:?}");
        assert!(steps.is_sorted() && steps.last().is_some_and(|(done, all)| done == all), "{steps:?}");
        assert_eq!(check(&copied).unwrap().len(), 0);
        assert_eq!(tallies(&copied), 5_000);
        assert_eq!(tallies(&path), 5_000 * (1 + i64::try_from(steps.len()).unwrap()));
    }

    #[test]
    fn what_is_damaged_or_foreign_is_refused() {
        let (folder, path) = books();
        settle(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| {
            let path = folder.path().join("damaged.db");
            fs::write(&path, bytes).unwrap();
            check(&path).unwrap_err()
        };
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 8192].fill(0x5a);
        assert!(matches!(refused(&damaged), Error::Corrupt(_)));
        assert!(matches!(refused(&whole[..middle]), Error::Corrupt(_)));
        assert!(matches!(refused(b"These are the books of Acme, honestly."), Error::Corrupt(_)));
        assert!(matches!(refused(b""), Error::Corrupt(_)));
        let orphan = folder.path().join("orphan.db");
        fs::write(&orphan, &whole).unwrap();
        let sql = "pragma foreign_keys = off; insert into roles values (99, 'a role', 'of no environment')";
        Connection::open(&orphan).unwrap().execute_batch(sql).unwrap();
        assert!(
            check(&orphan).unwrap_err().to_string().contains("a row of roles refers to one of environments")
        );
        assert!(check(&folder.path().join("absent.db")).is_err());
    }

    #[test]
    fn a_draft_is_placed_whole_or_goes() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("backup.db");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let draft = Draft::beside(&place).unwrap();
        let refused = Draft::beside(&place).unwrap_err().to_string();
        assert!(refused.contains("another process is writing it"), "{refused}");
        fs::write(draft.path(), "half of it").unwrap();
        drop(draft);
        assert_eq!(names(), 0);
        // As if a process had been killed.
        fs::write(beside(&place, ".partial"), "half of it").unwrap();
        fs::write(beside(&place, ".partial-wal"), "the rest of it").unwrap();
        let draft = Draft::beside(&place).unwrap();
        assert_eq!(fs::read(draft.path()).unwrap(), b"");
        fs::write(draft.path(), "all of it").unwrap();
        let like = draft.path().to_owned();
        draft.put_in_place(&like).unwrap();
        assert_eq!((fs::read(&place).unwrap().as_slice(), names()), (&b"all of it"[..], 1));
    }

    #[test]
    fn nothing_of_the_file_before_stays_beside_its_place() {
        let (folder, path) = books();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("begin; select count(*) from tallies").unwrap();
        other.query_row("select count(*) from tallies", [], |_| Ok(())).unwrap();
        assert!(beside(&path, "-wal").exists());
        drop(other);
        make_way(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(tallies(&path), 5_000);
        // Books of which only the log can be read any more.
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("pragma journal_mode = wal").unwrap();
        fill(&writer, 5_000);
        let log = fs::read(beside(&path, "-wal")).unwrap();
        drop(writer);
        fs::write(&path, "no database any more").unwrap();
        fs::write(beside(&path, "-wal"), &log).unwrap();
        fs::write(beside(&path, "-journal.replaced"), "of long ago").unwrap();
        make_way(&path).unwrap();
        assert!(!beside(&path, "-wal").exists());
        assert!(fs::read(beside(&path, "-wal.replaced")).unwrap() == log, "it may be all that is left");
        assert_eq!(fs::read(&path).unwrap(), b"no database any more");
        // What was never there has not replaced what was set aside before.
        assert_eq!(fs::read(beside(&path, "-journal.replaced")).unwrap(), b"of long ago");
    }
}
