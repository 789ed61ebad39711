//! The faces: each contract's answer, made from the books every time and given again from memory, beside a
//! handler that returns the same bytes; of large books, of books in many shards, and of a customer who has a lot.

use crate::books::Shape;
use crate::failure::Failure;
use crate::load::{Ask, Until, fetch, load};
use crate::options::Options;
use crate::place::Place;
use crate::questions::{Question, pages, questions};
use crate::report::{Report, Row};
use crate::serving::{Passes, Up, from_memory, memory_ask};
use crate::writes;
use std::time::Duration;

/// How many requests of a kind are asked in turn.
const ASKS: usize = 2_000;
/// How many, where all of them fit into the memory for answers.
const ASKS_AGAIN: usize = 64;

/// Runs and reports `faces`.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let shape = match options.quick {
        true => Shape::new(5_000, 12),
        false => Shape::new(100_000, 12),
    };
    if options.wants("faces.made") {
        from_books(options, place, report, shape, "faces.made").await?;
    }
    if options.wants("faces.again") {
        // A server in between must be asked whether anything changed.
        let goal = Some(if place.is_server() { 0.3 } else { 0.4 });
        let title = "Faces, asked again while nothing changed";
        let mut group = Group { options, place, report, id: "faces.again", goal };
        group.measure(title, shape, 256 << 20, ASKS_AGAIN).await?;
    }
    Ok(())
}

/// Runs and reports `shards`: the customers are spread over 64.
pub(crate) async fn sharded(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let customers = if options.quick { 2_500 } else { 16_667 };
    let shape = Shape { shards: 64, ..Shape::new(customers, 12) };
    from_books(options, place, report, shape, "shards").await?;
    if options.wants("shards.payments") {
        let size = (if options.quick { 1_000 } else { 5_000 }, 64);
        let row = Row::new("shards.payments", "manual payments, 64 clients", "payments/s", None);
        writes::row(options, place, report, shape, row, size).await?;
    }
    Ok(())
}

/// Answers made from the books, each time.
async fn from_books(
    options: &Options,
    place: &Place,
    report: &mut Report,
    shape: Shape,
    id: &str,
) -> Result<(), Failure> {
    let mut group = Group { options, place, report, id, goal: None };
    group.measure("Faces, made from the books each time", shape, 0, ASKS).await
}

/// Rows that are measured in the same way.
struct Group<'a> {
    options: &'a Options,
    place: &'a Place,
    report: &'a mut Report,
    id: &'a str,
    /// What is aimed at; what each contract aims at, if none.
    goal: Option<f64>,
}

impl Group<'_> {
    async fn measure(
        &mut self,
        title: &str,
        shape: Shape,
        memory: usize,
        asks: usize,
    ) -> Result<(), Failure> {
        let address = self.place.books(shape).await?;
        self.place.warm(&address).await?;
        let Shape { customers, months, shards, .. } = shape;
        let (spread, connections) = (format!("{shards} shard(s)"), self.options.connections);
        self.report.section(&format!(
            "{title}: {customers} customers x {months} invoices, {spread}, {connections} connections"
        ));
        let up = Up::new(&address, memory).await?;
        let passes = Passes::issue(&up, asks).await?;
        for question in questions(&up, &passes, shape, asks).await? {
            let id = format!("{}.{}", self.id, question.id);
            if self.options.wants(&id) {
                let row = Row::new(&id, question.name, "requests/s", self.goal_of(&question));
                if let Err(error) = self.beside_memory(&up, row, &question.asks, connections).await {
                    self.report.failed(&id, &error);
                }
            }
        }
        up.down().await
    }

    /// Of large books in one place alone: the others are there to be seen.
    fn goal_of(&self, question: &Question) -> Option<f64> {
        if self.id != "faces.made" {
            return self.goal;
        }
        Some(match question.id {
            "002" => 0.04,
            _ if self.place.is_server() => 0.08,
            _ => 0.12,
        })
    }

    async fn beside_memory(
        &mut self,
        up: &Up,
        mut row: Row,
        asks: &[Ask],
        connections: usize,
    ) -> Result<(), Failure> {
        let time = Duration::from_millis(if self.options.quick { 300 } else { 3_000 });
        let (memory, running) = from_memory(fetch(up.address, &asks[0]).await?).await?;
        // The first load is not counted: it opens files and fills what is kept.
        load(self.place, up.address, asks, connections, Until::Time(time / 4)).await?;
        let memory_asks = [memory_ask()];
        for _ in 0..self.options.rounds() {
            row.ours.push(load(self.place, up.address, asks, connections, Until::Time(time)).await?);
            row.limit.push(load(self.place, memory, &memory_asks, connections, Until::Time(time)).await?);
        }
        running.abort();
        self.report.row(&row);
        Ok(())
    }
}

/// Runs and reports `heavy`: one customer, whose pages of contract 000 are asked by many, each another one.
/// Contract 002 has one page of a customer, and so it is asked by one at a time: nobody shares an answer.
pub(crate) async fn heavy(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let invoices = if options.quick { 50 } else { 500 };
    let shape = Shape { subscriptions: 20, ..Shape::new(1, invoices) };
    let address = place.books(shape).await?;
    place.warm(&address).await?;
    let all = shape.subscriptions * invoices;
    report.section(&format!("A customer with {all} invoices of {} daily subscriptions", shape.subscriptions));
    let up = Up::new(&address, 0).await?;
    let passes = Passes::issue(&up, 1).await?;
    let (external_id, _, token) = passes.customers.first().ok_or("books without a customer")?;
    let bearer = format!("Bearer {token}");
    let list = "/api/v1/profile/payments?limit=10";
    let asks = pages(&up, list, &[("authorization", &bearer)], 10, ASKS).await?;
    let target = format!("/api/v1/customers/{external_id}/billing");
    let whole = [Ask::get(&target, &[("authorization", &passes.merchant)])];
    let mut group = Group { options, place, report, id: "heavy", goal: None };
    if options.wants("heavy.000") {
        let row = Row::new("heavy.000", "a page of its payments", "requests/s", None);
        group.beside_memory(&up, row, &asks, options.connections).await?;
    }
    if options.wants("heavy.002") {
        let row = Row::new("heavy.002", "its billing, by one", "requests/s", None);
        group.beside_memory(&up, row, &whole, 1).await?;
    }
    up.down().await
}
