//! Why a copy was not made.

use crate::Error;

/// Why a copy was not made, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A database failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The rows of a table could not be read, or not be written.
    #[error("{table}: {error}")]
    Table {
        /// Its name.
        table: &'static str,
        /// What happened.
        error: Error,
    },
    /// There is nothing to copy.
    #[error("the source holds no books")]
    NoBooks,
    /// The source itself was not copied to its end.
    #[error("the source is an unfinished copy")]
    UnfinishedSource,
    /// The target may not be written to.
    #[error("the target holds books already: copy into an empty database")]
    NotEmpty,
    /// The target has a part of a copy of another source.
    #[error("the target is an unfinished copy of other books: copy into an empty database")]
    OtherBooks,
    /// Somebody wrote to the source while it was copied, perhaps to tables that had been compared.
    #[error("the source was written to while it was copied")]
    Changed,
    /// A table that this program does not know how to copy.
    #[error("the schemas differ: {0}")]
    Schema(String),
}
