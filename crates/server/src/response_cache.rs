//! Answers that are given again while the version of what they were made from stands.
//!
//! An answer is kept under all that it depends on in the request (face, reader, target) with the
//! version of the books' scopes, taken before the snapshot that was rendered. While the version is the
//! same the answer is too, so nothing that is given again is ever older than the last commit whose
//! writer was told. What changes with the time alone says until when it holds.

use crate::body::{Body, JSON};
use billing::timestamp::Timestamp;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Scope, Store};

const SHARDS: usize = 16;
/// What an entry costs beside its key and its body.
const OVERHEAD: usize = 400;

/// Under what an answer is kept: everything in the request that it depends on.
pub struct CacheKey<'a> {
    /// The face that answers.
    pub face: &'static str,
    /// Whose books are read: the customer's or the environment's raw number.
    pub reader: u128,
    /// Path and query.
    pub target: &'a str,
    /// Headers that matter.
    pub also: [&'a str; 2],
    /// What is read. Its version is the sum of theirs: each of them only rises.
    pub scopes: &'a [Scope],
    /// The time by which the answer's `valid_until` goes.
    pub now: Timestamp,
}

/// What was rendered.
pub struct Rendered {
    /// JSON.
    pub body: String,
    /// From when on the time alone makes it wrong.
    pub valid_until: Option<Timestamp>,
}

impl From<String> for Rendered {
    fn from(body: String) -> Self {
        Self { body, valid_until: None }
    }
}

/// The memory of answers.
pub struct ResponseCache {
    shards: Vec<Mutex<CacheShard>>,
    shard_bytes: usize,
    hasher: RandomState,
    process: u64,
    count: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct CacheShard {
    entries: HashMap<Arc<[u8]>, Arc<Entry>>,
    /// Keys in the order in which they came; one that was used since goes round once more.
    queue: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

struct Entry {
    version: u64,
    /// From when to when the time does not change it; always if none.
    valid: Option<(Timestamp, Timestamp)>,
    body: Bytes,
    etag: HeaderValue,
    used: AtomicBool,
}

impl ResponseCache {
    /// A memory of so many bytes. `process` is part of every `ETag`, because versions start anew with
    /// the process.
    pub fn new(process: u64, bytes: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_bytes: bytes / SHARDS,
            hasher: RandomState::new(),
            process,
            count: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// How many answers were given again, and how many had to be made.
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// The answer that is kept under a key while it stands, else what `render` makes.
    ///
    /// # Errors
    /// If `render` fails, whose failure is not kept, or the version cannot be looked up.
    pub async fn get_or_render<E: From<store::Error>>(
        &self,
        store: &Store,
        key: &CacheKey<'_>,
        headers: &HeaderMap,
        render: impl AsyncFnOnce() -> Result<Rendered, E>,
    ) -> Result<Response<Body>, E> {
        // Taken before the snapshot: a commit in between makes what is rendered outdated, not wrong. Where
        // nothing is kept nobody asks for it.
        let version = if self.shard_bytes == 0 { 0 } else { store.version(key.scopes).await? };
        let now = key.now;
        let key = key.bytes();
        if let Some(entry) = self.find(&key, version, now) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(entry.response(headers));
        }
        let rendered = render().await?;
        self.misses.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(Entry {
            version,
            valid: rendered.valid_until.map(|until| (now, until)),
            body: Bytes::from(rendered.body),
            etag: self.next_etag(),
            used: AtomicBool::new(false),
        });
        self.keep(key, entry.clone());
        Ok(entry.response(headers))
    }

    fn find(&self, key: &[u8], version: u64, now: Timestamp) -> Option<Arc<Entry>> {
        let shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.entries.get(key)?;
        let stands =
            entry.version == version && entry.valid.is_none_or(|(from, until)| from <= now && now < until);
        stands.then(|| {
            entry.used.store(true, Ordering::Relaxed);
            entry.clone()
        })
    }

    fn keep(&self, key: Vec<u8>, entry: Arc<Entry>) {
        let cost = |key: &[u8], entry: &Entry| key.len() + entry.body.len() + OVERHEAD;
        let added = cost(&key, &entry);
        if added > self.shard_bytes / 4 {
            return;
        }
        let mut guard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        let shard = &mut *guard;
        let key: Arc<[u8]> = key.into();
        match shard.entries.insert(key.clone(), entry) {
            Some(before) => shard.bytes -= cost(&key, &before),
            None => shard.queue.push_back(key),
        }
        shard.bytes += added;
        while shard.bytes > self.shard_bytes {
            let Some(oldest) = shard.queue.pop_front() else { break };
            let was_used = shard.entries.get(&oldest).is_some_and(|e| e.used.swap(false, Ordering::Relaxed));
            if was_used {
                shard.queue.push_back(oldest);
            } else if let Some(gone) = shard.entries.remove(&oldest) {
                shard.bytes -= cost(&oldest, &gone);
            }
        }
    }

    fn shard(&self, key: &[u8]) -> &Mutex<CacheShard> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// A tag that no other rendering has, in this process or another.
    fn next_etag(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let tag = format!("\"{:016x}-{count:x}\"", self.process);
        HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
    }
}

impl CacheKey<'_> {
    fn bytes(&self) -> Vec<u8> {
        let parts = [self.target, self.also[0], self.also[1]];
        let length = parts.iter().map(|part| part.len() + 1).sum::<usize>();
        let mut key = Vec::with_capacity(self.face.len() + 17 + length);
        key.extend_from_slice(self.face.as_bytes());
        key.push(0);
        key.extend_from_slice(&self.reader.to_le_bytes());
        for part in parts {
            key.extend_from_slice(part.as_bytes());
            // No part of a request's head can hold a zero byte.
            key.push(0);
        }
        key
    }
}

impl Entry {
    fn response(&self, headers: &HeaderMap) -> Response<Body> {
        let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|value| {
            let tags = value.to_str().unwrap_or("").split(',').map(str::trim);
            tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == "*" || tag == self.etag)
        });
        let mut response = if is_known {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = Response::new(Body::from(self.body.clone()));
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            response
        };
        response.headers_mut().insert(ETAG, self.etag.clone());
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}
