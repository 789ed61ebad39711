//! `/api/v1/admin/payments`.

use super::auth::{Manager, Viewer};
use super::body;
use super::error::Error;
use super::page;
use super::render::{Workspace, payment};
use crate::app::App;
use crate::body::Body;
use crate::idempotency::answer::Answer;
use crate::idempotency::request::WriteRequest;
use crate::idempotency::run_once::run_once;
use crate::json::object;
use crate::query::{Query, decode};
use crate::response_cache::{CacheKey, Rendered};
use crate::spelling::parse_hex24;
use axum::extract::{Request, State};
use axum::response::Response;
use billing::currency::Currency;
use billing::id::PaymentId;
use billing::refusal::Refusal;
use engine::{Actor, At, PaymentRef};
use http::{HeaderMap, StatusCode, Uri};
use store::Scope;
use store::views::OffsetPage;
use store::views::payments::PaymentRow;

/// The payments of all workspaces, those that came last first.
pub async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let environment = app.environment(viewer.environment).await?;
    let key = CacheKey {
        face: "placio",
        reader: u128::from(viewer.environment.unsigned_abs()),
        target: uri.query().unwrap_or(""),
        also: ["list", ""],
        scopes: &[Scope::Environment(viewer.environment), Scope::Catalog(viewer.environment)],
        now: app.books_now(&environment),
    };
    app.get_or_render(&key, &headers, async || {
        let (filter, offset_page) = page::list(&Query::parse(uri.query()))?;
        let (total, rows) = app.engine.received(viewer.environment, filter, offset_page).await?;
        Ok::<_, Error>(Rendered::from(render_list(total, offset_page, &rows)))
    })
    .await
}

fn render_list(total: i64, offset_page: OffsetPage, rows: &[PaymentRow]) -> String {
    object(|o| {
        o.array("payments", |list| {
            for row in rows {
                list.object(|o| payment(o, row, Workspace::Shown));
            }
        });
        o.object("pagination", |o| {
            o.put("total", total).put("page", offset_page.page).put("limit", offset_page.limit);
            let pages = total.div_euclid(offset_page.limit) + i64::from(total % offset_page.limit != 0);
            o.put("totalPages", pages);
        });
    })
}

/// Writes a manual payment down.
pub async fn create(
    State(app): State<App>,
    manager: Manager,
    request: Request,
) -> Result<Response<Body>, Error> {
    let (environment, actor) = (manager.environment, Actor::Staff(manager.staff));
    let (write, body) = WriteRequest::receive(&app, environment, request).await?;
    let now = app.books_now(&*app.environment(environment).await?);
    let (workspace, new) = body::create(&body, manager.staff, now)?;
    let (first, second) = (app.clone(), app.clone());
    run_once::<Error, _, _>(
        &app,
        write,
        async move |key| {
            let made = first
                .engine
                .record_payment(At::new(now, environment).by(actor).answering(key), workspace, new)
                .await;
            let made = made.map_err(|error| match error {
                engine::Error::NotFound(..) => {
                    Error::Other(StatusCode::NOT_FOUND, "Workspace not found".into())
                }
                error => error.into(),
            })?;
            Ok(payment_answer(&made, StatusCode::CREATED))
        },
        async move |raw| {
            load_answer(&second, environment, billing::id::Id::from_raw(raw), StatusCode::CREATED).await
        },
    )
    .await
}

/// Changes a manual payment.
pub async fn update(
    State(app): State<App>,
    manager: Manager,
    request: Request,
) -> Result<Response<Body>, Error> {
    let (environment, actor) = (manager.environment, Actor::Staff(manager.staff));
    let first_bits = path_id(request.uri())?;
    let (write, body) = WriteRequest::receive(&app, environment, request).await?;
    let edit = body::update(&body)?;
    let (first, second) = (app.clone(), app.clone());
    run_once::<Error, _, _>(
        &app,
        write,
        async move |key| {
            let now = first.books_now(&*first.environment(environment).await?);
            let at = At::new(now, environment).by(actor).answering(key);
            let edited = first.engine.edit_payment(at, received(first_bits), edit).await;
            Ok(payment_answer(&edited.map_err(|error| only_manual(error, "edited"))?, StatusCode::OK))
        },
        async move |raw| {
            load_answer(&second, environment, billing::id::Id::from_raw(raw), StatusCode::OK).await
        },
    )
    .await
}

/// Takes a manual payment back.
pub async fn delete(
    State(app): State<App>,
    manager: Manager,
    request: Request,
) -> Result<Response<Body>, Error> {
    let (environment, actor) = (manager.environment, Actor::Staff(manager.staff));
    let first_bits = path_id(request.uri())?;
    let (write, _) = WriteRequest::receive(&app, environment, request).await?;
    let first = app.clone();
    run_once::<Error, _, _>(
        &app,
        write,
        async move |key| {
            let now = first.books_now(&*first.environment(environment).await?);
            let at = At::new(now, environment).by(actor).answering(key);
            let deleted = first.engine.delete_payment(at, received(first_bits)).await;
            deleted.map_err(|error| only_manual(error, "deleted"))?;
            Ok(Answer::no_content())
        },
        async |_| Ok(Answer::no_content()),
    )
    .await
}

/// The first 96 bits of the id in `/api/v1/admin/payments/{id}`.
fn path_id(uri: &Uri) -> Result<u128, Error> {
    let text = decode(uri.path().split('/').nth(5).unwrap_or(""));
    parse_hex24(&text).ok_or_else(|| Error::invalid("Invalid payment ID"))
}

/// The payment of an id, as far as this face shows it.
fn received(first_bits: u128) -> PaymentRef {
    PaymentRef::Received { first: first_bits, currency: Currency::USD }
}

/// A failure that says what cannot be done to an automatic payment.
fn only_manual(error: engine::Error, verb: &str) -> Error {
    match error {
        engine::Error::Refused(refusal @ Refusal::AutomaticPayment) => {
            Error::forbidden(format!("{refusal} (automatic payments cannot be {verb})"))
        }
        error => error.into(),
    }
}

async fn load_answer(
    app: &App,
    environment: i64,
    id: PaymentId,
    status: StatusCode,
) -> Result<Answer, Error> {
    Ok(payment_answer(&app.engine.received_payment(environment, id).await?, status))
}

fn payment_answer(row: &PaymentRow, status: StatusCode) -> Answer {
    Answer::json(status, object(|o| payment(o, row, Workspace::Left)))
}
