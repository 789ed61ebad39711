//! Credentials and roles: who may ask.

use crate::records::codecs::{Bool, OneColumn, Text};
use crate::records::{Read, Record};
use crate::{Error, Scope, Snapshot, Store, Tx};
use async_recursion::async_recursion as boxed;
use billing::credential::{Bearer, Credential, Role};
use billing::id::{CredentialId, Id};
use billing::timestamp::Timestamp;

/// A credential with what the books say of whom it stands for.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The credential.
    pub credential: Credential,
    /// What its role permits, if it is one of staff.
    pub permissions: Vec<String>,
    /// Whether the person that it stands for is still there and may log in.
    pub is_welcome: bool,
}

/// The credential of an API key, by the key's HMAC.
#[boxed]
pub async fn by_hash(snapshot: &mut Snapshot, hash: &[u8; 32]) -> Result<Option<Standing>, Error> {
    const SQL: &str = concat!("select ", credential_columns!("c"), " from credentials c where hash = $1");
    match snapshot.row(SQL, &[hash.into()], |row| row.record()).await? {
        Some(credential) => standing(snapshot, credential).await.map(Some),
        None => Ok(None),
    }
}

/// The credential of a token, by the id that the token carries.
#[boxed]
pub async fn by_id(snapshot: &mut Snapshot, id: CredentialId) -> Result<Option<Standing>, Error> {
    const SQL: &str = concat!("select ", credential_columns!("c"), " from credentials c where id = $1");
    match snapshot.row(SQL, &[id.raw().into()], |row| row.record()).await? {
        Some(credential) => standing(snapshot, credential).await.map(Some),
        None => Ok(None),
    }
}

async fn standing(snapshot: &mut Snapshot, credential: Credential) -> Result<Standing, Error> {
    let (permissions, is_welcome) = match credential.bearer {
        Bearer::Key => (Vec::new(), true),
        Bearer::CustomerUser(customer, user) => {
            const SQL: &str = "select 1 from customer_users where shard = $1 and id = $2 and customer_id = $3 and environment = $4";
            let keys = [
                customer.shard().into(),
                user.raw().into(),
                customer.raw().into(),
                credential.environment.into(),
            ];
            (Vec::new(), snapshot.row(SQL, &keys, |_| Ok(())).await?.is_some())
        }
        Bearer::Staff(staff) => {
            const SQL: &str = "select s.disabled, r.permissions from staff s \
                 left join roles r on r.environment = s.environment and r.name = s.role \
                 where s.id = $1 and s.environment = $2";
            let keys = [staff.raw().into(), credential.environment.into()];
            let found = snapshot
                .row(SQL, &keys, |row| {
                    let is_disabled = Bool::of(row, "disabled")?;
                    Ok((is_disabled, words(row.opt_text(row.take("permissions")?)?)))
                })
                .await?;
            found.map_or((Vec::new(), false), |(disabled, permissions)| (permissions, !disabled))
        }
    };
    Ok(Standing { credential, permissions, is_welcome })
}

/// The credentials of an environment, oldest first.
#[boxed]
pub async fn list(snapshot: &mut Snapshot, environment: i64) -> Result<Vec<Credential>, Error> {
    const SQL: &str = concat!(
        "select ",
        credential_columns!("c"),
        " from credentials c where environment = $1 order by id"
    );
    snapshot.rows(SQL, &[environment.into()], |row| row.record()).await
}

/// The roles of an environment, by name.
#[boxed]
pub async fn roles(snapshot: &mut Snapshot, environment: i64) -> Result<Vec<Role>, Error> {
    const SQL: &str = "select name, permissions from roles where environment = $1 order by name";
    snapshot
        .rows(SQL, &[environment.into()], |row| {
            let name = Text::of(row, "name")?;
            Ok(Role { environment, name, permissions: words(row.opt_text(row.take("permissions")?)?) })
        })
        .await
}

impl Store {
    /// Keeps a new credential. Nobody can have been told that it does not hold, so no version rises.
    #[boxed]
    pub async fn insert_credential(&self, credential: Credential) -> Result<(), Error> {
        self.write(move |tx| {
            let credential = credential.clone();
            Box::pin(async move { insert(tx, &credential).await })
        })
        .await
    }

    /// Takes a credential of an environment back. Whether there was one that still held.
    #[boxed]
    pub async fn revoke_credential(
        &self,
        environment: i64,
        id: CredentialId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        const SQL: &str = "update credentials set revoked_at = $3 \
             where environment = $1 and id = $2 and revoked_at is null";
        self.write(move |tx| {
            Box::pin(async move {
                let keys = [environment.into(), id.raw().into(), now.micros().into()];
                let revoked = tx.execute(SQL, &keys).await?;
                tx.touch(Scope::Credentials);
                Ok(revoked > 0)
            })
        })
        .await
    }

    /// Notes when credentials were last used. It changes nothing that anybody was promised.
    #[boxed]
    pub async fn note_credentials_used(&self, used: Vec<(CredentialId, Timestamp)>) -> Result<(), Error> {
        const SQL: &str = "update credentials set last_used_at = $2 \
             where id = $1 and (last_used_at is null or last_used_at < $2)";
        self.write(move |tx| {
            let used = used.clone();
            Box::pin(async move {
                let sets = used.iter().map(|(id, at)| [id.raw().into(), at.micros().into()]);
                tx.execute_for(SQL, sets).await.map(|_| ())
            })
        })
        .await
    }

    /// Makes roles, or gives those that are there other permissions.
    #[boxed]
    pub async fn put_roles(&self, roles: Vec<Role>) -> Result<(), Error> {
        const SQL: &str = "insert into roles (environment, name, permissions) values ($1, $2, $3) \
             on conflict (environment, name) do update set permissions = excluded.permissions";
        self.write(move |tx| {
            let roles = roles.clone();
            Box::pin(async move {
                for role in &roles {
                    let permissions = role.permissions.join(",");
                    let row = [role.environment.into(), (&role.name).into(), (&permissions).into()];
                    tx.execute(SQL, &row).await?;
                }
                tx.touch(Scope::Credentials);
                Ok(())
            })
        })
        .await
    }
}

async fn insert(tx: &mut Tx, credential: &Credential) -> Result<(), Error> {
    let mut params = Vec::new();
    credential.write(&mut params);
    tx.execute(Credential::TABLE.insert, &params).await.map(|_| ())
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or("").split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
