//! Who may ask the server for something: API keys and tokens, and the roles of staff.
//!
//! Owns what is kept of them. The secret itself is nowhere, and how it is hashed or signed is the server's.
//! Expiry is by the real clock, also in test books whose own clock stands elsewhere.

use crate::id::{CredentialId, CustomerId, CustomerUserId, StaffId};
use crate::timestamp::Timestamp;

/// Whom a credential stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// The merchant's own programs: an API key.
    Key,
    /// A person of a customer: a signed token.
    CustomerUser(CustomerId, CustomerUserId),
    /// A person of the seller: a signed token.
    Staff(StaffId),
}

/// What an API key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// The merchant API.
    Merchant,
    /// Billing periods.
    Periods,
}

crate::text_enum!(KeyScope { Merchant = "merchant", Periods = "periods" });

/// A key or token that was given out. The secret itself is in nobody's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id; a token carries it.
    pub id: CredentialId,
    /// The number of the environment that it opens.
    pub environment: i64,
    /// Whom it stands for.
    pub bearer: Bearer,
    /// What it is for, in the words of who made it.
    pub name: String,
    /// The first characters of an API key, by which people tell keys apart; empty for a token.
    pub hint: String,
    /// HMAC-SHA-256 of an API key; none for a token, which is signed.
    pub hash: Option<[u8; 32]>,
    /// What an API key opens; nothing for a token.
    pub scopes: Vec<KeyScope>,
    /// From when on it is refused, by the real clock.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the staff of a name may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its name, unique in the environment.
    pub name: String,
    /// What it permits: `payments.view`, `payments.manage`, `dashboard.view`, `dashboard.manage`.
    pub permissions: Vec<String>,
}

impl Role {
    /// The roles that new books start with.
    pub fn defaults(environment: i64) -> Vec<Role> {
        let role = |name: &str, permissions: &[&str]| Role {
            environment,
            name: name.to_owned(),
            permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
        };
        vec![
            role("owner", &["payments.view", "payments.manage", "dashboard.view", "dashboard.manage"]),
            role("accountant", &["payments.view", "payments.manage", "dashboard.view"]),
            role("viewer", &["payments.view", "dashboard.view"]),
            role("guest", &[]),
        ]
    }
}
