//! Why a write is not carried out.

/// Why a request with a key was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The key is empty, too long, or not printable ASCII.
    #[error("Idempotency-Key must be 1 to 255 printable ASCII characters")]
    BadKey,
    /// Another request had the key.
    #[error("this Idempotency-Key was used for another request")]
    OtherRequest,
    /// The first request with the key is not done.
    #[error("a request with this Idempotency-Key is still being processed")]
    StillRunning,
    /// The body is longer than may be.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// The books could not be asked.
    #[error("the books could not be asked")]
    Store(#[from] store::Error),
}
