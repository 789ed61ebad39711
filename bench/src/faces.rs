//! (c) The faces: each contract's answer, made from the books every time and given again from memory,
//! beside a handler that returns the same bytes; and (d) how flat their cost is as the books grow.

use crate::books::Shape;
use crate::load::{Ask, Until, fetch, run};
use crate::place::Place;
use crate::report::{Figure, Report, median};
use crate::serving::{Passes, Up, from_memory, memory_ask};
use crate::{Failure, Options};
use std::sync::Arc;
use std::time::Duration;

/// One contract: its number, what is asked of it in turn, and the goal from the books.
struct Face {
    name: &'static str,
    asks: Arc<Vec<Ask>>,
    goal: f64,
}

fn faces(passes: &Passes, on_a_server: bool) -> Vec<Face> {
    // Each statement crosses to the server and back.
    let goal = if on_a_server { 0.08 } else { 0.12 };
    let bearer = |token: &str| format!("Bearer {token}");
    let each = |ask: &dyn Fn(&(String, String, String)) -> Ask| {
        Arc::new(passes.customers.iter().map(ask).collect::<Vec<_>>())
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
    let staff = bearer(&passes.staff);
    let periods = bearer(&passes.periods);
    let received = Arc::new(vec![Ask::get("/api/v1/admin/payments", &[("authorization", &staff)])]);
    let listed = Arc::new(vec![Ask::get("/v1/periods", &[("authorization", &periods)])]);
    vec![
        Face { name: "000 payments of a customer", asks: payments, goal },
        Face { name: "001 payments of all", asks: received, goal },
        Face { name: "002 billing of a customer", asks: billing, goal: 0.04 },
        Face { name: "003 periods", asks: listed, goal },
        Face { name: "004 invoices of an organisation", asks: invoices, goal },
    ]
}

/// Runs and reports (c).
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let shape = match options.quick {
        true => Shape::new(5_000, 12),
        false => Shape::new(100_000, 12),
    };
    let address = place.books(shape).await?;
    place.warm(&address).await?;
    let time = Duration::from_millis(if options.quick { 700 } else { 3_000 });
    let connections = options.connections;
    let books =
        format!("{} customers x {} invoices, {connections} connections", shape.customers, shape.months);
    for (title, bytes, goal) in [
        ("made from the books each time", 0, None),
        // A server in between must be asked whether anything changed.
        ("asked again while nothing changed", 256 << 20, Some(if place.is_server() { 0.3 } else { 0.4 })),
    ] {
        report.section(&format!("(c) Faces, {title}: {books}"));
        let up = Up::new(&address, bytes).await?;
        let customers = if goal.is_some() { 64 } else { 2_000 };
        let passes = Passes::issue(&up, customers).await?;
        for face in faces(&passes, place.is_server()) {
            beside_memory(options, report, &up, &face, goal.unwrap_or(face.goal), time).await?;
        }
        up.down().await?;
    }
    Ok(())
}

async fn beside_memory(
    options: &Options,
    report: &mut Report,
    up: &Up,
    face: &Face,
    goal: f64,
    time: Duration,
) -> Result<(), Failure> {
    let body = ask_apart(up.address, Arc::new(vec![face.asks[0].clone()])).await?;
    let (memory, running) = from_memory(body).await?;
    let mut figure =
        Figure { name: face.name.to_owned(), unit: "requests/s", ours: Vec::new(), limit: Vec::new(), goal };
    let mut p99 = Vec::new();
    // The first load is not counted: it opens files and fills what is kept.
    let connections = options.connections;
    load_apart(up.address, &face.asks, connections, Until::Time(time / 4)).await?;
    let memory_asks = Arc::new(vec![memory_ask()]);
    for _ in 0..options.rounds() {
        let ours = load_apart(up.address, &face.asks, connections, Until::Time(time)).await?;
        let limit = load_apart(memory, &memory_asks, connections, Until::Time(time)).await?;
        figure.ours.push(ours.rate);
        figure.limit.push(limit.rate);
        p99.push(ours.p99_ms);
    }
    running.abort();
    report.figure(&figure);
    report.note(&format!("  p99 of {}", face.name), median(&p99), "ms");
    Ok(())
}

async fn load_apart(
    address: std::net::SocketAddr,
    asks: &Arc<Vec<Ask>>,
    connections: usize,
    until: Until,
) -> Result<crate::load::Loaded, Failure> {
    let asks = Arc::clone(asks);
    tokio::task::spawn_blocking(move || run(address, asks, connections, until)).await?
}

async fn ask_apart(address: std::net::SocketAddr, asks: Arc<Vec<Ask>>) -> Result<Vec<u8>, Failure> {
    tokio::task::spawn_blocking(move || fetch(address, &asks[0])).await?
}

