//! Who may ask: credentials given out and taken back, and the roles of staff.

use crate::at::At;
use crate::customers;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use billing::credential::{Bearer, Credential, Role};
use billing::customer::Customer;
use billing::id::CredentialId;
use billing::timestamp::Timestamp;
use store::credentials::{self, Standing};

/// Whom a token is for.
#[derive(Debug, Clone)]
pub struct TokenFor {
    /// The external id of the customer.
    pub external_id: String,
    /// The person's e-mail address; the customer's if none.
    pub email: Option<String>,
    /// The person's name, if it is not there yet; the customer's if none.
    pub name: Option<String>,
}

impl Engine {
    /// Gives a person of a customer a token, and makes the person if it is not there yet; `make` makes the
    /// credential of this id. Two commits: a request stands for the credential from the first one on.
    ///
    /// # Errors
    /// If there is no such customer, it is archived, or the address cannot be one.
    pub fn issue_token<'e>(
        &'e self,
        at: At,
        to: TokenFor,
        id: CredentialId,
        make: impl FnOnce(Bearer) -> Credential + Send + 'e,
    ) -> Fut<'e, (Customer, Credential)> {
        let TokenFor { external_id, email, name } = to;
        let decided = self.customer_user(at, &external_id, email, name, Some(id));
        Box::pin(async move {
            let (customer, user) = decided.await?;
            let credential = make(Bearer::CustomerUser(customer.id, user.id));
            self.store.insert_credential(credential.clone()).await?;
            Ok((customer, credential))
        })
    }

    /// The credential of a token that was given out, with the customer of an external id; none if there is
    /// no such credential.
    ///
    /// # Errors
    /// If there is one, but no such customer.
    pub fn issued_token(
        &self,
        environment: i64,
        id: CredentialId,
        external_id: &str,
    ) -> Fut<'_, Option<(Customer, Credential)>> {
        let name = external_id.to_owned();
        self.read(move |s| {
            Box::pin(async move {
                let Some(known) = credentials::by_id(s, id).await? else { return Ok(None) };
                let (customer, _) = customers::by_external_id(s, environment, &name).await?;
                Ok(Some((customer, known.credential)))
            })
        })
    }

    /// Keeps a new credential.
    ///
    /// # Errors
    /// If the store fails.
    pub fn issue_credential(&self, credential: Credential) -> Fut<'_, ()> {
        Box::pin(async move { Ok(self.store.insert_credential(credential).await?) })
    }

    /// Takes a credential of an environment back; it is refused from the next request on.
    ///
    /// # Errors
    /// If there is none of this id that still holds.
    pub fn revoke_credential(&self, at: At, id: CredentialId) -> Fut<'_, ()> {
        Box::pin(async move {
            match self.store.revoke_credential(at.environment, id, at.now).await? {
                true => Ok(()),
                false => Err(Error::not_found(id)),
            }
        })
    }

    /// The credentials of an environment, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn credentials(&self, environment: i64) -> Fut<'_, Vec<Credential>> {
        self.read(move |s| Box::pin(async move { Ok(credentials::list(s, environment).await?) }))
    }

    /// The credential of an API key, by the key's HMAC.
    ///
    /// # Errors
    /// If the store fails.
    pub fn credential_of_key(&self, hash: [u8; 32]) -> Fut<'_, Option<Standing>, store::Error> {
        Box::pin(self.store.read(move |s| Box::pin(async move { credentials::by_hash(s, &hash).await })))
    }

    /// The credential of a token, by the id that the token carries.
    ///
    /// # Errors
    /// If the store fails.
    pub fn credential_of_token(&self, id: CredentialId) -> Fut<'_, Option<Standing>, store::Error> {
        Box::pin(self.store.read(move |s| Box::pin(credentials::by_id(s, id))))
    }

    /// Notes when credentials were last used.
    ///
    /// # Errors
    /// If the store fails.
    pub fn note_credentials_used(&self, used: Vec<(CredentialId, Timestamp)>) -> Fut<'_, ()> {
        Box::pin(async move {
            if used.is_empty() {
                return Ok(());
            }
            Ok(self.store.note_credentials_used(used).await?)
        })
    }

    /// Makes roles, or gives those that are there other permissions.
    ///
    /// # Errors
    /// If the store fails.
    pub fn put_roles(&self, roles: Vec<Role>) -> Fut<'_, ()> {
        Box::pin(async move { Ok(self.store.put_roles(roles).await?) })
    }

    /// The roles of an environment.
    ///
    /// # Errors
    /// If the store fails.
    pub fn roles(&self, environment: i64) -> Fut<'_, Vec<Role>> {
        self.read(move |s| Box::pin(async move { Ok(credentials::roles(s, environment).await?) }))
    }
}
