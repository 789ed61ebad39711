//! Rows of a table whose width is known only when the program runs.

use super::failure::Failure;
use super::ready::arrays;
use super::session::Session;
use crate::Error;
use crate::value::Param;

impl Session {
    /// Runs an insert for each row of so many values, without waiting; its failure is told by a later
    /// statement or by the commit.
    pub(crate) async fn send_rows(
        &mut self,
        sql: &'static str,
        width: usize,
        values: &[Param<'_>],
    ) -> Result<(), Error> {
        let sent = self.try_send_rows(sql, width, values).await;
        sent.map_err(|failure| self.fail(failure))
    }

    async fn try_send_rows(
        &mut self,
        sql: &'static str,
        width: usize,
        values: &[Param<'_>],
    ) -> Result<(), Failure> {
        let rows: Vec<&[Param<'_>]> = values.chunks_exact(width).collect();
        self.plain(sql, width).await?;
        let Some((statement, _)) = self.bulk_writing(sql).await? else {
            return Err(Failure::lasting(Error::Misuse(format!("no statement over arrays: {sql}"))));
        };
        let params = arrays(&statement, rows.iter().copied())?;
        self.send(statement, params).await
    }
}
