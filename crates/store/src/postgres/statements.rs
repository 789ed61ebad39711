//! Statements that are prepared once for each connection, as they were written and over arrays, and
//! the parameters that they take.
//!
//! Through a pooler that gives each transaction another connection, nothing is kept: a statement is sent
//! with its text and the types of its parameters, which a connection was asked for once.

use super::bind::{Array, Written, append, array_of};
use super::bulk;
use super::failure::Failure;
use super::pool::{Place, Prepared, PreparedBulk, Types};
use super::session::Session;
use crate::value::{Param, Sets};
use crate::{Error, error};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, RowStream, Statement};

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

#[derive(Clone)]
enum How {
    /// The connection keeps it.
    Kept(Statement),
    /// Its text is sent each time.
    Sent(Types),
}

impl Ready {
    fn new(sql: impl Into<Cow<'static, str>>, on: &'static str, how: How) -> Ready {
        Ready { text: Arc::new(Text { sql: sql.into(), on, is_noted: AtomicBool::new(false) }), how }
    }

    /// Notes that it is run, once.
    fn note(&self) {
        let Text { sql, on, is_noted } = &*self.text;
        if !is_noted.load(Ordering::Relaxed) {
            is_noted.store(true, Ordering::Relaxed);
            tracing::trace!(target: crate::STATEMENTS, on, sql = &**sql);
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

impl Session {
    pub(super) async fn plain(&mut self, sql: &'static str, given: usize) -> Result<Ready, Failure> {
        let place = (sql.as_ptr() as usize, sql.len());
        let line = self.connected().await?;
        let statement = match line.statements.get(&place) {
            Some(known) => known.plain.clone(),
            None => {
                let how = if self.pool.keeps_statements() {
                    How::Kept(self.prepare(sql).await?)
                } else {
                    How::Sent(self.types(sql, place).await?)
                };
                let plain = Ready::new(sql, "postgres", how);
                self.line()?.statements.insert(place, Prepared { plain: plain.clone(), bulk: None });
                plain
            }
        };
        let wanted = statement.params().len();
        if wanted == given { Ok(statement) } else { Err(Failure::lasting(error::parameters(wanted, given))) }
    }

    async fn prepare(&mut self, sql: &'static str) -> Result<Statement, Failure> {
        let client = self.line()?.client.clone();
        self.after_sent(client.prepare(sql)).await
    }

    /// The types of a statement's parameters. To learn them it is prepared and closed again inside of the
    /// transaction, so that both reach the same connection of the server.
    async fn types(&mut self, sql: &'static str, place: Place) -> Result<Types, Failure> {
        if let Some(types) = self.pool.learned(place) {
            return Ok(types);
        }
        self.send_begin().await?;
        let types: Types = self.prepare(sql).await?.params().into();
        self.pool.learn(place, types.clone());
        Ok(types)
    }

    pub(super) async fn bulk_writing(&mut self, sql: &'static str) -> Result<Over, Failure> {
        self.bulk(sql, bulk::writing).await
    }

    /// A statement over arrays, prepared before; none if it cannot be written so.
    pub(super) async fn bulk<B: Into<Option<bulk::Bulk>>>(
        &mut self,
        sql: &'static str,
        write: fn(&str, usize) -> B,
    ) -> Result<Over, Failure> {
        let place = (sql.as_ptr() as usize, sql.len());
        let line = self.line()?;
        let Some(known) = line.statements.get(&place) else { return Ok(None) };
        match &known.bulk {
            Some(PreparedBulk::Is(statement, keys)) => return Ok(Some((statement.clone(), keys.clone()))),
            Some(PreparedBulk::IsNot) => return Ok(None),
            None => {}
        }
        let types: Option<Vec<_>> = known.plain.params().iter().map(array_of).collect();
        let client = line.client.clone();
        let over = match (types, write(sql, known.plain.params().len()).into()) {
            (Some(types), Some(bulk)) if !self.pool.keeps_statements() => {
                Some((Ready::new(bulk.text, bulk.on, How::Sent(types.into())), Arc::new(bulk.keys)))
            }
            (Some(types), Some(bulk)) => {
                let statement = self.after_sent(client.prepare_typed(&bulk.text, &types)).await?;
                Some((Ready::new(bulk.text, bulk.on, How::Kept(statement)), Arc::new(bulk.keys)))
            }
            _ => None,
        };
        if let Some(known) = self.line()?.statements.get_mut(&place) {
            known.bulk = Some(match &over {
                Some((statement, keys)) => PreparedBulk::Is(statement.clone(), keys.clone()),
                None => PreparedBulk::IsNot,
            });
        }
        Ok(over)
    }
}

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
