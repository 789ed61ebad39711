//! Versions that several processes raise, looked up in the database.
//!
//! Requests go together, so under load a look-up costs many of them one statement. What a request is
//! told was looked up after it was asked: it is never older than a commit whose writer was told before.

use super::pool::Pool;
use super::session::Session;
use super::shared_reads::SharedReads;
use super::tries::Tries;
use crate::value::Sets;
use crate::versions::Scope;
use crate::{Error, Param, Row};
use billing::id::shard_of;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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

/// How long the version of credentials is taken for the present one, unless this process raises it.
const MOMENT: Duration = Duration::from_millis(100);

pub(super) struct Lookups {
    pool: Arc<Pool>,
    shared_reads: Arc<SharedReads>,
    recent: Mutex<Recent>,
}

/// What was last found about credentials.
#[derive(Default)]
struct Recent {
    /// Their version, and when it was asked for.
    known: Option<(Instant, u64)>,
    /// How often this process has changed them: what was asked before is not kept after.
    changes: u64,
}

impl Lookups {
    pub(super) fn new(pool: Arc<Pool>) -> Lookups {
        let shared_reads = SharedReads::new(pool.clone(), Session::asking);
        Lookups { pool, shared_reads, recent: Mutex::default() }
    }

    /// The sum of the versions of some scopes: each of them only rises.
    pub(super) async fn version(&self, scopes: &[Scope]) -> Result<u64, Error> {
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
    async fn present(&self, scopes: &[Scope]) -> Result<u64, Error> {
        let sets = || {
            scopes.iter().map(|scope| match (*scope, counter(scope)) {
                (_, Some((name, environment))) => {
                    [name.into(), environment.into(), 0_i64.into(), Param::Id(0)]
                }
                (Scope::Customer(id), _) => {
                    ["customer".into(), 0_i64.into(), shard_of(id).into(), Param::Id(id)]
                }
                (_, None) => ["".into(), 0_i64.into(), 0_i64.into(), Param::Id(0)],
            })
        };
        let mut tries = Tries::new();
        loop {
            let mut sum = 0_u64;
            let mut reader = self.shared_reads.reader(tries.left());
            let mut see = |_, row: &Row<'_>| {
                sum = sum.wrapping_add(u64::try_from(row.int(0)?).unwrap_or(0));
                Ok(())
            };
            let asked = reader.each_for(VERSION, Sets::of(sets()), &mut see);
            let Err(error) = asked.await else { return Ok(sum) };
            match reader.failure() {
                Some(failure) if failure.passes() => self.pool.forget_idle(),
                _ => return Err(error),
            }
            drop(reader);
            if !tries.again().await {
                return Err(error);
            }
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
