//! `GET /api/v1/admin/payments/stats`.

use super::auth::Viewer;
use super::error::Error;
use super::page;
use crate::app::App;
use crate::body::Body;
use crate::json::{Raw, object};
use crate::query::Query;
use crate::response_cache::{CacheKey, Rendered};
use crate::spelling::two_decimals;
use axum::extract::State;
use axum::response::Response;
use engine::views::PaymentTotals;
use http::{HeaderMap, Uri};
use store::Scope;

/// What came in: all that is wanted, and that of this month, this week and today.
pub async fn read(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let environment = app.environment(viewer.environment).await?;
    let now = app.books_now(&environment);
    let key = CacheKey {
        face: "placio",
        reader: u128::from(viewer.environment.unsigned_abs()),
        target: uri.query().unwrap_or(""),
        also: ["stats", ""],
        scopes: &[Scope::Environment(viewer.environment), Scope::Catalog(viewer.environment)],
        now,
    };
    app.get_or_render(&key, &headers, async || {
        let filter = page::filter(&Query::parse(uri.query()))?;
        let payment_totals = app.engine.payment_totals(now, &environment, filter).await?;
        Ok::<_, Error>(Rendered {
            body: render(&payment_totals),
            valid_until: Some(payment_totals.today.tomorrow),
        })
    })
    .await
}

fn render(payment_totals: &PaymentTotals) -> String {
    object(|o| {
        for (amount, count, totals) in [
            ("totalAmount", "totalCount", payment_totals.all),
            ("thisMonthAmount", "thisMonthCount", payment_totals.month),
            ("thisWeekAmount", "thisWeekCount", payment_totals.week),
            ("todayAmount", "todayCount", payment_totals.day),
        ] {
            o.put(amount, Raw(&two_decimals(totals.amount))).put(count, totals.count);
        }
    })
}
