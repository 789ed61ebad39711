//! Versions that several processes raise, looked up in the database.
//!
//! Questions that come while look-ups are under way wait for the next one, which answers all of them:
//! under load a look-up costs many questions one statement. What a question is told was looked up after
//! it was asked, so it is never older than a commit whose writer was told before.

use super::pool::Pool;
use super::session::Session;
use super::tries::Tries;
use crate::versions::Scope;
use crate::{Error, Param};
use billing::shard_of;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

const VERSION: &str = "select cast(case when $1 = 'customer'
       then coalesce((select v.version from customer_versions v where v.shard = $3 and v.customer_id = $4), 0)
       else coalesce((select sum(s.n) from scope_versions s where s.scope = $1 and s.environment = $2), 0)
     end as bigint)";

/// The counter that commits raise for a scope; none where its own row is raised anyway.
pub(super) fn counter(scope: &Scope) -> Option<(&'static str, i64)> {
    match *scope {
        Scope::Everything => Some(("everything", 0)),
        Scope::Credentials => Some(("credentials", 0)),
        Scope::Environment(number) => Some(("environment", number)),
        Scope::Catalog(number) => Some(("catalog", number)),
        Scope::Customer(_) => None,
    }
}

/// How many look-ups are under way at a time. While one crosses to the database and back, the next is
/// made up.
const AT_ONCE: usize = 2;

/// How long the version of credentials is taken for the present one, unless this process raises it.
const MOMENT: Duration = Duration::from_millis(100);

pub(super) struct Lookups {
    pool: Arc<Pool>,
    recent: Mutex<Recent>,
    waiting: Mutex<Waiting>,
}

/// What was last found about credentials.
#[derive(Default)]
struct Recent {
    /// Their version, and when it was asked for.
    known: Option<(Instant, u64)>,
    /// How often this process has changed them: what was asked before is not kept after.
    changes: u64,
}

#[derive(Default)]
struct Waiting {
    questions: Vec<Question>,
    /// How many tasks are answering.
    answering: usize,
}

struct Question {
    scopes: Vec<Scope>,
    answer: oneshot::Sender<Result<u64, Error>>,
}

/// The place of a task among those that answer; one that panics gives it up.
struct Place<'l>(&'l Lookups);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting().answering -= 1;
    }
}

impl Lookups {
    pub(super) fn new(pool: Arc<Pool>) -> Lookups {
        Lookups { pool, recent: Mutex::default(), waiting: Mutex::default() }
    }

    /// The sum of the versions of some scopes: each of them only rises.
    pub(super) async fn version(self: &Arc<Self>, scopes: &[Scope]) -> Result<u64, Error> {
        if scopes != [Scope::Credentials] {
            return self.present(scopes).await;
        }
        let asked = Instant::now();
        let changes = {
            let recent = self.recent();
            if let Some((at, version)) = recent.known
                && asked.duration_since(at) < MOMENT
            {
                return Ok(version);
            }
            recent.changes
        };
        let version = self.present(scopes).await?;
        let mut recent = self.recent();
        if recent.changes == changes {
            recent.known = Some((asked, version));
        }
        Ok(version)
    }

    /// Asks anew from now on: a commit of this process has changed credentials.
    pub(super) fn forget_credentials(&self) {
        let mut recent = self.recent();
        recent.changes += 1;
        recent.known = None;
    }

    /// The version as it stands now.
    async fn present(self: &Arc<Self>, scopes: &[Scope]) -> Result<u64, Error> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut waiting = self.waiting();
            waiting.questions.push(Question { scopes: scopes.to_vec(), answer });
            let begins = waiting.answering < AT_ONCE;
            waiting.answering += usize::from(begins);
            begins
        };
        if begins {
            let lookups = self.clone();
            tokio::spawn(async move { lookups.answer_all().await });
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    async fn answer_all(&self) {
        let place = Place(self);
        loop {
            let questions = {
                let mut waiting = self.waiting();
                if waiting.questions.is_empty() {
                    // Before anybody else can ask, so that no question is left to nobody.
                    waiting.answering -= 1;
                    std::mem::forget(place);
                    return;
                }
                std::mem::take(&mut waiting.questions)
            };
            let found = self.look_up(&questions).await;
            for Question { scopes, answer } in questions {
                let version = found.as_ref().map_err(Clone::clone).map(|found| {
                    let versions = scopes.iter().map(|scope| found.get(scope).copied().unwrap_or(0));
                    versions.fold(0, u64::wrapping_add)
                });
                // Whoever stopped waiting needs no answer.
                let _ = answer.send(version);
            }
        }
    }

    async fn look_up(&self, questions: &[Question]) -> Result<HashMap<Scope, u64>, Error> {
        let mut found: HashMap<Scope, u64> = HashMap::new();
        for scope in questions.iter().flat_map(|question| &question.scopes) {
            found.insert(*scope, 0);
        }
        let scopes: Vec<Scope> = found.keys().copied().collect();
        let sets = scopes.iter().map(|scope| match (*scope, counter(scope)) {
            (_, Some((name, environment))) => [name.into(), environment.into(), 0_i64.into(), Param::Id(0)],
            (Scope::Customer(id), _) => ["customer".into(), 0_i64.into(), shard_of(id).into(), Param::Id(id)],
            (_, None) => ["".into(), 0_i64.into(), 0_i64.into(), Param::Id(0)],
        });
        let sets: Vec<[Param<'_>; 4]> = sets.collect();
        let mut tries = Tries::new();
        loop {
            let mut session = Session::asking(self.pool.clone(), tries.left());
            let asked = session.each_for(VERSION, sets.iter().copied(), |n, row| {
                found.insert(scopes[n], u64::try_from(row.int(0)?).unwrap_or(0));
                Ok(())
            });
            let Err(error) = asked.await else {
                session.roll_back().await;
                return Ok(found);
            };
            match session.failure.take() {
                Some(failure) if failure.passes() => self.pool.forget_idle(),
                _ => return Err(error),
            }
            if !tries.again().await {
                return Err(error);
            }
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
