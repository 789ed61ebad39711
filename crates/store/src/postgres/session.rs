//! A connection inside of a transaction, with statements that were sent and not yet answered.

use super::bind::{Bound, Written};
use super::bulk;
use super::failure::{Failure, Remedy};
use super::pool::{Connection, Line, Pool};
use super::ready::{Ready, any_twice, arrays, each_written};
use crate::Error;
use crate::value::{Param, Row, See, Sets, Source};
use futures_util::TryStreamExt;
use std::future::{Future, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio_postgres::Row as PgRow;

/// How long a statement may leave its caller without an answer. The peer may be alive and still never
/// answer; work that waits for it must not wait for ever.
const SILENCE: Duration = Duration::from_secs(60);

const READ: &str = "begin isolation level repeatable read read only";
/// Whoever began a transaction may vanish without a word, with rows that others wait for: a server that
/// hears nothing for so long undoes it. (It is told with the same message, and in this transaction only:
/// a pooler may give the next one another connection.)
pub(super) const WRITE: &str =
    "begin isolation level read committed; set local idle_in_transaction_session_timeout = '5s'";

/// Raises one of the counters of a scope.
pub(super) const RAISE: &str =
    "insert into scope_versions (scope, environment, slot, n) values ($1, $2, $3, 1)
     on conflict (scope, environment, slot) do update set n = scope_versions.n + 1";

type Sent = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send>>;

pub(crate) struct Session {
    pub(super) pool: Arc<Pool>,
    connection: Option<Connection>,
    /// What begins the transaction, until it has begun; nothing if each statement stands for itself.
    begin: &'static str,
    kind: Kind,
    /// How long a reading session waits for a connection.
    patience: Duration,
    /// Statements whose answers were not awaited, in their order. `begin` is the first.
    sent: Vec<Sent>,
    /// What ended the transaction.
    pub(super) failure: Option<Failure>,
}

/// What the statements of a session are to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One snapshot.
    Reading,
    /// Nothing: there is no transaction.
    Asking,
    /// One transaction that can write.
    Writing,
}

impl Session {
    /// One snapshot; a connection is taken for the first statement.
    pub(super) fn reading(pool: Arc<Pool>, patience: Duration) -> Session {
        Session {
            pool,
            connection: None,
            begin: READ,
            kind: Kind::Reading,
            patience,
            sent: Vec::new(),
            failure: None,
        }
    }

    /// Statements that each stand for themselves: outside of a transaction, unless a pooler could give each
    /// message another connection.
    pub(super) fn asking(pool: Arc<Pool>, patience: Duration) -> Session {
        let mut session = Session::reading(pool, patience);
        if session.pool.keeps_statements() {
            (session.begin, session.kind) = ("", Kind::Asking);
        }
        session
    }

    /// A transaction that can write, on a connection; it begins with the first statement.
    pub(super) fn writing(pool: Arc<Pool>, connection: Connection) -> Session {
        Session {
            pool,
            connection: Some(connection),
            begin: WRITE,
            kind: Kind::Writing,
            patience: Duration::ZERO,
            sent: Vec::new(),
            failure: None,
        }
    }

