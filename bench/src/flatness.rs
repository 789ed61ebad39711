//! How flat the cost of a page is as the books grow.

use crate::books::Shape;
use crate::failure::Failure;
use crate::load::{Ask, Until, fetch, load};
use crate::options::Options;
use crate::place::Place;
use crate::questions::last_page;
use crate::report::{Report, Row};
use crate::serving::{Passes, Up};
use std::time::Duration;

/// How many customers are asked about.
const CUSTOMERS: usize = 64;
/// How many pages are the first, the middle or the last ones of a list of all.
const PAGES: usize = 16;

/// Runs and reports `pages`: what a page costs in small books over what it costs in large ones.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let (small, large) = match options.quick {
        true => (Shape::new(84, 12), Shape::new(5_000, 12)),
        false => (Shape::new(834, 12), Shape::new(166_667, 12)),
    };
    let invoices = |shape: Shape| shape.customers * shape.months;
    report.section(&format!(
        "Flatness: a page at {} invoices over the same at {} (goal: at least half as fast), one client",
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
    let time = Duration::from_millis(if options.quick { 150 } else { 1_500 });
    for ((id, few), (_, many)) in pages[0].iter().zip(&pages[1]) {
        if !options.wants(id) {
            continue;
        }
        let mut row = Row::new(id, "as the books grow", "pages/s", Some(0.5));
        for _ in 0..options.rounds() {
            row.ours.push(load(place, ups[1].address, many, 1, Until::Time(time)).await?);
            row.limit.push(load(place, ups[0].address, few, 1, Until::Time(time)).await?);
        }
        report.row(&row);
    }
    for up in ups {
        up.down().await?;
    }
    Ok(())
}

/// The first, middle and last pages of every list, and the one page of 002: of another customer each time,
/// or another page.
async fn pages_of(up: &Up) -> Result<Vec<(String, Vec<Ask>)>, Failure> {
    let passes = Passes::issue(up, CUSTOMERS).await?;
    let (staff, key) = (format!("Bearer {}", passes.staff), format!("Bearer {}", passes.periods));
    let mut pages = Vec::new();
    for (id, list, limit, credential) in
        [("001", "/api/v1/admin/payments?limit=10", 10, &staff), ("003", "/v1/periods?limit=20", 20, &key)]
    {
        let headers = [("authorization", credential.as_str())];
        let last = last_page(&fetch(up.address, &Ask::get(list, &headers)).await?, limit)?;
        // So many that the three kinds have no page in common.
        let many = PAGES.min((last / 3).max(1));
        for (which, from) in [("first", 1), ("middle", (last - many) / 2 + 1), ("last", last - many + 1)] {
            let asks = (from..from + many).map(|n| Ask::get(&format!("{list}&page={n}"), &headers));
            pages.push((format!("pages.{id}.{which}"), asks.collect()));
        }
    }
    let last = 6;
    for (which, page) in [("first", 1), ("middle", last / 2), ("last", last)] {
        let mut payments = Vec::new();
        let mut invoices = Vec::new();
        for (_, handle, token) in &passes.customers {
            let (bearer, jwt) = (format!("Bearer {token}"), format!("jwt {token}"));
            let target = format!("/api/v1/profile/payments?limit=2&page={page}");
            payments.push(Ask::get(&target, &[("authorization", &bearer)]));
            let target = format!("/api/v2/platform/organisation/billing/?page_size=2&page={page}");
            invoices.push(Ask::get(&target, &[("authorization", &jwt), ("org-handle", handle)]));
        }
        pages.push((format!("pages.000.{which}"), payments));
        pages.push((format!("pages.004.{which}"), invoices));
    }
    let billing = passes.customers.iter().map(|(external_id, ..)| {
        let target = format!("/api/v1/customers/{external_id}/billing");
        Ask::get(&target, &[("authorization", &passes.merchant)])
    });
    pages.push(("pages.002".to_owned(), billing.collect()));
    pages.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(pages)
}
