//! Tokens with which a person of a customer logs in.

use super::error::Error;
use super::fields::{self, Fields};
use super::merchant::{Merchant, segment};
use super::spell::{Iso, Spell};
use crate::auth::issue::TOKEN_DAYS;
use crate::body::Body;
use crate::idempotency::answer::Answer;
use crate::idempotency::request::WriteRequest;
use crate::idempotency::run_once::run_once;
use crate::json::object;
use axum::extract::Request;
use axum::response::Response;
use billing::credential::{Bearer, Credential};
use billing::customer::Customer;
use billing::id::{CredentialId, Id};
use engine::TokenFor;
use http::StatusCode;
use serde_json::Value;

/// The least that a token holds: a minute, in seconds.
const SECONDS_MIN: i64 = 60;
const SECONDS_MAX: i64 = TOKEN_DAYS * 86_400;

/// What is asked for.
#[derive(Clone)]
struct TokenInput {
    to: TokenFor,
    seconds: i64,
}

/// `POST /api/v1/customers/{externalId}/tokens`: shown once, but to who repeats the request as well.
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let external_id = segment(request.uri().path(), "/api/v1/customers/", "/tokens")?;
    let headers = request.headers().clone();
    let (write, body) = WriteRequest::receive(&merchant.app, merchant.environment(), request).await?;
    let wanted = fields::parse(&headers, &body).and_then(|body| read(&body, external_id));
    let app = merchant.app.clone();
    let (again, then) = (merchant.clone(), wanted.clone());
    let work = |request| async move {
        let credential = merchant.engine().ctx(merchant.app.real_now()).id(0);
        issue(&merchant, wanted?, credential, request).await
    };
    let replay = move |raw| async move {
        let credential = CredentialId::from_raw(raw);
        let wanted = then?;
        let external_id = &wanted.to.external_id;
        match again.engine().issued_token(again.environment(), credential, external_id).await? {
            Some((customer, known)) => Ok(render(&again, &customer, &known)),
            // The first request was cut off between its two steps: the second one follows now.
            None => issue(&again, wanted, credential, None).await,
        }
    };
    run_once(&app, write, work, replay).await
}

fn read(body: &Value, external_id: String) -> Result<TokenInput, Error> {
    let fields = Fields::of(body)?;
    Ok(TokenInput {
        to: TokenFor { external_id, email: fields.short("email")?, name: fields.short("name")? },
        seconds: fields.int_in("expiresInSeconds", SECONDS_MIN, SECONDS_MAX)?.unwrap_or(SECONDS_MAX),
    })
}

async fn issue(
    merchant: &Merchant,
    wanted: TokenInput,
    credential: CredentialId,
    request: Option<billing::id::Request>,
) -> Result<Answer, Error> {
    let TokenInput { to, seconds } = wanted;
    // Credentials live by the real clock, whatever time it is in the books.
    let made = merchant.app.real_now();
    let end = made.plus_seconds(seconds).map_err(|_| Error::must_be("expiresInSeconds", "a sooner end"))?;
    let (authenticator, number) = (&merchant.app.authenticator, merchant.environment());
    let make = |bearer| authenticator.token(made, credential, number, bearer, "merchant API", end).credential;
    let (customer, issued) =
        merchant.engine().issue_token(merchant.at(request), to, credential, make).await?;
    Ok(render(merchant, &customer, &issued))
}

fn render(merchant: &Merchant, customer: &Customer, credential: &Credential) -> Answer {
    let body = object(|o| {
        o.put("token", merchant.app.authenticator.sign(credential)).put("tokenType", "Bearer");
        o.put("expiresAt", credential.expires_at.map(Iso)).put("customerId", Spell(customer.id));
        o.put("customerExternalId", &customer.external_id);
        if let Bearer::CustomerUser(_, user) = credential.bearer {
            o.put("userId", Spell(user));
        }
    });
    Answer::secret(StatusCode::OK, body)
}
