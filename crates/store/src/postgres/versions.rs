//! Versions that several processes raise, looked up in the database.
//!
//! Questions that come while a look-up is under way wait for the next one, which answers all of them:
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
use tokio::sync::oneshot;

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

pub(super) struct Lookups {
    pool: Arc<Pool>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    questions: Vec<Question>,
    /// Whether a task is answering.
    is_answered: bool,
}

struct Question {
    scopes: Vec<Scope>,
    answer: oneshot::Sender<Result<u64, Error>>,
}

impl Lookups {
    pub(super) fn new(pool: Arc<Pool>) -> Lookups {
        Lookups { pool, waiting: Mutex::default() }
    }

    /// The sum of the versions of some scopes: each of them only rises.
    pub(super) async fn version(self: &Arc<Self>, scopes: &[Scope]) -> Result<u64, Error> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut waiting = self.waiting();
            waiting.questions.push(Question { scopes: scopes.to_vec(), answer });
            !std::mem::replace(&mut waiting.is_answered, true)
        };
        if begins {
            let lookups = self.clone();
            tokio::spawn(async move { lookups.answer_all().await });
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    async fn answer_all(&self) {
        loop {
            let questions = {
                let mut waiting = self.waiting();
                if waiting.questions.is_empty() {
                    waiting.is_answered = false;
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
                session.stop_asking().await;
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

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
