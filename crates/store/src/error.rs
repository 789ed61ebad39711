//! What can go wrong between the books and the disk.

use std::path::PathBuf;

/// A failure of the store. No message holds the value of a parameter: values may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else changed what was decided on, or a unique key is taken: decide again on fresh state.
    #[error("the books changed meanwhile")]
    Conflict,
    /// A request with the same idempotency key has had its effect: there is nothing to decide again.
    #[error("a request with this key has had its effect")]
    KeyTaken,
    /// A row refers to another that does not exist, or one that is referred to was deleted.
    #[error("a row refers to one that does not exist")]
    ForeignKey,
    /// A value breaks a rule of the schema (`not null`, `check`).
    #[error("a value breaks a rule of the schema: {0}")]
    Rule(String),
    /// Stored data does not mean what it should.
    #[error("the books are corrupt: {0}")]
    Corrupt(String),
    /// A statement does not fit its parameters or its row; always our own mistake.
    #[error("wrong use of the store: {0}")]
    Misuse(String),
    /// The database reported a failure.
    #[error("database: {0}")]
    Database(String),
    /// A file could not be read or written.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        message: String,
    },
    /// Another server holds these books.
    #[error("{path} is in use by another server: stop it first, or serve another file")]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// Another process is writing to the books for so long that this one gave up: try again later.
    #[error("the books are busy")]
    Busy,
    /// The database cannot be reached, or does not answer: try again later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The address of a database cannot be used.
    #[error("{0}")]
    Address(String),
    /// The store is shut.
    #[error("the store is closed")]
    Closed,
    /// The books were written by a newer version of this program.
    #[error("the books have schema {found}, this program knows up to {known}: run a newer version")]
    NewerSchema {
        /// The newest migration in the database.
        found: u32,
        /// The newest migration of this program.
        known: u32,
    },
    /// A fault that the simulator injected.
    #[error("injected crash")]
    Crashed,
    /// The code that ran inside a transaction panicked; nothing of it was kept.
    #[error("a panic inside a transaction")]
    Panicked,
}

impl Error {
    /// Whether it may be gone when the same is asked again in a while.
    pub fn passes(&self) -> bool {
        matches!(self, Error::Busy | Error::Unavailable(_))
    }

    /// What is said of why the database cannot be reached, without saying that it cannot.
    pub(crate) fn reason(&self) -> String {
        if let Error::Unavailable(reason) = self { reason.clone() } else { self.to_string() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ffi;
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return Error::Database(error.to_string());
        };
        let said = || message.clone().unwrap_or_else(|| error.to_string());
        match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => {
                tracing::debug!(constraint = %said(), "conflict");
                Error::Conflict
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::ForeignKey,
            other if other & 0xff == ffi::SQLITE_CONSTRAINT => Error::Rule(said()),
            other if other & 0xff == ffi::SQLITE_BUSY => Error::Busy,
            other if other & 0xff == ffi::SQLITE_CORRUPT || other & 0xff == ffi::SQLITE_NOTADB => {
                Error::Corrupt(said())
            }
            _ => Error::Database(said()),
        }
    }
}

#[cold]
pub(crate) fn parameters(wanted: usize, given: usize) -> Error {
    Error::Misuse(format!("{wanted} parameters wanted, {given} given"))
}