    /// Hands the first row of the answer to `see`.
    pub(crate) async fn first(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Error> {
        let rows = self.try_ask(sql, params).await.map_err(|failure| self.fail(failure))?;
        see_all(&rows[..rows.len().min(1)], 0, see)
    }

    /// Hands every row of the answer to `see`.
    pub(crate) async fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Error> {
        match self.try_each(sql, params, see).await {
            Ok(()) => Ok(()),
            Err(Stopped::Here(error)) => Err(error),
            Err(Stopped::There(failure)) => Err(self.fail(failure)),
        }
    }

    /// Hands every row of the answers to all sets to `see`.
    pub(crate) async fn each_for(
        &mut self,
        sql: &'static str,
        sets: Sets<'_>,
        see: See<'_>,
    ) -> Result<(), Error> {
        match sets.len() {
            0 => return Ok(()),
            1 => return self.each(sql, sets.params_of_all(), see).await,
            _ => {}
        }
        let rows = self.try_ask_for(sql, &sets).await.map_err(|failure| self.fail(failure))?;
        for (at, (number, row)) in rows.iter().enumerate() {
            see(*number, &Row::new(Source::Postgres(row), at == 0))?;
        }
        Ok(())
    }

    pub(crate) async fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, Error> {
        let written = self.try_execute(sql, params).await;
        written.map_err(|failure| self.fail(failure))
    }

    pub(crate) async fn execute_for(&mut self, sql: &'static str, sets: Sets<'_>) -> Result<u64, Error> {
        let settled = self.settle().await;
        settled.map_err(|failure| self.fail(failure))?;
        self.push_for(sql, &sets).await?;
        let settled = self.settle().await;
        settled.map_err(|failure| self.fail(failure))
    }

    /// Sends each set by itself, without waiting for the answer to the one before.
    pub(crate) async fn execute_each(
        &mut self,
        sql: &'static str,
        sets: Sets<'_>,
    ) -> Result<Vec<u64>, Error> {
        let executed = self.try_execute_each(sql, &sets).await;
        executed.map_err(|failure| self.fail(failure))
    }

    /// Sends a statement; its failure is told by a later one or by the commit.
    pub(crate) async fn send_for(&mut self, sql: &'static str, sets: Sets<'_>) -> Result<(), Error> {
        self.push_for(sql, &sets).await
    }

    pub(crate) fn shards(&self) -> i64 {
        self.pool.shards.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Waits for those who change the same counted lists and keeps others waiting until the commit. The
    /// row that is written has no other use.
    pub(crate) async fn take_turns(&mut self, environment: i64, shard: i64) -> Result<(), Error> {
        let turn = ["received".into(), environment.into(), shard.into()];
        self.send_for(RAISE, Sets::of([turn])).await
    }

    /// Commits with a last statement of the driver itself. Everything is on its way when the first
    /// answer is awaited.
    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        self.send_plain("commit").await?;
        self.settle().await.map(|_| ())
    }

    /// Undoes the transaction and gives the connection back, without waiting.
    pub(super) async fn roll_back(mut self) {
        let Some(connection) = &mut self.connection else { return };
        let Ok(line) = connection.line() else { return };
        if line.client.is_closed() || self.failure.as_ref().is_some_and(|f| f.remedy == Remedy::Reconnect) {
            return;
        }
        if self.kind != Kind::Asking && self.began() && self.send_plain("rollback").await.is_err() {
            return;
        }
        self.give_back();
    }

    /// Gives the connection back; its transaction has ended.
    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.give_back(connection);
        }
    }

    /// Whether anything was sent.
    pub(super) fn began(&self) -> bool {
        self.begin.is_empty()
    }

    /// The name of the connection and the number of its next commit, which is even.
    pub(super) fn next_commit(&mut self) -> Result<(u128, i64), Failure> {
        let line = self.line()?;
        line.commits += 2;
        Ok((line.id, line.commits))
    }

    async fn try_ask(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<PgRow>, Failure> {
        let statement = self.plain(sql, params.len()).await?;
        self.send_begin().await?;
        let client = self.line()?.client.clone();
        let bound: Vec<Bound<'_>> = params.iter().map(Bound).collect();
        self.after_sent(async { statement.query(&client, &bound).await?.try_collect().await }).await
    }

    async fn try_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Stopped> {
        let statement = self.plain(sql, params.len()).await?;
        self.send_begin().await?;
        let client = self.line()?.client.clone();
        let bound: Vec<Bound<'_>> = params.iter().map(Bound).collect();
        let mut stream = pin!(self.after_sent(statement.query(&client, &bound)).await?);
        let mut is_first = true;
        loop {
            let Some(row) = answered(stream.try_next()).await? else { return Ok(()) };
            let row = Row::new(Source::Postgres(&row), std::mem::take(&mut is_first));
            see(0, &row).map_err(Stopped::Here)?;
        }
    }

    /// The rows of all sets, in the order of the sets, each with the number of its set.
    async fn try_ask_for(
        &mut self,
        sql: &'static str,
        sets: &Sets<'_>,
    ) -> Result<Vec<(usize, PgRow)>, Failure> {
        self.plain(sql, sets.width()).await?;
        let Some((statement, _)) = self.bulk(sql, bulk::reading).await? else {
            return Err(Failure::lasting(Error::Misuse(format!("no statement over arrays: {sql}"))));
        };
        let params = arrays(&statement, sets.iter())?;
        self.send_begin().await?;
        let client = self.line()?.client.clone();
        let asked = async { statement.query(&client, &params).await?.try_collect().await };
        let rows: Vec<PgRow> = self.after_sent(asked).await?;
        let mut numbered = Vec::with_capacity(rows.len());
        for row in rows {
            let n: i64 = row.try_get(row.len() - 1)?;
            numbered.push((usize::try_from(n - 1).unwrap_or(0), row));
        }
        // The rows of one set come in their order, but the sets may not.
        numbered.sort_by_key(|(n, _)| *n);
        Ok(numbered)
    }

    async fn try_execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, Failure> {
        let statement = self.plain(sql, params.len()).await?;
        self.send_begin().await?;
        let client = self.line()?.client.clone();
        let bound: Vec<Bound<'_>> = params.iter().map(Bound).collect();
        self.after_sent(statement.execute(&client, &bound)).await
    }

    async fn try_execute_each(&mut self, sql: &'static str, sets: &Sets<'_>) -> Result<Vec<u64>, Failure> {
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        let plain = self.plain(sql, sets.width()).await?;
        self.send_begin().await?;
        let before = self.sent.len();
        for set in sets.iter() {
            let params = each_written(&plain, set)?;
            self.send(plain.clone(), params).await?;
        }
        let mut changed = Vec::with_capacity(before + sets.len());
        for sent in std::mem::take(&mut self.sent) {
            changed.push(answered(sent).await?);
        }
        Ok(changed.split_off(before))
    }

    async fn push_for(&mut self, sql: &'static str, sets: &Sets<'_>) -> Result<(), Error> {
        let pushed = self.try_push_for(sql, sets).await;
        pushed.map_err(|failure| self.fail(failure))
    }

    async fn try_push_for(&mut self, sql: &'static str, sets: &Sets<'_>) -> Result<(), Failure> {
        if sets.is_empty() {
            return Ok(());
        }
        let plain = self.plain(sql, sets.width()).await?;
        if sets.len() > 1
            && let Some((statement, keys)) = self.bulk_writing(sql).await?
            && !keys.as_ref().as_ref().is_some_and(|keys| any_twice(keys, sets))
        {
            let params = arrays(&statement, sets.iter())?;
            return self.send(statement, params).await;
        }
        for set in sets.iter() {
            let params = each_written(&plain, set)?;
            self.send(plain.clone(), params).await?;
        }
        Ok(())
    }

    /// Sends a statement of the driver itself.
    pub(super) async fn send_one<const N: usize>(
        &mut self,
        sql: &'static str,
        set: [Param<'_>; N],
    ) -> Result<(), Failure> {
        self.try_push_for(sql, &Sets::of([set])).await
    }

    pub(super) async fn send(&mut self, statement: Ready, params: Vec<Written>) -> Result<(), Failure> {
        self.send_begin().await?;
        let client = self.line()?.client.clone();
        self.push(Box::pin(async move { statement.execute(&client, &params).await })).await
    }

    async fn send_plain(&mut self, sql: &'static str) -> Result<(), Failure> {
        let client = self.line()?.client.clone();
        self.push(Box::pin(async move { client.batch_execute(sql).await.map(|()| 0) })).await
    }

    /// Begins the transaction, if it has not begun, with the statement that follows.
    pub(super) async fn send_begin(&mut self) -> Result<(), Failure> {
        match std::mem::take(&mut self.begin) {
            "" => Ok(()),
            begin => self.send_plain(begin).await,
        }
    }

    /// Puts a statement on the wire, which takes one poll, and keeps what waits for its answer.
    async fn push(&mut self, mut sent: Sent) -> Result<(), Failure> {
        match poll_fn(|cx| Poll::Ready(sent.as_mut().poll(cx))).await {
            Poll::Ready(Ok(changed)) => self.sent.push(Box::pin(ready(Ok(changed)))),
            Poll::Ready(Err(error)) => return Err(self.first_failure(error.into()).await),
            Poll::Pending => self.sent.push(sent),
        }
        Ok(())
    }

    /// Awaits what was sent; answers how many rows it changed.
    pub(super) async fn settle(&mut self) -> Result<u64, Failure> {
        let mut changed = 0;
        for sent in std::mem::take(&mut self.sent) {
            changed += answered(sent).await?;
        }
        Ok(changed)
    }

    /// Sends a statement and awaits its answer, after the answers to what was sent before it: a connection
    /// holds no more than a part of an answer that nobody takes, and all that come later behind it.
    pub(super) async fn after_sent<T>(
        &mut self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let mut asked = pin!(asked);
        let answer = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await;
        self.settle().await?;
        match answer {
            Poll::Ready(answer) => Ok(answer?),
            Poll::Pending => answered(asked).await,
        }
    }

    /// The failure that came first: after it, all statements of the transaction fail.
    pub(super) async fn first_failure(&mut self, failure: Failure) -> Failure {
        self.settle().await.err().unwrap_or(failure)
    }

    pub(super) fn fail(&mut self, failure: Failure) -> Error {
        let error = failure.error.clone();
        self.failure.get_or_insert(failure);
        error
    }

    pub(super) fn line(&mut self) -> Result<&mut Line, Failure> {
        match &mut self.connection {
            Some(connection) => connection.line(),
            None => Err(Failure::lost("there is no connection")),
        }
    }

    pub(super) async fn connected(&mut self) -> Result<&mut Line, Failure> {
        if self.connection.is_none() {
            self.connection = Some(self.pool.take(self.patience).await?);
        }
        self.line()
    }
}

/// Why a walk over rows ended early: by who walked, or by the database.
enum Stopped {
    Here(Error),
    There(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::There(failure)
    }
}

/// Hands rows of one set to `see`.
pub(super) fn see_all(rows: &[PgRow], set: usize, see: See<'_>) -> Result<(), Error> {
    rows.iter().enumerate().try_for_each(|(at, row)| see(set, &Row::new(Source::Postgres(row), at == 0)))
}

/// Waits for an answer, but not for ever.
pub(super) async fn answered<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(SILENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::silence()),
    }
}
