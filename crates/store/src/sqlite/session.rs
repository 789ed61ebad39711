//! One connection with its prepared statements.

use crate::value::{Param, Row, See, Sets, Source};
use crate::{Error, error};
use rusqlite::{CachedStatement, Connection, Statement};
use std::borrow::Cow;
use std::collections::HashMap;

pub(crate) struct Session {
    connection: Connection,
    shards: i64,
    /// The SQLite spelling of each statement text and whether it has given no row yet, by where the text
    /// lies in memory.
    texts: HashMap<(usize, usize), (Cow<'static, str>, bool)>,
}

impl Session {
    pub(super) fn new(connection: Connection, shards: i64) -> Session {
        Session { connection, shards, texts: HashMap::new() }
    }

    /// Over how many shards customers are spread.
    pub(crate) fn shards(&self) -> i64 {
        self.shards
    }

    /// Hands the first row of the answer to `see`.
    pub(crate) fn first(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Error> {
        let (mut statement, is_new) = self.prepare(sql)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        if let Some(row) = rows.next()? {
            see(0, &Row::new(Source::Sqlite(row), std::mem::take(is_new)))?;
        }
        Ok(())
    }

    /// Hands every row of the answer to `see`.
    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Error> {
        let (mut statement, is_new) = self.prepare(sql)?;
        answer(&mut statement, is_new, 0, params, see)
    }

    /// Hands every row of the answers to all sets to `see`.
    pub(crate) fn each_for(&mut self, sql: &'static str, sets: &Sets<'_>, see: See<'_>) -> Result<(), Error> {
        if sets.is_empty() {
            return Ok(());
        }
        let (mut statement, is_new) = self.prepare(sql)?;
        sets.iter().enumerate().try_for_each(|(n, set)| answer(&mut statement, is_new, n, set, see))
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, Error> {
        let (mut statement, _) = self.prepare(sql)?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()? as u64)
    }

    pub(crate) fn execute_for(&mut self, sql: &'static str, sets: &Sets<'_>) -> Result<u64, Error> {
        if sets.is_empty() {
            return Ok(0);
        }
        let (mut statement, _) = self.prepare(sql)?;
        let mut changed = 0;
        for params in sets.iter() {
            bind(&mut statement, params)?;
            changed += statement.raw_execute()? as u64;
        }
        Ok(changed)
    }

    /// Runs a statement of the driver itself, without parameters.
    pub(super) fn run(&mut self, sql: &'static str) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.raw_execute()?;
        Ok(())
    }

    /// A number that changes when another connection commits to the file.
    pub(super) fn data_version(&mut self) -> Result<i64, Error> {
        let mut statement = self.connection.prepare_cached("pragma data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Whether a transaction is open. SQLite ends one by itself after some failures of the disk.
    pub(super) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Moves the whole log into the file.
    pub(super) fn checkpoint(&mut self) -> Result<(), Error> {
        Ok(self.connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?)
    }

    /// A statement that is about to be run, which is noted the first time, and whether it has yet to give
    /// its first row.
    fn prepare(&mut self, sql: &'static str) -> Result<(CachedStatement<'_>, &mut bool), Error> {
        let place = (sql.as_ptr() as usize, sql.len());
        let (text, is_new) = self.texts.entry(place).or_insert_with(|| {
            tracing::trace!(target: crate::trace::STATEMENTS, on = "sqlite", sql);
            (numbered(sql), true)
        });
        Ok((self.connection.prepare_cached(text)?, is_new))
    }
}

/// Hands the rows of the answer to one set to `see`.
fn answer(
    statement: &mut Statement<'_>,
    is_new: &mut bool,
    set: usize,
    params: &[Param<'_>],
    see: See<'_>,
) -> Result<(), Error> {
    bind(statement, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        see(set, &Row::new(Source::Sqlite(row), std::mem::take(is_new)))?;
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, params: &[Param<'_>]) -> Result<(), Error> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(error::parameters(wanted, params.len()));
    }
    for (i, param) in params.iter().enumerate() {
        let i = i + 1;
        match param {
            Param::Null => statement.raw_bind_parameter(i, rusqlite::types::Null),
            Param::Bool(value) => statement.raw_bind_parameter(i, value),
            Param::Int(value) => statement.raw_bind_parameter(i, value),
            Param::Text(value) => statement.raw_bind_parameter(i, value.as_ref()),
            Param::Id(value) => statement.raw_bind_parameter(i, &value.to_be_bytes()[..]),
            Param::Bytes(value) => statement.raw_bind_parameter(i, value),
        }?;
    }
    Ok(())
}

/// SQLite numbers `$1` parameters by where they first stand in the text, and `?1` by their number:
/// this writes the first as the second, outside of quotes and comments.
fn numbered(sql: &'static str) -> Cow<'static, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '$' => {
                text.push('?');
                rest = &rest[1..];
                continue;
            }
            '\'' | '"' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => c.len_utf8(),
        };
        text.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_by_their_number() {
        assert_eq!(numbered("update t set a = $2 where id = $1"), "update t set a = ?2 where id = ?1");
        assert_eq!(numbered("select $10, $1"), "select ?10, ?1");
        assert_eq!(numbered("select '$1', \"a$1\", 'it''s $2', $3"), "select '$1', \"a$1\", 'it''s $2', ?3");
        assert_eq!(numbered("select $1 -- the $2\n, $3 /* $4 */"), "select ?1 -- the $2\n, ?3 /* $4 */");
        assert_eq!(numbered("select 1"), "select 1");
        assert_eq!(numbered("select 'é', $1"), "select 'é', ?1");
    }

    #[test]
    fn parameters_bind_by_number_whatever_their_order() -> Result<(), Error> {
        let mut session = Session::new(Connection::open_in_memory()?, 1);
        session.execute("create table t (id bigint primary key, a text)", &[])?;
        session.execute("insert into t (a, id) values ($2, $1)", &[1.into(), "one".into()])?;
        let changed = session.execute("update t set a = $2 where id = $1", &[1.into(), "uno".into()])?;
        assert_eq!(changed, 1);
        let mut found = None;
        session.first("select a, $1 + $1 from t where id = $1", &[1.into()], &mut |_, row| {
            found = Some((row.text(0)?.to_owned(), row.int(1)?));
            Ok(())
        })?;
        assert_eq!(found, Some(("uno".to_owned(), 2)));
        let refused = session.execute("update t set a = $2 where id = $1", &[1.into()]);
        assert_eq!(refused, Err(Error::Misuse("2 parameters wanted, 1 given".to_owned())));
        Ok(())
    }
}
