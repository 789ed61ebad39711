//! A statement as a connection can run it, and the parameters that it takes.

use super::bind::{Array, Written, append};
use super::failure::Failure;
use crate::Error;
use crate::value::{Param, Sets};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, RowStream, Statement};

/// Where the text of a statement lies in memory, and how long it is.
pub(super) type StatementKey = (usize, usize);

/// What the parameters of a statement are.
pub(super) type Types = Arc<[Type]>;

/// A statement as it was written, and over arrays.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) plain: Ready,
    pub(super) bulk: Option<PreparedBulk>,
}

/// A statement over arrays; none if it cannot be written so.
#[derive(Clone)]
pub(super) enum PreparedBulk {
    Is(Ready, Arc<Option<Vec<usize>>>),
    IsNot,
}

/// A statement that can be run.
#[derive(Clone)]
pub(super) struct Ready {
    text: Arc<Text>,
    how: How,
}

struct Text {
    sql: Cow<'static, str>,
    /// What it is noted as.
    on: &'static str,
    is_noted: AtomicBool,
}

/// How a statement reaches the server.
#[derive(Clone)]
pub(super) enum How {
    /// The connection keeps it.
    Kept(Statement),
    /// Its text is sent each time.
    Sent(Types),
}

impl Ready {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>, on: &'static str, how: How) -> Ready {
        Ready { text: Arc::new(Text { sql: sql.into(), on, is_noted: AtomicBool::new(false) }), how }
    }

    /// Notes that it is run, once.
    fn note(&self) {
        let Text { sql, on, is_noted } = &*self.text;
        if !is_noted.load(Ordering::Relaxed) {
            is_noted.store(true, Ordering::Relaxed);
            tracing::trace!(target: crate::trace::STATEMENTS, on, sql = &**sql);
        }
    }

    /// What its parameters are.
    pub(super) fn params(&self) -> &[Type] {
        match &self.how {
            How::Kept(statement) => statement.params(),
            How::Sent(types) => types,
        }
    }

    /// Runs it, for rows.
    pub(super) async fn query<P: ToSql + Sync>(
        &self,
        client: &Client,
        params: &[P],
    ) -> Result<RowStream, tokio_postgres::Error> {
        self.note();
        match &self.how {
            How::Kept(statement) => client.query_raw(statement, params).await,
            How::Sent(types) => {
                let typed: Vec<(&P, Type)> = params.iter().zip(types.iter().cloned()).collect();
                client.query_typed_raw(&self.text.sql, typed).await
            }
        }
    }

    /// Runs it; answers how many rows it changed.
    pub(super) async fn execute<P: ToSql + Sync>(
        &self,
        client: &Client,
        params: &[P],
    ) -> Result<u64, tokio_postgres::Error> {
        self.note();
        match &self.how {
            How::Kept(statement) => client.execute_raw(statement, params).await,
            How::Sent(types) => {
                let typed = params.iter().zip(types.iter());
                let typed: Vec<(&(dyn ToSql + Sync), Type)> =
                    typed.map(|(param, wanted)| (param as &(dyn ToSql + Sync), wanted.clone())).collect();
                client.execute_typed(&self.text.sql, &typed).await
            }
        }
    }
}

/// A statement over arrays, with the parameters by which it finds rows.
pub(super) type Over = Option<(Ready, Arc<Option<Vec<usize>>>)>;

fn unfit(error: Box<dyn std::error::Error + Sync + Send>) -> Failure {
    Failure::lasting(Error::Misuse(error.to_string()))
}

pub(super) fn each_written(statement: &Ready, set: &[Param<'_>]) -> Result<Vec<Written>, Failure> {
    let pairs = set.iter().zip(statement.params());
    pairs.map(|(param, wanted)| Written::value(param, wanted)).collect::<Result<_, _>>().map_err(unfit)
}

/// One array for each parameter.
pub(super) fn arrays<'s, 'p: 's>(
    statement: &Ready,
    sets: impl Iterator<Item = &'s [Param<'p>]> + Clone,
) -> Result<Vec<Written>, Failure> {
    let columns = statement.params().iter().enumerate().map(|(column, array)| {
        let tokio_postgres::types::Kind::Array(element) = array.kind() else {
            return Err(format!("{array} is no array").into());
        };
        let mut values = Array::of(element.clone());
        for set in sets.clone() {
            values.push(&set[column])?;
        }
        Ok(values.written())
    });
    columns.collect::<Result<_, _>>().map_err(unfit)
}

/// Whether two sets agree in all parameters by which rows are found.
pub(super) fn any_twice(keys: &[usize], sets: &Sets<'_>) -> bool {
    let mut seen = HashSet::with_capacity(sets.len());
    sets.iter().any(|set| {
        let mut key = Vec::with_capacity(keys.len() * 16);
        for at in keys {
            append(&set[*at], &mut key);
        }
        !seen.insert(key)
    })
}
