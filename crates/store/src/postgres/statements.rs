//! Statements that are prepared once for each connection, as they were written and over arrays.
//!
//! Through a pooler that gives each transaction another connection, nothing is kept: a statement is sent
//! with its text and the types of its parameters, which a connection was asked for once.

use super::bind::array_of;
use super::bulk;
use super::failure::Failure;
use super::ready::{How, Over, Prepared, PreparedBulk, Ready, StatementKey, Types};
use super::session::Session;
use crate::error;
use std::sync::Arc;
use tokio_postgres::Statement;

impl Session {
    pub(super) async fn plain(&mut self, sql: &'static str, given: usize) -> Result<Ready, Failure> {
        let key = (sql.as_ptr() as usize, sql.len());
        let line = self.connected().await?;
        let statement = match line.statements.get(&key) {
            Some(known) => known.plain.clone(),
            None => {
                let how = if self.pool.keeps_statements() {
                    How::Kept(self.prepare(sql).await?)
                } else {
                    How::Sent(self.types(sql, key).await?)
                };
                let plain = Ready::new(sql, "postgres", how);
                self.line()?.statements.insert(key, Prepared { plain: plain.clone(), bulk: None });
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
    async fn types(&mut self, sql: &'static str, key: StatementKey) -> Result<Types, Failure> {
        if let Some(types) = self.pool.learned(key) {
            return Ok(types);
        }
        self.send_begin().await?;
        let types: Types = self.prepare(sql).await?.params().into();
        self.pool.learn(key, types.clone());
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
        let key = (sql.as_ptr() as usize, sql.len());
        let line = self.line()?;
        let Some(known) = line.statements.get(&key) else { return Ok(None) };
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
        if let Some(known) = self.line()?.statements.get_mut(&key) {
            known.bulk = Some(match &over {
                Some((statement, keys)) => PreparedBulk::Is(statement.clone(), keys.clone()),
                None => PreparedBulk::IsNot,
            });
        }
        Ok(over)
    }
}
