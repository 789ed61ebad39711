//! Versions in memory of what commits touch, so that anything rendered from it can be kept while
//! its version stands.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a commit touched, or what an answer was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All of the books; part of every other scope.
    Everything,
    /// Credentials, staff and permissions of all organizations.
    Credentials,
    /// The lists and settings of one environment.
    Environment(i64),
    /// What one environment sells, and its settings.
    Catalog(i64),
    /// One customer with all that belongs to it.
    Customer(u128),
}

const ENVIRONMENTS: usize = 1 << 10;
const CUSTOMERS: usize = 1 << 16;

/// Counters that rise after a commit stands and before its caller is answered. They start anew with
/// the process, so a version kept outside of it must name the process too.
///
/// Scopes share a fixed number of counters: two that meet in one counter only raise each other.
pub(crate) struct Versions {
    everything: AtomicU64,
    credentials: AtomicU64,
    environments: Box<[AtomicU64]>,
    customers: Box<[AtomicU64]>,
}

impl Versions {
    pub(crate) fn new() -> Versions {
        let counters = |n| std::iter::repeat_with(AtomicU64::default).take(n).collect();
        Versions {
            everything: AtomicU64::new(0),
            credentials: AtomicU64::new(0),
            environments: counters(ENVIRONMENTS),
            customers: counters(CUSTOMERS),
        }
    }

    /// The version of a scope. Take it before the snapshot that is rendered: while it is the same,
    /// the rendering is too.
    pub(crate) fn of(&self, scope: Scope) -> u64 {
        // Both counters only rise, so an equal sum means that neither did.
        let everything = self.everything.load(Ordering::SeqCst);
        match self.counter(scope) {
            Some(counter) => everything + counter.load(Ordering::SeqCst),
            None => everything,
        }
    }

    pub(crate) fn raise(&self, scope: Scope) {
        self.counter(scope).unwrap_or(&self.everything).fetch_add(1, Ordering::SeqCst);
    }

    fn counter(&self, scope: Scope) -> Option<&AtomicU64> {
        match scope {
            Scope::Everything => None,
            Scope::Credentials => Some(&self.credentials),
            Scope::Environment(id) => Some(&self.environments[spread(id as u64, ENVIRONMENTS)]),
            Scope::Catalog(id) => Some(&self.environments[spread(!id as u64, ENVIRONMENTS)]),
            Scope::Customer(id) => {
                Some(&self.customers[spread((id >> 64) as u64 ^ (id as u64).rotate_left(32), CUSTOMERS)])
            }
        }
    }
}

/// A place in `0..size` (a power of two) for a key (multiplicative hashing).
fn spread(key: u64, size: usize) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - size.trailing_zeros())) as usize
}
