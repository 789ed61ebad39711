//! Durable writes: manual payments over HTTP, each of another customer, beside a bare loop that commits the
//! same rows, as many payments in a transaction as clients write at a time.

use crate::bare::{Copies, Sent, Written};
use crate::books::Shape;
use crate::device::sync_seconds;
use crate::failure::Failure;
use crate::load::{Ask, Until, load};
use crate::options::Options;
use crate::place::Place;
use crate::questions::scattered;
use crate::report::{Report, Row, Taken, median};
use crate::serving::{Seller, Up, sellers};

/// The names under which the books of a round are copied.
const OURS: &str = "writes";
const BARE: &str = "bare";

/// How many organizations are written to in turn.
const ORGANIZATIONS: usize = 200;

/// Runs and reports `writes`: on books with hardly anything in them.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let writes = if options.quick { 1_000 } else { 5_000 };
    report.section(&format!("Durable writes: {writes} manual payments, books of 1,000 invoices"));
    let folder = options.data()?;
    // Several looks, for a device has its moments.
    let looks: Vec<f64> = (0..options.rounds()).map(|_| sync_seconds(&folder)).collect::<Result<_, _>>()?;
    report.note("one fdatasync of the device", median(&looks) * 1e3, "ms");
    let shape = Shape::new(1_000, 1);
    rows(options, place, report, shape, "writes", writes).await
}

/// Runs and reports `large`: on books with years in them.
pub(crate) async fn large(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let (writes, shape) = match options.quick {
        true => (1_000, Shape::new(5_000, 12)),
        false => (5_000, Shape::new(16_667, 12)),
    };
    let invoices = shape.customers * shape.months;
    report.section(&format!("Durable writes: {writes} manual payments, books of {invoices} invoices"));
    rows(options, place, report, shape, "large", writes).await
}

/// The rows of one client and of many.
async fn rows(
    options: &Options,
    place: &Place,
    report: &mut Report,
    shape: Shape,
    id: &str,
    writes: usize,
) -> Result<(), Failure> {
    place.books(shape).await?;
    for (clients, name, goal) in [(1, "1 client", Some(0.4)), (64, "64 clients", None)] {
        let id = format!("{id}.{clients}");
        if options.wants(&id) {
            row(options, place, report, shape, Row::new(&id, name, "payments/s", goal), (writes, clients))
                .await?;
        }
    }
    Ok(())
}

/// One row of books of a shape: so many payments by so many clients.
pub(crate) async fn row(
    options: &Options,
    place: &Place,
    report: &mut Report,
    shape: Shape,
    mut row: Row,
    (writes, clients): (usize, usize),
) -> Result<(), Failure> {
    for _ in 0..options.rounds() {
        let ours = place.copy(shape, OURS).await?;
        row.ours.push(over_http(place, &ours, writes, clients).await?);
        let limit = match (place.is_server(), clients) {
            (true, 1) => {
                let written = Sent::read(&ours).await?;
                place.remove(OURS).await?;
                written.write(place, &place.copy(shape, BARE).await?).await?
            }
            (true, _) => {
                let written = Copies::read(&ours, clients).await?;
                place.remove(OURS).await?;
                written.write(place, &place.copy(shape, BARE).await?).await?
            }
            (false, _) => {
                let written = Written::read(&ours)?;
                place.remove(OURS).await?;
                written.write(place, &place.copy(shape, BARE).await?, clients)?
            }
        };
        place.remove(BARE).await?;
        row.limit.push(limit);
    }
    report.row(&row);
    Ok(())
}

async fn over_http(place: &Place, address: &str, writes: usize, clients: usize) -> Result<Taken, Failure> {
    let up = Up::new(address, 0).await?;
    let sellers = sellers(&up, ORGANIZATIONS).await?;
    let order: Vec<&Seller> = scattered(sellers.len()).map(|n| &sellers[n]).collect();
    let asks: Vec<Ask> = order
        .iter()
        .cycle()
        .take(writes)
        .map(|Seller { token, workspace }| {
            let bearer = format!("Bearer {token}");
            let body = format!(
                r#"{{"workspaceId":"{workspace}","paymentType":"subscription","amount":12.50,"paymentMethod":"cash"}}"#
            );
            Ask::new("POST", "/api/v1/admin/payments", &[("authorization", &bearer)], &body, 201)
        })
        .collect();
    let taken = load(place, up.address, &asks, clients, Until::Once).await?;
    up.down().await?;
    Ok(taken)
}
