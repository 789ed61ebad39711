//! What every request is served with.

use crate::auth::authenticator::Authenticator;
use crate::auth::principal::Principal;
use crate::auth::refused::Refused;
use crate::body::Body;
use crate::external_id_cache::ExternalIdCache;
use crate::idempotency::registry::Requests;
use crate::metrics::Metrics;
use crate::response_cache::{CacheKey, Rendered, ResponseCache};
use billing::environment::Environment;
use billing::timestamp::Timestamp;
use engine::Engine;
use http::{HeaderMap, Response};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::Scope;

/// The real clock, read in `main.rs` and by tests only.
#[derive(Clone)]
pub struct Clock {
    /// The instant, cut to microseconds.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Time since some moment in the past, which never goes back.
    pub since: Arc<dyn Fn() -> Duration + Send + Sync>,
}

/// Fills a buffer with random bytes.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a request may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// How long a request may take.
    pub request_time: Duration,
    /// Bytes of answers that are kept in memory; 0 keeps none.
    pub cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 256 << 10, request_time: Duration::from_secs(30), cache_bytes: 64 << 20 }
    }
}

/// What a server is made from.
pub struct AppParts {
    /// The use cases.
    pub engine: Engine,
    /// The real clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Entropy,
    /// The key that signs tokens.
    pub jwt_key: Vec<u8>,
    /// What API keys are hashed with.
    pub pepper: Vec<u8>,
    /// What a request may cost.
    pub limits: Limits,
}

/// The server's state; clones share it.
#[derive(Clone)]
pub struct App(Arc<AppState>);

/// What [`App`] shares.
pub struct AppState {
    /// The use cases.
    pub engine: Engine,
    /// The real clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Entropy,
    /// Who may ask.
    pub authenticator: Authenticator,
    /// Answers that may be given again.
    pub response_cache: ResponseCache,
    /// Which customer has which external id.
    pub external_ids: ExternalIdCache,
    /// Requests that may be repeated.
    pub requests: Requests,
    /// What is counted.
    pub metrics: Metrics,
    /// What a request may cost.
    pub limits: Limits,
    environments: RwLock<HashMap<i64, (u64, Arc<Environment>)>>,
}

impl Deref for App {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0
    }
}

impl App {
    /// A server's state.
    pub fn new(parts: AppParts) -> Self {
        let mut process = [0; 8];
        (parts.entropy)(&mut process);
        let response_cache = ResponseCache::new(u64::from_le_bytes(process), parts.limits.cache_bytes);
        Self(Arc::new(AppState {
            engine: parts.engine,
            clock: parts.clock,
            entropy: parts.entropy,
            authenticator: Authenticator::new(parts.jwt_key, parts.pepper),
            response_cache,
            external_ids: ExternalIdCache::default(),
            requests: Requests::default(),
            metrics: Metrics::default(),
            limits: parts.limits,
            environments: RwLock::default(),
        }))
    }
}

impl AppState {
    /// The instant of the real clock, by which tokens expire.
    pub fn real_now(&self) -> Timestamp {
        (self.clock.now)()
    }

    /// Who shows a token.
    ///
    /// # Errors
    /// If it is not one of ours or no longer holds.
    pub async fn authenticate(&self, token: &str) -> Result<Arc<Principal>, Refused> {
        self.authenticator.check(&self.engine, self.real_now(), token).await
    }

    /// An environment, from memory while nothing about it changed.
    ///
    /// # Errors
    /// If the books cannot be read or have no such environment.
    pub async fn environment(&self, number: i64) -> Result<Arc<Environment>, engine::Error> {
        let version = self.engine.store().version(&[Scope::Catalog(number)]).await?;
        let known = self.environments.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some((at, environment)) = known
            && at == version
        {
            return Ok(environment);
        }
        let environment = Arc::new(self.engine.environment(number).await?);
        let mut known = self.environments.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(number, (version, environment.clone()));
        Ok(environment)
    }

    /// What time it is in an environment's books: a test environment may have a clock of its own.
    pub fn books_now(&self, environment: &Environment) -> Timestamp {
        environment.clock.unwrap_or_else(|| self.real_now())
    }

    /// The answer that is kept under a key while it stands, else what `render` makes.
    ///
    /// # Errors
    /// If `render` fails.
    pub async fn get_or_render<E>(
        &self,
        key: &CacheKey<'_>,
        headers: &HeaderMap,
        render: impl AsyncFnOnce() -> Result<Rendered, E>,
    ) -> Result<Response<Body>, E>
    where
        E: From<store::Error>,
    {
        self.response_cache.get_or_render(self.engine.store(), key, headers, render).await
    }
}
