//! Who may ask, and how its requests are read, carried out and answered.

use super::error::Error;
use super::fields;
use super::spell::{self, Spelled};
use crate::app::App;
use crate::auth::principal::PrincipalKind;
use crate::auth::refused::Refused;
use crate::auth::{header, keys};
use crate::body::Body;
use crate::faces::reply::json;
use crate::idempotency::answer::Answer;
use crate::idempotency::request::WriteRequest;
use crate::idempotency::run_once::run_once;
use axum::extract::FromRequestParts;
use axum::response::Response;
use billing::credential::KeyScope;
use billing::environment::Environment;
use billing::id::{CredentialId, Request};
use billing::timestamp::Timestamp;
use engine::{Actor, At};
use http::StatusCode;
use http::request::Parts;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A program of the merchant, and the books that its key opens.
#[derive(Clone)]
pub(super) struct Merchant {
    pub(super) app: App,
    pub(super) books: Arc<Environment>,
    key: CredentialId,
}

impl FromRequestParts<App> for Merchant {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = header::bare_token(&parts.headers)?;
        let principal = app.authenticate(token).await.map_err(|refused| match refused {
            // Of what is no API key nothing is said but that.
            Refused::Expired | Refused::Revoked if !token.starts_with(keys::PREFIX) => Refused::Unknown,
            refused => refused,
        })?;
        match &principal.kind {
            PrincipalKind::Key { .. } if principal.has_scope(KeyScope::Merchant) => {}
            PrincipalKind::Key { .. } => return Err(Error::forbidden()),
            PrincipalKind::CustomerUser { .. } | PrincipalKind::Staff { .. } => {
                return Err(Refused::Unknown.into());
            }
        }
        let books = app.environment(principal.environment).await?;
        Ok(Self { app: app.clone(), books, key: principal.credential })
    }
}

/// What a write asks for.
pub(super) struct WriteInput {
    /// The body.
    pub(super) body: Value,
    /// What the decision must carry.
    pub(super) request: Option<Request>,
}

impl Merchant {
    /// The number of its environment.
    pub(super) fn environment(&self) -> i64 {
        self.books.number
    }

    /// What time it is in its books.
    pub(super) fn now(&self) -> Timestamp {
        self.app.books_now(&self.books)
    }

    /// When, where and by whom a request of it is carried out.
    pub(super) fn at(&self, request: Option<Request>) -> At {
        At::new(self.now(), self.environment()).by(Actor::Key(self.key)).answering(request)
    }

    /// The use cases.
    pub(super) fn engine(&self) -> &engine::Engine {
        &self.app.engine
    }

    /// Carries a write out once. `act` makes or changes something and says what is shown of it. When the
    /// request is repeated, `find` reads that again by its raw id.
    pub(super) async fn write<T, Acting, Finding>(
        self,
        request: axum::extract::Request,
        act: impl FnOnce(Merchant, WriteInput) -> Acting + Send + 'static,
        find: impl FnOnce(Merchant, u128) -> Finding + Send + 'static,
        render: impl FnOnce(&Environment, &T) -> String + Copy + Send + 'static,
    ) -> Result<Response<Body>, Error>
    where
        T: Send + 'static,
        Acting: Future<Output = Result<T, Error>> + Send + 'static,
        Finding: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let act: WriteAction = Box::new(move |merchant, asked| {
            let books = merchant.books.clone();
            let acting = act(merchant, asked);
            Box::pin(async move { Ok(render(&books, &acting.await?)) })
        });
        let again: WriteReplay = Box::new(move |merchant, raw| {
            let books = merchant.books.clone();
            let finding = find(merchant, raw);
            Box::pin(async move { Ok(render(&books, &finding.await?)) })
        });
        self.carry_out(request, act, again).await
    }

    /// The same for all writes, so that it is compiled once.
    async fn carry_out(
        self,
        request: axum::extract::Request,
        act: WriteAction,
        again: WriteReplay,
    ) -> Result<Response<Body>, Error> {
        let headers = request.headers().clone();
        let (write, body) = WriteRequest::receive(&self.app, self.environment(), request).await?;
        let parsed = fields::parse(&headers, &body);
        let (app, merchant) = (self.app.clone(), self.clone());
        let work = |request: Option<Request>| {
            let acting = parsed.map(|body| act(self, WriteInput { body, request }));
            async move { Ok::<_, Error>(Answer::json(StatusCode::OK, acting?.await?)) }
        };
        let replay = move |raw| async move {
            Ok::<_, Error>(Answer::json(StatusCode::OK, again(merchant, raw).await?))
        };
        run_once(&app, write, work, replay).await
    }
}

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
type WriteAction = Box<dyn FnOnce(Merchant, WriteInput) -> Later<String> + Send>;
type WriteReplay = Box<dyn FnOnce(Merchant, u128) -> Later<String> + Send>;

/// A JSON answer with status 200.
pub(super) fn ok(body: String) -> Response<Body> {
    json(StatusCode::OK, body)
}

/// The segment of a path between two parts, decoded once.
///
/// # Errors
/// If it is not UTF-8 or holds a NUL, which no text of the books does.
pub(super) fn segment(path: &str, before: &str, after: &str) -> Result<String, Error> {
    let raw = path.strip_prefix(before).unwrap_or(path);
    let raw = raw.strip_suffix(after).unwrap_or(raw);
    let decoded = percent_encoding::percent_decode_str(raw).decode_utf8();
    match decoded {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(Error::bad_request("The path must be percent-encoded UTF-8 without NUL.")),
    }
}

/// The id in a path.
///
/// # Errors
/// If it is no id of this kind: there is nothing of that id.
pub(super) fn id_of<T: Spelled>(text: &str) -> Result<T, Error> {
    spell::parse(text).ok_or_else(|| Error::not_found(T::NAME, text))
}
