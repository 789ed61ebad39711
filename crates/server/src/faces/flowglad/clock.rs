//! The clock of test books and a sign of life.

use super::error::Error;
use super::fields::Fields;
use super::merchant::{Merchant, WriteInput, ok};
use super::spell::Iso;
use crate::body::Body;
use crate::json::object;
use axum::extract::Request;
use axum::response::Response;

/// How far the clock may be moved at once: ten years.
const DAYS_MAX: i64 = 3_660;

/// `GET /api/v1/clock`
pub(super) async fn retrieve(merchant: Merchant) -> Result<Response<Body>, Error> {
    Ok(ok(show(merchant, 0).await?))
}

async fn show(merchant: Merchant, _: u128) -> Result<String, Error> {
    let books = merchant.app.environment(merchant.environment()).await?;
    let now = merchant.app.books_now(&books);
    Ok(object(|o| {
        o.object("clock", |o| {
            o.put("now", Iso(now)).put("livemode", books.livemode).put("movable", books.clock.is_some());
        });
    }))
}

/// `POST /api/v1/clock`: moves the clock of test books forward to `now`, and does what falls due.
pub(super) async fn advance(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<u128, Error> {
        let fields = Fields::of(&asked.body)?;
        let fields = fields.object("clock")?.unwrap_or(fields);
        let to = fields.required("now", "the time to move the clock to", |f, name| f.time(name))?;
        // One request cannot ask for more work than a server can do for it.
        if merchant.now().plus_days(DAYS_MAX).is_ok_and(|most| to > most) {
            return Err(fields.wrong("now", "at most ten years ahead"));
        }
        merchant.engine().advance_clock(merchant.environment(), to).await?;
        if let Some(request) = asked.request {
            merchant.engine().keep_request(request).await?;
        }
        Ok(0)
    }
    merchant.write(request, act, show).await
}

/// `GET /api/v1/utils/ping`
pub(super) async fn ping(_: Merchant) -> Response<Body> {
    ok(object(|o| {
        o.put("message", "pong");
    }))
}
