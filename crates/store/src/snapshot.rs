//! What code inside a transaction sees: statements in, rows out.

use crate::erased::BoxFuture;
use crate::postgres::session::Session as PostgresSession;
use crate::postgres::shared_reads::Reader;
use crate::sqlite::session::Session as SqliteSession;
use crate::value::{See, Sets};
use crate::versions::Scope;
use crate::{Error, Param, Row};
use std::future::ready;
use std::ops::{Deref, DerefMut};

/// One consistent view of the books. On SQLite every statement completes at once; do not wait for
/// anything but statements inside a snapshot.
pub struct Snapshot {
    pub(crate) session: Session,
}

pub(crate) enum Session {
    Sqlite(SqliteSession),
    Postgres(PostgresSession),
    /// One that others read on too.
    Shared(Reader),
}

impl Session {
    /// What writes, or reads by itself, on PostgreSQL.
    pub(crate) fn into_postgres(self) -> PostgresSession {
        match self {
            Session::Postgres(session) => session,
            Session::Sqlite(_) | Session::Shared(_) => unreachable!("a snapshot stays on its database"),
        }
    }
}

impl Snapshot {
    /// The session of a snapshot that was made on SQLite.
    pub(crate) fn sqlite(&mut self) -> &mut SqliteSession {
        match &mut self.session {
            Session::Sqlite(session) => session,
            Session::Postgres(_) | Session::Shared(_) => unreachable!("a snapshot stays on its database"),
        }
    }

    /// How many shards the books have.
    pub fn shards(&self) -> i64 {
        match &self.session {
            Session::Sqlite(session) => session.shards(),
            Session::Postgres(session) => session.shards(),
            Session::Shared(reader) => reader.shards(),
        }
    }

    /// All rows of the answer, each made by `map`.
    pub async fn rows<T: Send>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        let mut see = |_, row: &Row<'_>| {
            rows.push(map(row)?);
            Ok(())
        };
        self.ask(sql, params, &mut see).await?;
        Ok(rows)
    }

    /// The first row of the answer, made by `map`.
    pub async fn row<T: Send>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T, Error> + Send,
    ) -> Result<Option<T>, Error> {
        let mut map = Some(map);
        let mut found = None;
        let mut see = |_, row: &Row<'_>| {
            if let Some(map) = map.take() {
                found = Some(map(row)?);
            }
            Ok(())
        };
        self.ask_first(sql, params, &mut see).await?;
        Ok(found)
    }

    /// Hands every row of the answer to `see`.
    pub async fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut see: impl FnMut(&Row<'_>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        self.ask(sql, params, &mut |_, row: &Row<'_>| see(row)).await
    }

    /// Runs one statement once for each set of parameters and hands every row, with the number of
    /// its set (from 0), to `see`. The way to load many things by key: one look-up of the statement
    /// here, one pipeline on a database that is far away.
    pub async fn each_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
        mut see: impl FnMut(usize, &Row<'_>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let sets = Sets::of(sets);
        self.ask_for(sql, sets, &mut see).await
    }

    // The three below are compiled here and once; those above are thin, because they are compiled for
    // each of their callers.

    fn ask<'a>(
        &'a mut self,
        sql: &'static str,
        params: &'a [Param<'a>],
        see: See<'a>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        match &mut self.session {
            Session::Sqlite(session) => Box::pin(ready(session.each(sql, params, see))),
            Session::Postgres(session) => Box::pin(session.each(sql, params, see)),
            Session::Shared(reader) => Box::pin(reader.each(sql, params, see)),
        }
    }

    fn ask_first<'a>(
        &'a mut self,
        sql: &'static str,
        params: &'a [Param<'a>],
        see: See<'a>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        match &mut self.session {
            Session::Sqlite(session) => Box::pin(ready(session.first(sql, params, see))),
            Session::Postgres(session) => Box::pin(session.first(sql, params, see)),
            Session::Shared(reader) => Box::pin(reader.first(sql, params, see)),
        }
    }

    fn ask_for<'a>(
        &'a mut self,
        sql: &'static str,
        sets: Sets<'a>,
        see: See<'a>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        match &mut self.session {
            Session::Sqlite(session) => Box::pin(ready(session.each_for(sql, &sets, see))),
            Session::Postgres(session) => Box::pin(session.each_for(sql, sets, see)),
            Session::Shared(reader) => Box::pin(reader.each_for(sql, sets, see)),
        }
    }

    /// Says, before the first statement, that much will be read: the rows come as they are read, over a
    /// connection of its own, and hold up nobody. Without it, those who read a database at the same time
    /// share one snapshot and what they ask goes over together. It changes nothing on SQLite.
    pub fn dedicated(&mut self) {
        if let Session::Shared(reader) = &self.session
            && let Some(session) = reader.dedicated()
        {
            self.session = Session::Postgres(session);
        }
    }

    /// Says what [`Snapshot::rows`], [`Snapshot::row`] or [`Snapshot::each`] will be asked for, with the
    /// same parameters. Several that are prefetched cross to a database and back together; it changes
    /// nothing else, and nothing at all on SQLite or where changes are written.
    pub fn prefetch(&mut self, sql: &'static str, params: &[Param<'_>]) {
        if let Session::Shared(reader) = &mut self.session {
            reader.prefetch(sql, params);
        }
    }
}

