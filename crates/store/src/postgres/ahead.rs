//! Statements that were announced: they are on their way before anybody asks for their rows, so that
//! several cross to the database and back together.
//!
//! A connection hands over answers one after another and holds no more than a part of one that nobody
//! reads. So rows are taken in the order in which they were announced, whatever order they are asked for in,
//! and all of them before anything else is sent.

use super::bind::Written;
use super::failure::Failure;
use super::session::{Session, answered};
use super::statements::{Ready, each_written};
use crate::Error;
use crate::value::Param;
use futures_util::TryStreamExt;
use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio_postgres::Row as PgRow;

/// A statement on its way.
pub(super) struct Ahead {
    sql: &'static str,
    params: Arc<[Written]>,
    rows: Rows,
}

enum Rows {
    Coming(Pin<Box<dyn Future<Output = Result<Vec<PgRow>, tokio_postgres::Error>> + Send>>),
    Here(Vec<PgRow>),
}

impl Session {
    /// Sends a statement whose rows will be asked for. One that is not asked for in the end costs its time
    /// and nothing else, so a transaction that writes announces nothing: its failure would be missed.
    pub(crate) async fn announce(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<(), Error> {
        if !self.only_reads() {
            return Ok(());
        }
        let announced = self.try_announce(sql, params).await;
        announced.map_err(|failure| self.fail(failure))
    }

    async fn try_announce(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<(), Failure> {
        let statement = self.plain(sql, params.len()).await?;
        let params: Arc<[Written]> = each_written(&statement, params)?.into();
        self.send_begin().await?;
        let client = self.line()?.client.clone();
        let given = params.clone();
        let mut rows: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { statement.query(&client, &given).await?.try_collect().await });
        // One poll puts it on the wire.
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(rows.as_mut().poll(cx))).await {
            rows = Box::pin(ready(answer));
        }
        self.ahead.push_back(Ahead { sql, params, rows: Rows::Coming(rows) });
        Ok(())
    }

    /// The rows of a statement that was announced with these parameters. If it was not, all that was has
    /// arrived.
    pub(super) async fn announced(
        &mut self,
        sql: &'static str,
        statement: &Ready,
        params: &[Param<'_>],
    ) -> Result<Option<Vec<PgRow>>, Failure> {
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let params = each_written(statement, params)?;
        let is_it = |ahead: &Ahead| ahead.sql == sql && *ahead.params == params[..];
        let at = self.ahead.iter().position(is_it);
        self.arrive_to(at.map_or(self.ahead.len(), |at| at + 1)).await?;
        let found = at.and_then(|at| self.ahead.remove(at));
        Ok(found.and_then(|ahead| match ahead.rows {
            Rows::Here(rows) => Some(rows),
            Rows::Coming(_) => None,
        }))
    }

    /// Takes the rows of all that was announced.
    pub(super) async fn arrive(&mut self) -> Result<(), Failure> {
        self.arrive_to(self.ahead.len()).await
    }

    async fn arrive_to(&mut self, end: usize) -> Result<(), Failure> {
        for at in 0..end {
            let Some(Ahead { rows: Rows::Coming(coming), .. }) = self.ahead.get_mut(at) else { continue };
            let rows = answered(coming.as_mut()).await;
            let rows = self.settle_with(rows).await?;
            if let Some(ahead) = self.ahead.get_mut(at) {
                ahead.rows = Rows::Here(rows);
            }
        }
        Ok(())
    }
}
