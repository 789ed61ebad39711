//! Reads that go together. Those who want to read at the same time share one snapshot, and what they ask
//! with the same words goes over as one statement over arrays: under load, connections, transactions and
//! the start of statements are paid once for many readers.
//!
//! A batch gathers until it is its turn and there is a connection, and nobody joins after its snapshot has
//! begun: what a reader sees is never older than its request. It asks in rounds. A round takes all that was
//! asked during the one before and is sent in one go; each reader goes on when its own answer is there.

#[cfg(test)]
mod tests;

use super::bind::Written;
use super::bulk;
use super::failure::Failure;
use super::pool::Pool;
use super::ready::{Ready, StatementKey, arrays, each_written};
use super::session::{Session, answered, see_all};
use super::tries::PATIENCE;
use crate::Error;
use crate::value::{OwnedParam, Param, See, Sets};
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::{Future, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tokio_postgres::Row as PgRow;

/// How many batches read at a time. While one crosses to the database and back, the next gathers.
const AT_ONCE: usize = 3;

/// How long a batch waits for its turn. Those before it may be held up by a statement that takes long; then
/// it goes all the same, as long as there are connections.
const MOMENT: Duration = Duration::from_millis(10);

/// How long a batch that everybody has left waits for answers, so that the connection can be kept.
const ABANDONED: Duration = Duration::from_millis(250);

/// Where readers of one kind meet.
pub(super) struct SharedReads {
    pool: Arc<Pool>,
    begin: fn(Arc<Pool>, Duration) -> Session,
    turns: Semaphore,
    /// The batch that has not begun. It is over when the last of its readers has left.
    gathering: Mutex<Option<WeakUnboundedSender<ReadRequest>>>,
}

/// One set of parameters.
type Set = Arc<[OwnedParam]>;
/// The rows of one set.
type Rows = Arc<Vec<PgRow>>;
/// The rows of each set of a request.
type Answer = Result<Vec<Rows>, Failure>;

struct ReadRequest {
    sql: &'static str,
    width: usize,
    sets: Vec<Set>,
    /// When it has waited for a connection long enough.
    until: Instant,
    answer: oneshot::Sender<Answer>,
}

impl SharedReads {
    /// A place to meet, for sessions that begin so.
    pub(super) fn new(pool: Arc<Pool>, begin: fn(Arc<Pool>, Duration) -> Session) -> Arc<SharedReads> {
        Arc::new(SharedReads { pool, begin, turns: Semaphore::new(AT_ONCE), gathering: Mutex::default() })
    }

    /// Someone who joins a batch with the first statement.
    pub(super) fn reader(self: &Arc<Self>, patience: Duration) -> Reader {
        Reader { shared_reads: self.clone(), patience, batch: None, prefetched: Vec::new(), failure: None }
    }

    fn join(self: &Arc<Self>) -> UnboundedSender<ReadRequest> {
        let mut gathering = self.gathering();
        let known = gathering.as_ref().and_then(WeakUnboundedSender::upgrade);
        if let Some(batch) = known.filter(|batch| !batch.is_closed()) {
            return batch;
        }
        let (batch, requests) = unbounded_channel();
        *gathering = Some(batch.downgrade());
        tokio::spawn(self.clone().hold(requests));
        batch
    }

    async fn hold(self: Arc<Self>, mut requests: UnboundedReceiver<ReadRequest>) {
        let _turn = tokio::time::timeout(MOMENT, self.turns.acquire()).await;
        let mut session = (self.begin)(self.pool.clone(), Duration::MAX);
        let mut round = Vec::new();
        let Some(connected) = connected(&mut session, &mut requests, &mut round).await else {
            return session.roll_back().await;
        };
        // Whoever is ready by now comes along.
        tokio::task::yield_now().await;
        self.gathering().take();
        let mut session = connected.map(|()| session);
        loop {
            if round.is_empty() {
                match requests.recv().await {
                    Some(first) => round.push(first),
                    None => break,
                }
            }
            tokio::task::yield_now().await;
            while let Ok(next) = requests.try_recv() {
                round.push(next);
            }
            round.retain(|request| !request.answer.is_closed());
            if round.is_empty() {
                continue;
            }
            let mut groups = grouped(std::mem::take(&mut round));
            let outcome = match &mut session {
                Ok(session) => {
                    match answer_while_wanted(session, &mut groups, &mut requests, &mut round).await {
                        Some(outcome) => outcome,
                        // Nobody is left, and the connection is in the middle of something.
                        None => return,
                    }
                }
                Err(failure) => Err(failure.clone()),
            };
            if let Err(failure) = outcome {
                for asker in groups.into_iter().flat_map(|group| group.askers) {
                    asker.told(Err(failure.clone()));
                }
                // The connection is of no use to those who are still here, and may be to others.
                if let Ok(mut session) = std::mem::replace(&mut session, Err(failure.clone())) {
                    session.fail(failure);
                    session.roll_back().await;
                }
            }
        }
        if let Ok(session) = session {
            session.roll_back().await;
        }
    }

    fn gathering(&self) -> MutexGuard<'_, Option<WeakUnboundedSender<ReadRequest>>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is asked with one statement, each set once.
struct Group {
    sql: &'static str,
    width: usize,
    sets: Vec<Set>,
    askers: Vec<Asker>,
}

/// Who asked, and for which sets of its group.
struct Asker {
    sets: Vec<usize>,
    answer: oneshot::Sender<Answer>,
}

impl Asker {
    fn told(self, answer: Answer) {
        // Whoever stopped waiting needs no answer.
        let _ = self.answer.send(answer);
    }
}

fn grouped(round: Vec<ReadRequest>) -> Vec<Group> {
    let mut groups: Vec<(Group, HashMap<Set, usize>)> = Vec::new();
    let mut places: HashMap<(StatementKey, usize), usize> = HashMap::new();
    for ReadRequest { sql, width, sets, answer, .. } in round {
        let place = ((sql.as_ptr() as usize, sql.len()), width);
        let at = *places.entry(place).or_insert_with(|| {
            groups.push((Group { sql, width, sets: Vec::new(), askers: Vec::new() }, HashMap::new()));
            groups.len() - 1
        });
        let (group, known) = &mut groups[at];
        let sets = sets.into_iter().map(|set| match known.entry(set) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                group.sets.push(new.key().clone());
                *new.insert(group.sets.len() - 1)
            }
        });
        let asker = Asker { sets: sets.collect(), answer };
        group.askers.push(asker);
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

/// Takes a connection. While it waits for one, others join; those whose patience ends are told so. Comes to
/// nothing if everybody stopped waiting.
async fn connected(
    session: &mut Session,
    requests: &mut UnboundedReceiver<ReadRequest>,
    round: &mut Vec<ReadRequest>,
) -> Option<Result<(), Failure>> {
    let mut connecting = pin!(session.connected());
    let mut until = Instant::now() + PATIENCE;
    loop {
        tokio::select! {
            biased;
            connected = &mut connecting => return Some(connected.map(|_| ())),
            request = requests.recv() => match request {
                Some(request) => {
                    until = until.min(request.until);
                    round.push(request);
                }
                None => {
                    // Nobody is left. One that is nearly made is not broken off; how it ends concerns nobody.
                    let _ = tokio::time::timeout(ABANDONED, connecting).await;
                    return None;
                }
            },
            () = tokio::time::sleep_until(until) => {
                let now = Instant::now();
                for late in round.extract_if(.., |request| request.until <= now) {
                    // Whoever stopped waiting need not be told.
                    let _ = late.answer.send(Err(Failure::busy()));
                }
                until = round.iter().map(|request| request.until).min().unwrap_or(now + PATIENCE);
            }
        }
    }
}

/// Asks all groups; what is asked meanwhile is for the next round. Comes to nothing if everybody stopped
/// waiting and the answer does not come soon.
async fn answer_while_wanted(
    session: &mut Session,
    groups: &mut [Group],
    requests: &mut UnboundedReceiver<ReadRequest>,
    next: &mut Vec<ReadRequest>,
) -> Option<Result<(), Failure>> {
    let mut answering = pin!(answer(session, groups));
    loop {
        tokio::select! {
            biased;
            outcome = &mut answering => return Some(outcome),
            request = requests.recv() => match request {
                Some(request) => next.push(request),
                None => return tokio::time::timeout(ABANDONED, answering).await.ok(),
            }
        }
    }
}

type Coming = Pin<Box<dyn Future<Output = Result<Vec<PgRow>, tokio_postgres::Error>> + Send>>;

/// Asks all groups and tells their askers. Nothing is awaited between the sending of the first statement
/// and the taking of its rows: a connection holds no more than a part of an answer that nobody takes.
async fn answer(session: &mut Session, groups: &mut [Group]) -> Result<(), Failure> {
    let mut statements = Vec::with_capacity(groups.len());
    for group in &*groups {
        statements.push(bound(session, group).await?);
    }
    session.send_begin().await?;
    let client = session.line()?.client.clone();
    let mut coming: Vec<Vec<Coming>> = Vec::with_capacity(groups.len());
    for bound in statements {
        let mut sent = Vec::with_capacity(bound.len());
        for (statement, params) in bound {
            let client = client.clone();
            let rows: Coming =
                Box::pin(async move { statement.query(&client, &params).await?.try_collect().await });
            sent.push(on_the_wire(rows).await);
        }
        coming.push(sent);
    }
    session.settle().await?;
    for (group, coming) in groups.iter_mut().zip(coming) {
        let mut found: Vec<Vec<PgRow>> = Vec::new();
        found.resize_with(group.sets.len(), Vec::new);
        let is_over_arrays = coming.len() < group.sets.len();
        for (at, rows) in coming.into_iter().enumerate() {
            let rows = answered(rows).await?;
            if is_over_arrays {
                for row in rows {
                    let number: i64 = row.try_get(row.len() - 1)?;
                    let set = usize::try_from(number - 1).ok().and_then(|at| found.get_mut(at));
                    set.ok_or_else(|| Failure::lost("rows of a set that was not sent"))?.push(row);
                }
            } else {
                found[at] = rows;
            }
        }
        let found: Vec<Rows> = found.into_iter().map(Arc::new).collect();
        for asker in group.askers.drain(..) {
            let rows = asker.sets.iter().map(|at| found[*at].clone()).collect();
            asker.told(Ok(rows));
        }
    }
    Ok(())
}

/// The statement of a group: over arrays where there is more than one set, else as it was written.
async fn bound(session: &mut Session, group: &Group) -> Result<Vec<(Ready, Vec<Written>)>, Failure> {
    let plain = session.plain(group.sql, group.width).await?;
    if group.sets.len() > 1
        && let Some((statement, _)) = session.bulk(group.sql, bulk::reading).await?
    {
        let sets: Vec<Vec<Param<'_>>> = group.sets.iter().map(params).collect();
        let arrays = arrays(&statement, sets.iter().map(Vec::as_slice))?;
        return Ok(vec![(statement, arrays)]);
    }
    let each = group.sets.iter().map(|set| Ok((plain.clone(), each_written(&plain, &params(set))?)));
    each.collect()
}

fn owned(params: &[Param<'_>]) -> Set {
    params.iter().map(OwnedParam::from).collect()
}

fn params(set: &Set) -> Vec<Param<'_>> {
    set.iter().map(OwnedParam::param).collect()
}

/// Sends what one poll puts on the wire.
async fn on_the_wire(mut rows: Coming) -> Coming {
    match poll_fn(|cx| Poll::Ready(rows.as_mut().poll(cx))).await {
        Poll::Ready(answer) => Box::pin(ready(answer)),
        Poll::Pending => rows,
    }
}

/// One snapshot, shared with others who began to read at the same time.
pub(crate) struct Reader {
    shared_reads: Arc<SharedReads>,
    /// How long it waits for a connection.
    patience: Duration,
    batch: Option<UnboundedSender<ReadRequest>>,
    prefetched: Vec<Prefetched>,
    failure: Option<Failure>,
}

struct Prefetched {
    sql: &'static str,
    set: Set,
    answer: oneshot::Receiver<Answer>,
}

impl Reader {
    /// Hands the first row of the answer to `see`.
    pub(crate) async fn first(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Error> {
        let rows = self.rows(sql, params).await?;
        see_all(&rows[..rows.len().min(1)], 0, see)
    }

    /// Hands every row of the answer to `see`.
    pub(crate) async fn each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        see: See<'_>,
    ) -> Result<(), Error> {
        see_all(&self.rows(sql, params).await?, 0, see)
    }

    /// Hands every row of the answers to all sets to `see`.
    pub(crate) async fn each_for(
        &mut self,
        sql: &'static str,
        sets: Sets<'_>,
        see: See<'_>,
    ) -> Result<(), Error> {
        if sets.is_empty() {
            return Ok(());
        }
        let owned: Vec<Set> = sets.iter().map(owned).collect();
        let answer = self.ask(sql, sets.width(), owned);
        for (number, rows) in self.taken(answer).await?.iter().enumerate() {
            see_all(rows, number, see)?;
        }
        Ok(())
    }

    /// Asks a request whose answer will be wanted. One that is not wanted in the end costs its time and
    /// nothing else.
    pub(crate) fn prefetch(&mut self, sql: &'static str, params: &[Param<'_>]) {
        let set = owned(params);
        let answer = self.ask(sql, params.len(), vec![set.clone()]);
        self.prefetched.push(Prefetched { sql, set, answer });
    }

    pub(crate) fn shards(&self) -> i64 {
        self.shared_reads.pool.shards.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// A snapshot of its own in place of a shared one that has not begun.
    pub(crate) fn dedicated(&self) -> Option<Session> {
        self.batch.is_none().then(|| Session::reading(self.shared_reads.pool.clone(), self.patience))
    }

    /// What ended the snapshot.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    async fn rows(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Rows, Error> {
        let is_it = |ahead: &Prefetched| {
            ahead.sql == sql && ahead.set.iter().map(OwnedParam::param).eq(params.iter().cloned())
        };
        let answer = match self.prefetched.iter().position(is_it) {
            Some(at) => self.prefetched.remove(at).answer,
            None => self.ask(sql, params.len(), vec![owned(params)]),
        };
        Ok(self.taken(answer).await?.pop().unwrap_or_default())
    }

    fn ask(&mut self, sql: &'static str, width: usize, sets: Vec<Set>) -> oneshot::Receiver<Answer> {
        let (answer, coming) = oneshot::channel();
        let shared_reads = &self.shared_reads;
        let batch = self.batch.get_or_insert_with(|| shared_reads.join());
        // A batch that ended drops the request, and whoever waits for the answer learns it.
        let _ = batch.send(ReadRequest { sql, width, sets, until: Instant::now() + self.patience, answer });
        coming
    }

    async fn taken(&mut self, answer: oneshot::Receiver<Answer>) -> Result<Vec<Rows>, Error> {
        let answer = answer.await.unwrap_or_else(|_| Err(Failure::lost("the reading of others ended")));
        answer.map_err(|failure| {
            let error = failure.error.clone();
            self.failure.get_or_insert(failure);
            error
        })
    }
}
