//! A bounded number of connections, made when they are wanted.
//!
//! A connection that is dropped is closed: only one whose transaction has ended is given back. Nothing
//! ever asks the server to cancel a statement, because a commit that is canceled while it waits for a
//! standby says that it succeeded when it may not have.

use super::address::{Address, Driver};
use super::failure::Failure;
use super::ready::{Prepared, StatementKey, Types};
use crate::Error;
use futures_util::future::try_join_all;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;

/// How long connections may take to say that they end, all together.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a new connection may take to hear its settings.
const SETTING_PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of the books waits for what is under way.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Pool {
    address: Address,
    /// How many shards the books have.
    pub(super) shards: AtomicI64,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Line>>,
    made: AtomicU64,
    /// The types of parameters, if connections keep no statements.
    learned: Mutex<HashMap<StatementKey, Types>>,
    /// Tells the connections of this pool from those of all others.
    hasher: RandomState,
}

/// One connection, outside of the pool.
pub(super) struct Connection {
    line: Option<Line>,
    _place: OwnedSemaphorePermit,
}

/// What a connection consists of.
pub(super) struct Line {
    pub(super) client: Arc<Client>,
    /// Prepared statements.
    pub(super) statements: HashMap<StatementKey, Prepared>,
    /// Its name in the table of connections.
    pub(super) id: u128,
    /// The number of its last commit.
    pub(super) commits: i64,
    driver: Driver,
}

impl Pool {
    pub(super) fn new(address: Address) -> Pool {
        let places = Arc::new(Semaphore::new(address.connections));
        Pool {
            address,
            shards: AtomicI64::new(1),
            places,
            idle: Mutex::default(),
            made: AtomicU64::new(0),
            learned: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// A connection; waits for one to be given back no longer than `patience`.
    pub(super) async fn take(&self, patience: Duration) -> Result<Connection, Failure> {
        let place = match tokio::time::timeout(patience, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(Failure::lasting(Error::Closed)),
            Err(_) => return Err(Failure::busy()),
        };
        let known = loop {
            match self.idle().pop() {
                Some(line) if line.client.is_closed() => {}
                known => break known,
            }
        };
        let line = match known {
            Some(line) => line,
            None => self.connect().await?,
        };
        Ok(Connection { line: Some(line), _place: place })
    }

    /// Keeps a connection for the next who wants one.
    pub(super) fn give_back(&self, mut connection: Connection) {
        if let Some(line) = connection.line.take()
            && !self.places.is_closed()
        {
            self.idle().push(line);
        }
    }

    /// Forgets the connections that nobody uses: they lead where another just failed.
    pub(super) fn forget_idle(&self) {
        self.idle().clear();
    }

    /// Ends the connections that nobody uses, and gives out no more.
    pub(super) async fn close(&self) {
        // Those that are in use are waited for, so that nothing is written after the books are closed.
        let all = u32::try_from(self.address.connections).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(CLOSE_PATIENCE, self.places.acquire_many(all)).await;
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        let mut drivers: Vec<Driver> = Vec::with_capacity(idle.len());
        for mut line in idle {
            line.statements.clear();
            // Its client goes here, which tells its driver to end.
            drivers.push(line.driver);
        }
        let goodbyes = async {
            for driver in &mut drivers {
                driver.ended().await;
            }
        };
        // Those that have not ended by then do so with their drivers.
        let _ = tokio::time::timeout(GOODBYE_PATIENCE, goodbyes).await;
    }

    async fn connect(&self) -> Result<Line, Failure> {
        let (client, driver) = self.address.connect().await?;
        if self.address.keeps_statements {
            set_up(&client).await?;
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let half = |side: u8| u128::from(self.hasher.hash_one((number, side)));
        Ok(Line {
            client: Arc::new(client),
            statements: HashMap::new(),
            id: half(0) << 64 | half(1),
            commits: 0,
            driver,
        })
    }

    /// Whether a connection may keep prepared statements from one transaction to the next.
    pub(super) fn keeps_statements(&self) -> bool {
        self.address.keeps_statements
    }

    /// The types of a statement's parameters, if any connection was told them before.
    pub(super) fn learned(&self, key: StatementKey) -> Option<Types> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(super) fn learn(&self, key: StatementKey, types: Types) {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).insert(key, types);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a new connection is told, if whoever runs the database has not said otherwise. What one does not
/// know, as an older server, it is not told.
const SETTINGS: [&str; 5] = [
    // A statement that is kept is planned once, and not each time anew for what its parameters are: all of
    // them find their rows by keys.
    "set plan_cache_mode = force_generic_plan",
    // Nor is it compiled: a database that takes it for a long one, because the tables are large, spends more
    // on that than the few rows cost that it reads.
    "set jit = off",
    // Nobody waits longer than a minute for an answer.
    "select set_config('lock_timeout', '50s', false) where current_setting('lock_timeout', true) = '0'",
    // Who does not wait any more closes the connection, and the server looks whether it is there.
    "select set_config('client_connection_check_interval', '5s', false)
     where current_setting('client_connection_check_interval', true) = '0'",
    // Who vanished without a word keeps no snapshot. Reads that take long never pause for so long.
    "select set_config('idle_in_transaction_session_timeout', '60s', false)
     where current_setting('idle_in_transaction_session_timeout', true) = '0'",
];

async fn set_up(client: &Client) -> Result<(), Failure> {
    let said = try_join_all(SETTINGS.map(|setting| async move {
        match client.batch_execute(setting).await {
            Err(error) if error.as_db_error().is_some() => {
                tracing::debug!(%error, setting, "this is left to the database");
                Ok(())
            }
            said => said,
        }
    }));
    match tokio::time::timeout(SETTING_PATIENCE, said).await {
        Ok(said) => Ok(said.map(drop)?),
        Err(_) => Err(Failure::lost("the server does not answer")),
    }
}

impl Connection {
    pub(super) fn line(&mut self) -> Result<&mut Line, Failure> {
        self.line.as_mut().ok_or_else(|| Failure::lost("the connection was given back"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Lets whoever connects in without a question.
    const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

    #[tokio::test]
    async fn a_new_connection_ends_when_its_caller_leaves() {
        // It welcomes everybody, and then falls silent.
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let pool = Pool::new(Address::parse(&format!("postgres://u@127.0.0.1:{port}/b")).unwrap());
        let mut taking = Box::pin(pool.take(SETTING_PATIENCE));
        let serving = async {
            let (mut line, _) = server.accept().await.unwrap();
            let mut said = [0; 8];
            line.read_exact(&mut said).await.unwrap();
            // It was asked for TLS first.
            line.write_all(b"N").await.unwrap();
            line.write_all(WELCOME).await.unwrap();
            let mut heard = Vec::new();
            while !heard.windows(4).any(|word| word == b"set ") {
                assert!(line.read_buf(&mut heard).await.unwrap() > 0);
            }
            line
        };
        let mut line = tokio::select! {
            line = serving => line,
            taken = &mut taking => panic!("nobody answered: {:?}", taken.err()),
        };
        drop(taking);
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(CLOSE_PATIENCE, line.read_to_end(&mut rest)).await;
        ended.expect("the connection ends").unwrap();
    }
}
