//! `/v1/periods`.

use super::auth::Account;
use super::error::Error;
use super::page::{self, PeriodQuery};
use crate::app::App;
use crate::body::Body;
use crate::idempotency::answer::Answer;
use crate::idempotency::request::WriteRequest;
use crate::idempotency::run_once::run_once;
use crate::json::{Object, object};
use crate::query::{Query, decode};
use crate::response_cache::{CacheKey, Rendered};
use crate::spelling::{parse_uuid, uuid};
use axum::extract::{Request, State};
use axum::response::Response;
use billing::id::{Id, PeriodId};
use billing::invoice::InvoiceStatus;
use billing::timestamp::Timestamp;
use engine::{Actor, At};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;
use store::Scope;
use store::views::OffsetPage;
use store::views::periods::{Collecting, PeriodRow};

/// The periods of the account, newest first.
pub async fn list(
    State(app): State<App>,
    account: Account,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let environment = app.environment(account.environment).await?;
    let key = CacheKey {
        face: "surecart",
        reader: u128::from(account.environment.unsigned_abs()),
        target: uri.query().unwrap_or(""),
        also: ["list", ""],
        scopes: &[Scope::Environment(account.environment)],
        now: app.books_now(&environment),
    };
    app.get_or_render(&key, &headers, async || {
        let PeriodQuery { ids, subscriptions, offset_page } = page::read(&Query::parse(uri.query()))?;
        let (count, rows) = app.engine.periods(account.environment, ids, subscriptions, offset_page).await?;
        Ok::<_, Error>(Rendered::from(render_list(count, offset_page, &rows)))
    })
    .await
}

/// One period.
pub async fn read(
    State(app): State<App>,
    account: Account,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let (id, text) = path_id(&uri)?;
    let environment = app.environment(account.environment).await?;
    let key = CacheKey {
        face: "surecart",
        reader: u128::from(account.environment.unsigned_abs()),
        target: &text,
        also: ["one", ""],
        scopes: &[Scope::Environment(account.environment)],
        now: app.books_now(&environment),
    };
    app.get_or_render(&key, &headers, async || {
        Ok::<_, Error>(Rendered::from(load_json(&app, account.environment, id, &text).await?))
    })
    .await
}

/// How far ahead a period may end: ten years, for a longer one is a slip.
const END_DAYS_MAX: i64 = 3_660;

/// Moves a period's end: `{"period":{"end_at":1770588132}}`.
pub async fn update(
    State(app): State<App>,
    account: Account,
    request: Request,
) -> Result<Response<Body>, Error> {
    let (id, text) = path_id(request.uri())?;
    let (environment, actor) = (account.environment, Actor::Key(account.key));
    let (write, body) = WriteRequest::receive(&app, environment, request).await?;
    let end = end_at(&body)?;
    let (first, second, again_text) = (app.clone(), app.clone(), text.clone());
    run_once::<Error, _, _>(
        &app,
        write,
        async move |key| {
            let now = first.books_now(&*first.environment(environment).await?);
            if now.plus_days(END_DAYS_MAX).is_ok_and(|latest| end > latest) {
                return Err(Error::invalid("end_at", "too_late", "End at must be at most ten years ahead"));
            }
            let moved = first
                .engine
                .move_period_end(At::new(now, environment).by(actor).answering(key), id, end)
                .await;
            Ok(Answer::json(StatusCode::OK, render(moved, &text)?))
        },
        async move |_| {
            Ok(Answer::json(StatusCode::OK, load_json(&second, environment, id, &again_text).await?))
        },
    )
    .await
}

/// Asks once more for a period's payment.
pub async fn retry_payment(
    State(app): State<App>,
    account: Account,
    request: Request,
) -> Result<Response<Body>, Error> {
    let (id, text) = path_id(request.uri())?;
    let (environment, actor) = (account.environment, Actor::Key(account.key));
    let (write, body) = WriteRequest::receive(&app, environment, request).await?;
    if !body.trim_ascii().is_empty() {
        json(&body)?;
    }
    let (first, second, again_text) = (app.clone(), app.clone(), text.clone());
    run_once::<Error, _, _>(
        &app,
        write,
        async move |key| {
            let now = first.books_now(&*first.environment(environment).await?);
            let retried =
                first.engine.retry_period(At::new(now, environment).by(actor).answering(key), id).await;
            Ok(Answer::json(StatusCode::OK, render(retried, &text)?))
        },
        async move |_| {
            Ok(Answer::json(StatusCode::OK, load_json(&second, environment, id, &again_text).await?))
        },
    )
    .await
}

