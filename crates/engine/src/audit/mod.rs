//! Deriving the books again: every invoice, balance, period and counter from the ledger and the rows.
//!
//! All of it is read on one snapshot and page by page, so that it neither disturbs nor trusts what
//! is written meanwhile, and needs no more memory for large books than for small ones.

mod access;
mod check;
mod counters;
mod customers;
mod invoices;
mod label;
mod ledger;
mod payments;
mod schedule;
mod subscriptions;

pub use check::{Check, Checked, Disagreement, Report};

use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use crate::load;
use billing::rules::Rules;
use check::Findings;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::Snapshot;

/// How many rows of a table are read together.
const PAGE: i64 = 200;

/// How far an audit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being looked at.
    pub stage: &'static str,
    /// How many of them have been looked at.
    pub done: u64,
}

/// Who is told how far an audit has come.
pub type Tell = Box<dyn FnMut(Progress) + Send>;

impl Engine {
    /// Derives the books of an environment, or all of them, again and compares.
    ///
    /// # Errors
    /// If there is no such environment, the store fails, or a row cannot be read at all.
    pub fn audit(&self, environment: Option<i64>, tell: Tell) -> Fut<'_, Report> {
        let tell = Arc::new(Mutex::new(tell));
        self.read(move |s| {
            s.dedicated();
            Box::pin(async move {
                let mut books = Vec::new();
                for known in store::environments::all(s).await? {
                    if environment.is_none_or(|wanted| wanted == known.number) {
                        books.push(load::rules(s, known.number).await?);
                    }
                }
                if let Some(number) = environment.filter(|_| books.is_empty()) {
                    return Err(Error::none_named(Kind::Environment, number));
                }
                let (findings, seen) = (Findings::default(), BTreeMap::new());
                let mut audit = Audit { s, environment, books, findings, tell, seen };
                audit.run().await?;
                Ok(audit.findings.report())
            })
        })
    }
}

/// An audit under way.
struct Audit<'s> {
    s: &'s mut Snapshot,
    /// The only environment that is looked at, if it is not all of them.
    environment: Option<i64>,
    books: Vec<Rules>,
    findings: Findings,
    /// Shared by those who begin again when the database was lost.
    tell: Arc<Mutex<Tell>>,
    /// How many were looked at, by stage.
    seen: BTreeMap<&'static str, u64>,
}

impl Audit<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        self.ledger_and_customers().await?;
        self.invoices().await?;
        self.subscriptions().await?;
        self.payments().await?;
        self.credits().await?;
        self.lists().await?;
        self.counters().await?;
        self.access().await
    }

    /// Whether an environment is looked at.
    fn covers(&self, environment: i64) -> bool {
        self.environment.is_none_or(|wanted| wanted == environment)
    }

    fn report_progress(&mut self, stage: &'static str, done: usize) {
        let seen = self.seen.entry(stage).or_default();
        *seen += done as u64;
        let mut tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner);
        tell(Progress { stage, done: *seen });
    }
}
