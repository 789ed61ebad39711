//! The memory of checked credentials.

use super::jwt::{self, NotOurs};
use super::keys;
use super::principal::{Principal, PrincipalKind};
use super::refused::Refused;
use crate::spelling::parse_uuid;
use billing::credential::Bearer;
use billing::id::{CredentialId, Id};
use billing::timestamp::Timestamp;
use engine::Engine;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::Scope;
use store::credentials::Standing;
use subtle::ConstantTimeEq;

const SHARDS: usize = 16;
/// Beyond so many credentials in one shard it is forgotten and filled again: a bound, not a policy.
const PER_SHARD: usize = 8_192;
/// How exactly the last use of a credential is known: a minute, in microseconds.
const USE_GRAIN: i64 = 60_000_000;

/// Checks keys and tokens, and remembers those that hold.
pub struct Authenticator {
    jwt_key: Vec<u8>,
    pepper: Vec<u8>,
    known: [RwLock<HashMap<[u8; 32], Arc<Known>>>; SHARDS],
    used: Mutex<HashMap<CredentialId, Timestamp>>,
}

struct Known {
    principal: Arc<Principal>,
    /// The version of all credentials before this one was looked up.
    version: u64,
    expires_at: Option<Timestamp>,
    /// When its use was last noted, in microseconds.
    noted: AtomicI64,
}

impl Authenticator {
    /// One that trusts tokens signed with a key and finds API keys by their hash with a pepper.
    pub fn new(jwt_key: Vec<u8>, pepper: Vec<u8>) -> Self {
        Self { jwt_key, pepper, known: Default::default(), used: Mutex::default() }
    }

    /// The key that signs tokens.
    pub(super) fn jwt_key(&self) -> &[u8] {
        &self.jwt_key
    }

    /// The pepper of API keys' hashes.
    pub(super) fn pepper(&self) -> &[u8] {
        &self.pepper
    }

    /// What tells its secrets from others without saying anything about them.
    pub fn mark(&self) -> String {
        let of = |secret: &[u8]| keys::hash(secret, "the secrets of these books");
        [of(&self.jwt_key), of(&self.pepper)].concat().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Who shows a token at an instant of the real clock.
    ///
    /// # Errors
    /// If the token is not one of ours or no longer holds.
    pub async fn check(
        &self,
        engine: &Engine,
        now: Timestamp,
        token: &str,
    ) -> Result<Arc<Principal>, Refused> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let shard = &self.known[usize::from(digest[0]) % SHARDS];
        // Taken before the look-up: a change that comes in between makes what is found outdated.
        let version = engine.store().version(&[Scope::Credentials]).await?;
        let found = shard.read().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some(known) = found.filter(|known| known.version == version) {
            return self.admit(&known, now);
        }
        let standing = self.look_up(engine, now, token).await?;
        let known = Arc::new(judge(standing, version)?);
        let principal = self.admit(&known, now)?;
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= PER_SHARD {
            shard.clear();
        }
        shard.insert(digest, known);
        Ok(principal)
    }

    /// The credentials that were used since this was last asked, each with its last use.
    pub fn take_used(&self) -> Vec<(CredentialId, Timestamp)> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    fn admit(&self, known: &Known, now: Timestamp) -> Result<Arc<Principal>, Refused> {
        if known.expires_at.is_some_and(|end| end <= now) {
            return Err(Refused::Expired);
        }
        let noted = known.noted.load(Ordering::Relaxed);
        if now.micros() >= noted.saturating_add(USE_GRAIN) {
            known.noted.store(now.micros(), Ordering::Relaxed);
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.insert(known.principal.credential, now);
        }
        Ok(known.principal.clone())
    }

    async fn look_up(&self, engine: &Engine, now: Timestamp, token: &str) -> Result<Standing, Refused> {
        if token.starts_with(keys::PREFIX) {
            let hash = keys::hash(&self.pepper, token);
            let found = engine.credential_of_key(hash).await?;
            return found
                .filter(|standing| {
                    standing.credential.hash.is_some_and(|known| bool::from(known.ct_eq(&hash)))
                })
                .ok_or(Refused::Unknown);
        }
        let claims = jwt::verify(&self.jwt_key, token).map_err(|not_ours| match not_ours {
            NotOurs::Malformed | NotOurs::Signature => Refused::Unknown,
        })?;
        if claims.exp <= now.seconds() {
            return Err(Refused::Expired);
        }
        let id = parse_uuid(&claims.jti).map(CredentialId::from_raw).ok_or(Refused::Unknown)?;
        let found = engine.credential_of_token(id).await?;
        let standing = found.ok_or(Refused::Unknown)?;
        let (kind, person) = match standing.credential.bearer {
            Bearer::Key => return Err(Refused::Unknown),
            Bearer::CustomerUser(_, user) => ("customer_user", user.raw()),
            Bearer::Staff(staff) => ("staff", staff.raw()),
        };
        let agrees = claims.kind == kind
            && claims.env == standing.credential.environment
            && parse_uuid(&claims.sub) == Some(person);
        if agrees { Ok(standing) } else { Err(Refused::Unknown) }
    }
}

/// What the books say of a credential, as an answer to whether it holds.
fn judge(standing: Standing, version: u64) -> Result<Known, Refused> {
    let Standing { credential, permissions, is_welcome } = standing;
    if credential.revoked_at.is_some() {
        return Err(Refused::Revoked);
    }
    if !is_welcome {
        return Err(Refused::Gone);
    }
    let kind = match credential.bearer {
        Bearer::Key => PrincipalKind::Key { scopes: credential.scopes },
        Bearer::CustomerUser(customer, user) => PrincipalKind::CustomerUser { customer, user },
        Bearer::Staff(staff) => PrincipalKind::Staff { staff, permissions },
    };
    let principal = Principal { credential: credential.id, environment: credential.environment, kind };
    Ok(Known {
        principal: Arc::new(principal),
        version,
        expires_at: credential.expires_at,
        noted: AtomicI64::new(i64::MIN),
    })
}