/// The id of `/v1/periods/{id}/…` and its text; what is no id is not found.
fn path_id(uri: &Uri) -> Result<(PeriodId, String), Error> {
    let text = decode(uri.path().split('/').nth(3).unwrap_or("")).into_owned();
    match parse_uuid(&text) {
        Some(raw) => Ok((PeriodId::from_raw(raw), text)),
        None => Err(Error::no_period(&text)),
    }
}

async fn load_json(app: &App, environment: i64, id: PeriodId, text: &str) -> Result<String, Error> {
    render(app.engine.period(environment, id).await, text)
}

/// A period, or the failure that names it as the request did.
fn render(found: Result<PeriodRow, engine::Error>, text: &str) -> Result<String, Error> {
    let found = found.map_err(|error| name_period(error, text))?;
    Ok(object(|o| period(o, &found)))
}

/// A failure that names the period as the request did.
fn name_period(error: engine::Error, text: &str) -> Error {
    match error {
        engine::Error::NotFound(..) => Error::no_period(text),
        error => error.into(),
    }
}

fn json(body: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|_| Error::not_json())
}

fn end_at(body: &[u8]) -> Result<Timestamp, Error> {
    let body = json(body)?;
    let period = body.get("period").and_then(Value::as_object).ok_or_else(|| Error::missing("period"))?;
    let end = match period.get("end_at") {
        None | Some(Value::Null) => return Err(Error::invalid("end_at", "blank", "End at can't be blank")),
        Some(end) => end,
    };
    let seconds = end.as_i64().and_then(|seconds| Timestamp::try_from_seconds(seconds).ok());
    seconds.ok_or_else(|| Error::invalid("end_at", "not_a_number", "End at must be a Unix time in seconds"))
}

fn render_list(count: i64, offset_page: OffsetPage, rows: &[PeriodRow]) -> String {
    object(|o| {
        o.put("object", "list");
        o.object("pagination", |o| {
            o.put("count", count)
                .put("limit", offset_page.limit)
                .put("page", offset_page.page)
                .put("url", "/v1/periods");
        });
        o.array("data", |list| {
            for row in rows {
                list.object(|o| period(o, row));
            }
        });
    })
}

fn period(o: &mut Object<'_>, row: &PeriodRow) {
    let (period, invoice) = (&row.period, row.invoice.as_ref());
    let retry_at = invoice.filter(|invoice| invoice.attempt_count > 0).and_then(|i| i.next_attempt_at);
    let updated_at = invoice.map_or(period.updated_at, |invoice| period.updated_at.max(invoice.updated_at));
    o.put("id", uuid(period.id.raw())).put("object", "period").put("ad_hoc_amount", None::<i64>);
    o.put("end_at", period.period.end.seconds());
    o.put("next_payment_retry_at", retry_at.map(Timestamp::seconds));
    o.put("payment_retry_count", invoice.map_or(0, |invoice| invoice.retry_count));
    o.put("payoff", false).put("quantity", period.quantity).put("renewal", period.renewal);
    o.put("renewal_reminder_sent_at", period.reminder_sent_at.map(Timestamp::seconds));
    o.put("restoral", false).put("skip_proration", false);
    o.put("start_at", period.period.start.seconds()).put("status", status(invoice));
    o.put("checkout", period.invoice_id.map(|id| uuid(id.raw())));
    o.put("price", uuid(period.price_id.raw())).put("subscription", uuid(period.subscription_id.raw()));
    o.put("variant", None::<&str>);
    o.put("created_at", period.created_at.seconds()).put("updated_at", updated_at.seconds());
}

/// A period without an invoice is a trial: there was nothing to pay.
fn status(invoice: Option<&Collecting>) -> &'static str {
    let Some(invoice) = invoice else { return "paid" };
    match invoice.status {
        InvoiceStatus::Paid | InvoiceStatus::Refunded | InvoiceStatus::PartiallyRefunded => "paid",
        InvoiceStatus::Void => "void",
        InvoiceStatus::Uncollectible => "payment_failed",
        InvoiceStatus::Open if invoice.last_failure.is_some() => "payment_failed",
        InvoiceStatus::Open => "processing",
    }
}
