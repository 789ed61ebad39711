//! Who asks: API keys and signed tokens, checked once and remembered while nothing about credentials
//! changes, so that a request costs no look-up and a revocation holds at once.

pub mod issue;
pub mod jwt;
pub mod keys;
mod known;

pub use known::Authenticator;

use billing::{CredentialId, CustomerId, CustomerUserId, KeyScope, StaffId};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Who asks, and in whose books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The credential that was shown.
    pub credential: CredentialId,
    /// The number of the environment that it opens: nothing else may be read or written with it.
    pub environment: i64,
    /// Whom it stands for.
    pub who: Who,
}

/// Whom a credential stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A program of the merchant, with an API key.
    Key {
        /// What the key opens.
        scopes: Vec<KeyScope>,
    },
    /// A person of a customer.
    CustomerUser {
        /// The customer: nothing else may be read or written.
        customer: CustomerId,
        /// The person.
        user: CustomerUserId,
    },
    /// A person of the seller.
    Staff {
        /// The person.
        staff: StaffId,
        /// What its role permits.
        permissions: Vec<String>,
    },
}

impl Principal {
    /// Whether it is an API key with a scope.
    pub fn has_scope(&self, scope: KeyScope) -> bool {
        matches!(&self.who, Who::Key { scopes } if scopes.contains(&scope))
    }

    /// Whether it is a person of the seller who may do something.
    pub fn may(&self, permission: &str) -> bool {
        matches!(&self.who, Who::Staff { permissions, .. } if permissions.iter().any(|p| p == permission))
    }
}

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

/// The token of the `Authorization` header, in one of the schemes, whatever their case.
///
/// # Errors
/// If there is none or it is malformed.
pub fn token<'h>(headers: &'h HeaderMap, schemes: &[&str]) -> Result<&'h str, Refused> {
    let value = only_header(headers)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Err(Refused::Malformed(Malformed::Scheme));
    }
    one_word(token)
}

/// The token of the `Authorization` header, with or without the scheme `Bearer`.
///
/// # Errors
/// If there is none or it is malformed.
pub fn bare_token(headers: &HeaderMap) -> Result<&str, Refused> {
    let value = only_header(headers)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => one_word(token),
        None if value.eq_ignore_ascii_case("bearer") => Err(Refused::Malformed(Malformed::NoToken)),
        _ => one_word(value),
    }
}

fn only_header(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refused::Missing)?;
    if values.next().is_some() {
        return Err(Refused::Malformed(Malformed::Unreadable));
    }
    let value = value.to_str().map_err(|_| Refused::Malformed(Malformed::Unreadable))?.trim();
    if value.is_empty() { Err(Refused::Missing) } else { Ok(value) }
}

fn one_word(token: &str) -> Result<&str, Refused> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Refused::Malformed(Malformed::NoToken));
    }
    if token.contains([' ', '\t']) {
        return Err(Refused::Malformed(Malformed::Spaces));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_scheme_may_be_in_any_case() {
        for value in ["bearer abc", "Bearer abc", "BEARER  abc ", "jwt abc"] {
            assert_eq!(token(&headers(&[value.as_bytes()]), &["bearer", "jwt"]), Ok("abc"), "{value}");
        }
        for value in ["abc", "Bearer abc", "bearer abc"] {
            assert_eq!(bare_token(&headers(&[value.as_bytes()])), Ok("abc"), "{value}");
        }
    }

    #[test]
    fn what_is_malformed_is_told_apart() {
        let malformed = |what| Err(Refused::Malformed(what));
        assert_eq!(token(&headers(&[]), &["bearer"]), Err(Refused::Missing));
        assert_eq!(token(&headers(&[b""]), &["bearer"]), Err(Refused::Missing));
        assert_eq!(token(&headers(&[b"abc"]), &["bearer"]), malformed(Malformed::Scheme));
        assert_eq!(token(&headers(&[b"Basic abc"]), &["bearer"]), malformed(Malformed::Scheme));
        assert_eq!(token(&headers(&[b"Bearer"]), &["bearer"]), malformed(Malformed::NoToken));
        assert_eq!(token(&headers(&[b"Bearer a b"]), &["bearer"]), malformed(Malformed::Spaces));
        assert_eq!(token(&headers(&[b"Bearer \xff"]), &["bearer"]), malformed(Malformed::Unreadable));
        assert_eq!(
            token(&headers(&[b"Bearer a", b"Bearer b"]), &["bearer"]),
            malformed(Malformed::Unreadable)
        );
        assert_eq!(bare_token(&headers(&[b"Bearer "])), malformed(Malformed::NoToken));
        assert_eq!(bare_token(&headers(&[b"Basic abc"])), malformed(Malformed::Spaces));
    }
}
