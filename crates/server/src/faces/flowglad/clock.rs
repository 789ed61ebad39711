//! The clock of test books and a sign of life.

use super::error::Error;
use super::fields::Fields;
use super::merchant::{Merchant, WriteInput, ok};
use super::spell::Iso;
use crate::body::Body;
use crate::json::object;
use axum::extract::Request;
use axum::response::Response;
use billing::environment::Environment;
use billing::timestamp::Timestamp;

/// How far the clock may be moved at once: ten years.
const DAYS_MAX: i64 = 3_660;

/// `GET /api/v1/clock`
pub(super) async fn retrieve(merchant: Merchant) -> Result<Response<Body>, Error> {
    Ok(ok(render(&merchant.books, &find(merchant.clone(), 0).await?)))
}

/// The clock as it stands now.
struct ClockView {
    now: Timestamp,
    is_movable: bool,
}

async fn find(merchant: Merchant, _: u128) -> Result<ClockView, Error> {
    let books = merchant.app.environment(merchant.environment()).await?;
    Ok(ClockView { now: merchant.app.books_now(&books), is_movable: books.clock.is_some() })
}

fn render(books: &Environment, clock: &ClockView) -> String {
    object(|o| {
        o.object("clock", |o| {
            o.put("now", Iso(clock.now)).put("livemode", books.livemode).put("movable", clock.is_movable);
        });
    })
}

/// `POST /api/v1/clock`: moves the clock of test books forward to `now`, and does what falls due.
pub(super) async fn advance(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<ClockView, Error> {
        let fields = Fields::of(&asked.body)?;
        let fields = fields.object("clock")?.unwrap_or(fields);
        let to = fields.required("now", "the time to move the clock to", |f, name| f.time(name))?;
        // One request cannot ask for more work than a server can do for it.
        if merchant.now().plus_days(DAYS_MAX).is_ok_and(|most| to > most) {
            return Err(fields.wrong("now", "at most ten years ahead"));
        }
        merchant.engine().advance_clock_for(merchant.environment(), to, asked.request).await?;
        find(merchant, 0).await
    }
    merchant.write(request, act, find, render).await
}

/// `GET /api/v1/utils/ping`
pub(super) async fn ping(_: Merchant) -> Response<Body> {
    ok(object(|o| {
        o.put("message", "pong");
    }))
}
