//! Giving credentials out.

use super::authenticator::Authenticator;
use super::jwt::{self, Claims, ISSUER};
use super::keys;
use crate::spelling::uuid;
use billing::credential::{Bearer, Credential, KeyScope};
use billing::id::{CredentialId, Ctx, Id};
use billing::timestamp::Timestamp;

/// A credential and its secret, which nobody can read again.
#[derive(Clone)]
pub struct IssuedCredential {
    /// What the books keep.
    pub credential: Credential,
    /// What is shown once.
    pub secret: String,
}

/// How long a token holds when nothing else is said: 180 days.
pub const TOKEN_DAYS: i64 = 180;

impl Authenticator {
    /// A new API key. It holds once its credential is in the books.
    pub fn api_key(
        &self,
        ctx: &mut Ctx,
        entropy: &dyn Fn(&mut [u8]),
        environment: (i64, bool),
        name: &str,
        scopes: Vec<KeyScope>,
        expires_at: Option<Timestamp>,
    ) -> IssuedCredential {
        let (environment, livemode) = environment;
        let secret = keys::make(livemode, entropy);
        let credential = Credential {
            id: ctx.ids.next(ctx.now, 0),
            environment,
            bearer: Bearer::Key,
            name: name.to_owned(),
            hint: keys::hint(&secret),
            hash: Some(keys::hash(self.pepper(), &secret)),
            scopes,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            created_at: ctx.now,
        };
        IssuedCredential { credential, secret }
    }

    /// A new token of a person. It holds once its credential is in the books.
    pub fn token(
        &self,
        now: Timestamp,
        id: CredentialId,
        environment: i64,
        bearer: Bearer,
        name: &str,
        expires_at: Timestamp,
    ) -> IssuedCredential {
        let credential = Credential {
            id,
            environment,
            bearer,
            name: name.to_owned(),
            hint: String::new(),
            hash: None,
            scopes: Vec::new(),
            expires_at: Some(expires_at),
            revoked_at: None,
            last_used_at: None,
            created_at: now,
        };
        let secret = self.sign(&credential);
        IssuedCredential { credential, secret }
    }

    /// The token of a credential: the same one whenever it is asked for. Empty for an API key.
    pub fn sign(&self, credential: &Credential) -> String {
        let (kind, person) = match credential.bearer {
            Bearer::Key => return String::new(),
            Bearer::CustomerUser(_, user) => ("customer_user", user.raw()),
            Bearer::Staff(staff) => ("staff", staff.raw()),
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: uuid(person).to_string(),
            kind: kind.to_owned(),
            env: credential.environment,
            jti: uuid(credential.id.raw()).to_string(),
            iat: credential.created_at.seconds(),
            exp: credential.expires_at.map_or(i64::MAX, Timestamp::seconds),
        };
        jwt::sign(self.jwt_key(), &claims)
    }
}
