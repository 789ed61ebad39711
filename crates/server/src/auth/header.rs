//! The `Authorization` header.

use super::refused::{Malformed, Refused};
use http::HeaderMap;
use http::header::AUTHORIZATION;

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