/// Runs and reports (d): what a page costs in small books over what it costs in large ones.
pub(crate) async fn flatness(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let (small, large) = match options.quick {
        true => (Shape::new(84, 12), Shape::new(5_000, 12)),
        false => (Shape::new(834, 12), Shape::new(166_667, 12)),
    };
    let invoices = |shape: Shape| shape.customers * shape.months;
    report.section(&format!(
        "(d) Flatness: a page at {} invoices over the same at {} (goal: at least half as fast)",
        invoices(large),
        invoices(small)
    ));
    let mut ups = Vec::with_capacity(2);
    let mut pages = Vec::with_capacity(2);
    for shape in [small, large] {
        let address = place.books(shape).await?;
        place.warm(&address).await?;
        let up = Up::new(&address, 0).await?;
        pages.push(pages_of(&up).await?);
        ups.push(up);
    }
    let time = Duration::from_millis(if options.quick { 300 } else { 1_500 });
    for (few, many) in pages[0].iter().zip(&pages[1]) {
        let mut figure =
            Figure { name: few.0.clone(), unit: "pages/s", ours: Vec::new(), limit: Vec::new(), goal: 0.5 };
        for _ in 0..options.rounds() {
            figure.ours.push(one_at_a_time(ups[1].address, &many.1, time).await?);
            figure.limit.push(one_at_a_time(ups[0].address, &few.1, time).await?);
        }
        report.figure(&figure);
    }
    for up in ups {
        up.down().await?;
    }
    Ok(())
}

async fn one_at_a_time(
    address: std::net::SocketAddr,
    asks: &Arc<Vec<Ask>>,
    time: Duration,
) -> Result<f64, Failure> {
    let asks = Arc::clone(asks);
    let loaded = tokio::task::spawn_blocking(move || run(address, asks, 1, Until::Time(time))).await??;
    Ok(1e3 / loaded.p50_ms)
}

/// A list: its contract, its path, what says how long a page is, and the headers.
type List<'a> = (&'a str, &'a str, &'a str, Vec<(&'a str, &'a str)>);

/// The first, a middle and the last page of every list, and the one page of 002.
async fn pages_of(up: &Up) -> Result<Vec<(String, Arc<Vec<Ask>>)>, Failure> {
    let passes = Passes::issue(up, 1).await?;
    let (external_id, handle, token) = passes.customers.first().ok_or("books without a customer")?;
    let (bearer, staff) = (format!("Bearer {token}"), format!("Bearer {}", passes.staff));
    let (key, jwt) = (format!("Bearer {}", passes.periods), format!("jwt {token}"));
    let lists: [List<'_>; 4] = [
        ("000", "/api/v1/profile/payments", "limit=2", vec![("authorization", &bearer)]),
        ("001", "/api/v1/admin/payments", "limit=10", vec![("authorization", &staff)]),
        ("003", "/v1/periods", "limit=20", vec![("authorization", &key)]),
        (
            "004",
            "/api/v2/platform/organisation/billing/",
            "page_size=2",
            vec![("authorization", &jwt), ("org-handle", handle)],
        ),
    ];
    let mut pages = Vec::new();
    for (name, path, limit, headers) in lists {
        let first = format!("{path}?{limit}&page=1");
        let body = ask_apart(up.address, Arc::new(vec![Ask::get(&first, &headers)])).await?;
        let last = last_page(&body, limit)?;
        for (which, page) in [("first", 1), ("middle", last.div_ceil(2)), ("last", last)] {
            let ask = Ask::get(&format!("{path}?{limit}&page={page}"), &headers);
            pages.push((format!("{name} {which} page"), Arc::new(vec![ask])));
        }
    }
    let target = format!("/api/v1/customers/{external_id}/billing");
    let ask = Ask::get(&target, &[("authorization", &passes.merchant)]);
    pages.push(("002 billing".to_owned(), Arc::new(vec![ask])));
    Ok(pages)
}

/// The number of the last page, from what the first says of the whole.
fn last_page(body: &[u8], limit: &str) -> Result<u64, Failure> {
    let body: serde_json::Value = serde_json::from_slice(body)?;
    let total = [
        body.pointer("/data/total_items"),
        body.pointer("/pagination/total"),
        body.pointer("/pagination/count"),
        body.pointer("/count"),
    ];
    let total = total.into_iter().flatten().find_map(serde_json::Value::as_u64).ok_or("no total")?;
    let (_, limit) = limit.split_once('=').ok_or("no limit")?;
    Ok(total.div_ceil(limit.parse()?).max(1))
}
