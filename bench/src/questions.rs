//! What the faces are asked: every request is another page, another filter or another customer's.

use crate::books::{Shape, month_end};
use crate::failure::Failure;
use crate::load::{Ask, fetch};
use crate::serving::{Passes, Up, subscriptions};
use billing::timestamp::Timestamp;

/// One kind of request: its contract, what it asks for, and many of them, no two the same.
pub(crate) struct Question {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) asks: Vec<Ask>,
}

/// How long a window of payments is at most, in days.
const WINDOW_DAYS: usize = 28;

/// Paths and headers of the lists of all.
const RECEIVED: &str = "/api/v1/admin/payments?limit=10";
const PERIODS: &str = "/v1/periods?limit=20";

/// Up to `wanted` requests of each kind.
pub(crate) async fn questions(
    up: &Up,
    passes: &Passes,
    shape: Shape,
    wanted: usize,
) -> Result<Vec<Question>, Failure> {
    let bearer = |token: &str| format!("Bearer {token}");
    let (staff, key) = (bearer(&passes.staff), bearer(&passes.periods));
    let (as_staff, as_program) = ([("authorization", staff.as_str())], [("authorization", key.as_str())]);
    let each = |ask: &dyn Fn(&(String, String, String)) -> Ask| {
        passes.customers.iter().take(wanted).map(ask).collect::<Vec<_>>()
    };
    let payments =
        each(&|(_, _, token)| Ask::get("/api/v1/profile/payments", &[("authorization", &bearer(token))]));
    let billing = each(&|(external_id, ..)| {
        let target = format!("/api/v1/customers/{external_id}/billing");
        Ask::get(&target, &[("authorization", &passes.merchant)])
    });
    let invoices = each(&|(_, handle, token)| {
        let headers = [("authorization", format!("jwt {token}")), ("org-handle", handle.clone())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ask::get("/api/v2/platform/organisation/billing/", &headers)
    });
    let received = pages(up, RECEIVED, &as_staff, 10, wanted).await?;
    let periods = pages(up, PERIODS, &as_program, 20, wanted).await?;
    let windows = windows(shape, wanted)?;
    let windows = windows.iter().map(|window| Ask::get(&format!("{RECEIVED}&{window}"), &as_staff));
    let of_subscriptions = subscriptions(up, wanted).await?;
    let of_subscriptions = of_subscriptions
        .iter()
        .map(|id| Ask::get(&format!("{PERIODS}&subscription_ids%5B%5D={id}"), &as_program));
    Ok(vec![
        Question { id: "000", name: "payments of a customer", asks: payments },
        Question { id: "001", name: "a page of all payments", asks: received },
        Question { id: "001-window", name: "payments of some days", asks: windows.collect() },
        Question { id: "002", name: "billing of a customer", asks: billing },
        Question { id: "003", name: "a page of all periods", asks: periods },
        Question { id: "003-one", name: "periods of a subscription", asks: of_subscriptions.collect() },
        Question { id: "004", name: "invoices of a customer", asks: invoices },
    ])
}

/// Up to `wanted` pages of a list, each another one, from all over it.
pub(crate) async fn pages(
    up: &Up,
    list: &str,
    headers: &[(&str, &str)],
    limit: usize,
    wanted: usize,
) -> Result<Vec<Ask>, Failure> {
    let last = last_page(&fetch(up.address, &Ask::get(list, headers)).await?, limit)?;
    let numbers = scattered(last).take(wanted);
    Ok(numbers.map(|n| Ask::get(&format!("{list}&page={}", n + 1), headers)).collect())
}

/// Up to `wanted` windows of time, each another one, from all over the months of the books.
fn windows(shape: Shape, wanted: usize) -> Result<Vec<String>, Failure> {
    let begin = Timestamp::parse("2024-01-01T00:00:00Z")?;
    let days = usize::try_from((month_end(shape.months - 1)?.micros() - begin.micros()) / 86_400_000_000)?;
    let date = |day: usize| -> Result<String, Failure> {
        Ok(begin.plus_days(i64::try_from(day)?)?.to_string().chars().take(10).collect())
    };
    let all = scattered(days * WINDOW_DAYS).take(wanted);
    all.map(|n| {
        let (day, length) = (n / WINDOW_DAYS, n % WINDOW_DAYS);
        Ok(format!("startDate={}&endDate={}", date(day)?, date(day + length)?))
    })
    .collect()
}

/// All numbers below a bound, once each, far from one to the next.
pub(crate) fn scattered(bound: usize) -> impl Iterator<Item = usize> {
    let common = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let mut stride = bound * 618 / 1000 + 1;
    while common(stride, bound) > 1 {
        stride += 1;
    }
    (0..bound).map(move |n| n * stride % bound)
}

/// The number of the last page, from what the first says of the whole.
pub(crate) fn last_page(body: &[u8], limit: usize) -> Result<usize, Failure> {
    let body: serde_json::Value = serde_json::from_slice(body)?;
    let total = [
        body.pointer("/data/total_items"),
        body.pointer("/pagination/total"),
        body.pointer("/pagination/count"),
        body.pointer("/count"),
    ];
    let total = total.into_iter().flatten().find_map(serde_json::Value::as_u64).ok_or("no total")?;
    Ok(usize::try_from(total)?.div_ceil(limit).max(1))
}
