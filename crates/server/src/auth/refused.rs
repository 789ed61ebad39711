//! Why nobody is let in.

/// Why nobody is let in. Faces say it in their own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no `Authorization` header.
    #[error("there are no credentials")]
    Missing,
    /// The header is no scheme with a token.
    #[error("the Authorization header is malformed: {0:?}")]
    Malformed(Malformed),
    /// It is not a key or token that was given out here.
    #[error("the credential is unknown")]
    Unknown,
    /// Its time is over.
    #[error("the credential has expired")]
    Expired,
    /// It was taken back.
    #[error("the credential was revoked")]
    Revoked,
    /// Whom it stands for is gone or may no longer log in.
    #[error("the person is gone or disabled")]
    Gone,
    /// The books could not be asked.
    #[error("the books could not be asked")]
    Store(#[from] store::Error),
}

/// What is wrong with an `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It is there twice, or holds bytes that no header should.
    Unreadable,
    /// It is of a scheme that the face does not take.
    Scheme,
    /// There is a scheme and no token.
    NoToken,
    /// The token holds a space.
    Spaces,
}