/// A database transaction that can write; reads like a [`Snapshot`].
pub struct Tx {
    snapshot: Snapshot,
    pub(crate) touched: Vec<Scope>,
}

/// What a transaction writes with.
pub(crate) enum Writer<'a> {
    Sqlite(&'a mut SqliteSession),
    Postgres(&'a mut PostgresSession),
}

impl Tx {
    pub(crate) fn new(snapshot: Snapshot) -> Tx {
        Tx { snapshot, touched: Vec::new() }
    }

    /// Runs a statement that answers no rows; returns how many it changed.
    pub fn execute<'a>(
        &'a mut self,
        sql: &'static str,
        params: &'a [Param<'a>],
    ) -> BoxFuture<'a, Result<u64, Error>> {
        match self.writer() {
            Writer::Sqlite(session) => Box::pin(ready(session.execute(sql, params))),
            Writer::Postgres(session) => Box::pin(session.execute(sql, params)),
        }
    }

    /// Runs one statement once for each set of parameters; returns how many rows were changed in
    /// all. The way to write many rows.
    pub async fn execute_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
    ) -> Result<u64, Error> {
        let sets = Sets::of(sets);
        self.execute_sets(sql, sets).await
    }

    fn execute_sets<'a>(
        &'a mut self,
        sql: &'static str,
        sets: Sets<'a>,
    ) -> BoxFuture<'a, Result<u64, Error>> {
        match self.writer() {
            Writer::Sqlite(session) => Box::pin(ready(session.execute_for(sql, &sets))),
            Writer::Postgres(session) => Box::pin(session.execute_for(sql, sets)),
        }
    }

    /// As [`Tx::execute_for`]; returns how many rows each set changed.
    pub(crate) async fn execute_each<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
    ) -> Result<Vec<u64>, Error> {
        let sets = Sets::of(sets);
        match self.writer() {
            Writer::Sqlite(session) => sets.iter().map(|set| session.execute(sql, set)).collect(),
            Writer::Postgres(session) => session.execute_each(sql, sets).await,
        }
    }

    /// Runs one statement once for each set of parameters, without waiting where the database is far
    /// away: a failure may be told by a later statement or by the commit.
    pub async fn send_for<'p, const N: usize>(
        &mut self,
        sql: &'static str,
        sets: impl IntoIterator<Item = [Param<'p>; N]>,
    ) -> Result<(), Error> {
        let sets = Sets::of(sets);
        self.send_sets(sql, sets).await
    }

    /// As [`Tx::send_for`], once.
    pub async fn send<const N: usize>(
        &mut self,
        sql: &'static str,
        params: [Param<'_>; N],
    ) -> Result<(), Error> {
        self.send_sets(sql, Sets::of([params])).await
    }

    /// As [`Tx::send_for`].
    pub(crate) fn send_sets<'a>(
        &'a mut self,
        sql: &'static str,
        sets: Sets<'a>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        match self.writer() {
            Writer::Sqlite(session) => Box::pin(ready(session.execute_for(sql, &sets).map(|_| ()))),
            Writer::Postgres(session) => Box::pin(session.send_for(sql, sets)),
        }
    }

    /// Makes transactions that change the counted lists of a shard and an environment do so one after
    /// another, each seeing what the one before left. SQLite does so anyway.
    pub(crate) async fn take_turns(&mut self, environment: i64, shard: i64) -> Result<(), Error> {
        match self.writer() {
            Writer::Sqlite(_) => Ok(()),
            Writer::Postgres(session) => session.take_turns(environment, shard).await,
        }
    }

    pub(crate) fn writer(&mut self) -> Writer<'_> {
        match &mut self.snapshot.session {
            Session::Sqlite(session) => Writer::Sqlite(session),
            Session::Postgres(session) => Writer::Postgres(session),
            Session::Shared(_) => unreachable!("what is shared is never written with"),
        }
    }

    pub(crate) fn into_parts(self) -> (Snapshot, Vec<Scope>) {
        (self.snapshot, self.touched)
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
