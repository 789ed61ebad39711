//! One connection with its prepared statements.

use crate::value::{Param, Row, Source};
use crate::{Error, error};
use rusqlite::{CachedStatement, Connection, Statement};
use std::borrow::Cow;
use std::collections::HashMap;

pub(crate) struct Session {
    connection: Connection,
    shards: i64,
    /// The SQLite spelling of each statement text, by where the text lies in memory.
    texts: HashMap<(usize, usize), Cow<'static, str>>,
}

impl Session {
    pub(super) fn new(connection: Connection, shards: i64) -> Session {
        Session { connection, shards, texts: HashMap::new() }
    }

    /// Over how many shards customers are spread.
    pub(crate) fn shards(&self) -> i64 {
        self.shards
    }

    pub(crate) fn row<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        rows.next()?.map(|row| map(&Row(Source::Sqlite(row)))).transpose()
    }

    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut see: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            see(&Row(Source::Sqlite(row)))?;
        }
        Ok(())
    }

    pub(crate) fn each_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
        mut see: impl FnMut(usize, &Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut sets = sets.into_iter().peekable();
        if sets.peek().is_none() {
            return Ok(());
        }
        let mut statement = self.prepare(sql)?;
        for (number, params) in sets.enumerate() {
            bind(&mut statement, &params)?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                see(number, &Row(Source::Sqlite(row)))?;
            }
        }
        Ok(())
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, Error> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()? as u64)
    }

    pub(crate) fn execute_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
    ) -> Result<u64, Error> {
        let mut sets = sets.into_iter().peekable();
        if sets.peek().is_none() {
            return Ok(0);
        }
        let mut statement = self.prepare(sql)?;
        let mut changed = 0;
        for params in sets {
            bind(&mut statement, &params)?;
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

    /// A statement that is about to be run, which is noted the first time.
    fn prepare(&mut self, sql: &'static str) -> Result<CachedStatement<'_>, Error> {
        let place = (sql.as_ptr() as usize, sql.len());
        let text = self.texts.entry(place).or_insert_with(|| {
            tracing::trace!(target: crate::STATEMENTS, on = "sqlite", sql);
            numbered(sql)
        });
        Ok(self.connection.prepare_cached(text)?)
    }
}

fn bind(statement: &mut Statement<'_>, params: &[Param<'_>]) -> Result<(), Error> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(error::parameters(wanted, params.len()));
    }
    for (i, param) in params.iter().enumerate() {
        let i = i + 1;
        match *param {
            Param::Null => statement.raw_bind_parameter(i, rusqlite::types::Null),
            Param::Bool(value) => statement.raw_bind_parameter(i, value),
            Param::Int(value) => statement.raw_bind_parameter(i, value),
            Param::Text(value) => statement.raw_bind_parameter(i, value),
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
        let found = session.row("select a, $1 + $1 from t where id = $1", &[1.into()], |row| {
            Ok((row.text(0)?.to_owned(), row.int(1)?))
        })?;
        assert_eq!(found, Some(("uno".to_owned(), 2)));
        let refused = session.execute("update t set a = $2 where id = $1", &[1.into()]);
        assert_eq!(refused, Err(Error::Misuse("2 parameters wanted, 1 given".to_owned())));
        Ok(())
    }
}
