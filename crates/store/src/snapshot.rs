//! What code inside a transaction sees: statements in, rows out.

use crate::versions::Scope;
use crate::{Error, Param, Row, sqlite};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;

/// The future that a closure given to the store returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One consistent view of the books. On SQLite every statement completes at once; do not wait for
/// anything but statements inside a snapshot.
pub struct Snapshot {
    pub(crate) session: Session,
}

pub(crate) enum Session {
    Sqlite(sqlite::Session),
}

impl Snapshot {
    /// All rows of the answer, each made by `map`.
    pub async fn rows<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        self.each(sql, params, |row| {
            rows.push(map(row)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// The first row of the answer, made by `map`.
    pub async fn row<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match &mut self.session {
            Session::Sqlite(session) => session.row(sql, params, map),
        }
    }

    /// Hands every row of the answer to `see`.
    pub async fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &mut self.session {
            Session::Sqlite(session) => session.each(sql, params, see),
        }
    }

    /// Runs one statement once for each set of parameters and hands every row, with the number of
    /// its set (from 0), to `see`. The way to load many things by key: one look-up of the statement
    /// here, one pipeline on a database that is far away.
    pub async fn each_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
        see: impl FnMut(usize, &Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &mut self.session {
            Session::Sqlite(session) => session.each_for(sql, sets, see),
        }
    }
}

/// A database transaction that can write; reads like a [`Snapshot`].
pub struct Tx {
    snapshot: Snapshot,
    pub(crate) touched: Vec<Scope>,
}

impl Tx {
    pub(crate) fn new(snapshot: Snapshot) -> Tx {
        Tx { snapshot, touched: Vec::new() }
    }

    /// Runs a statement that answers no rows; returns how many it changed.
    pub async fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, Error> {
        match &mut self.snapshot.session {
            Session::Sqlite(session) => session.execute(sql, params),
        }
    }

    /// Runs one statement once for each set of parameters; returns how many rows were changed in
    /// all. The way to write many rows.
    pub async fn execute_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
    ) -> Result<u64, Error> {
        match &mut self.snapshot.session {
            Session::Sqlite(session) => session.execute_for(sql, sets),
        }
    }

    /// Notes what this transaction changes; its version rises once the commit stands.
    pub fn touch(&mut self, scope: Scope) {
        self.touched.push(scope);
    }
}

impl Deref for Tx {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }
}
