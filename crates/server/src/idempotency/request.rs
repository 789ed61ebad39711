//! A write request as it is received: its body, its key, and what makes it the same as another.

use super::error::RequestError;
use crate::app::App;
use crate::body::Body;
use billing::id::Request;
use billing::timestamp::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

/// The header that names a request.
pub const HEADER: &str = "idempotency-key";
/// The longest key, in bytes.
pub const KEY_LENGTH_MAX: usize = 255;

/// A write request as far as repeating it goes.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    environment: i64,
    key: Option<String>,
    fingerprint: Vec<u8>,
    received_at: Timestamp,
}

impl WriteRequest {
    /// Reads a request of an environment's principal to its end: the request and the body.
    ///
    /// # Errors
    /// If the key cannot be one, or the body is too long or breaks off.
    pub async fn receive(
        app: &App,
        environment: i64,
        request: http::Request<Body>,
    ) -> Result<(Self, Bytes), RequestError> {
        let (parts, body) = request.into_parts();
        let body = read_body(body, app.limits.body_bytes).await?;
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let write = Self::new(environment, app.real_now(), &parts.method, target, &parts.headers, &body)?;
        Ok((write, body))
    }

    /// A request of an environment's principal. Method, path, query and body make its fingerprint.
    ///
    /// # Errors
    /// If the key cannot be one.
    pub fn new(
        environment: i64,
        received_at: Timestamp,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, RequestError> {
        let key = read_key(headers)?;
        let fingerprint = match key {
            None => Vec::new(),
            Some(_) => {
                let mut hash = Sha256::new();
                for part in [method.as_str().as_bytes(), target.as_bytes(), body] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
                hash.finalize().to_vec()
            }
        };
        Ok(Self { environment, key, fingerprint, received_at })
    }

    /// What the decision must carry, so that its commit keeps the key; none if there is no key.
    pub(super) fn request(&self) -> Option<Request> {
        self.key.as_ref().map(|key| Request {
            environment: self.environment,
            key: key.clone(),
            fingerprint: self.fingerprint.clone(),
            received_at: self.received_at,
        })
    }
}

/// A body to its end.
///
/// # Errors
/// If it is longer than `limit` bytes or breaks off.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes, RequestError> {
    match http_body_util::Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(RequestError::TooLong(limit)),
        Err(_) => Err(RequestError::BrokenOff),
    }
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().map_err(|_| RequestError::BadKey)?;
    let is_printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if values.next().is_some() || key.trim().is_empty() || key.len() > KEY_LENGTH_MAX || !is_printable {
        return Err(RequestError::BadKey);
    }
    Ok(Some(key.to_owned()))
}
