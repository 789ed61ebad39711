//! Who may ask: credentials given out and taken back, and the roles of staff.

use crate::{Engine, Error};
use billing::{Credential, CredentialId, Role, Timestamp};
use store::credentials::{self, Standing};

impl Engine {
    /// Keeps a new credential.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn issue_credential(&self, credential: Credential) -> Result<(), Error> {
        Ok(self.store.insert_credential(credential).await?)
    }

    /// Takes a credential of an environment back; it is refused from the next request on.
    ///
    /// # Errors
    /// If there is none of this id that still holds.
    pub async fn revoke_credential(
        &self,
        now: Timestamp,
        environment: i64,
        id: CredentialId,
    ) -> Result<(), Error> {
        match self.store.revoke_credential(environment, id, now).await? {
            true => Ok(()),
            false => Err(Error::not_found("credential", "")),
        }
    }

    /// The credentials of an environment, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn credentials(&self, environment: i64) -> Result<Vec<Credential>, Error> {
        let all = self.store.read(move |s| Box::pin(credentials::list(s, environment))).await;
        Ok(all?)
    }

    /// The credential of an API key, by the key's HMAC.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn credential_of_key(&self, hash: [u8; 32]) -> Result<Option<Standing>, store::Error> {
        self.store.read(move |s| Box::pin(async move { credentials::by_hash(s, &hash).await })).await
    }

    /// The credential of a token, by the id that the token carries.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn credential_of_token(&self, id: CredentialId) -> Result<Option<Standing>, store::Error> {
        self.store.read(move |s| Box::pin(credentials::by_id(s, id))).await
    }

    /// Notes when credentials were last used.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn note_credentials_used(&self, used: Vec<(CredentialId, Timestamp)>) -> Result<(), Error> {
        if used.is_empty() {
            return Ok(());
        }
        Ok(self.store.note_credentials_used(used).await?)
    }

    /// Makes roles, or gives those that are there other permissions.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn put_roles(&self, roles: Vec<Role>) -> Result<(), Error> {
        Ok(self.store.put_roles(roles).await?)
    }

    /// The roles of an environment.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn roles(&self, environment: i64) -> Result<Vec<Role>, Error> {
        let all = self.store.read(move |s| Box::pin(credentials::roles(s, environment))).await;
        Ok(all?)
    }
}
