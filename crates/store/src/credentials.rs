//! Credentials and roles: who may ask.

use crate::{Error, Param, Row, Scope, Snapshot, Store};
use async_recursion::async_recursion as boxed;
use billing::{Bearer, Credential, CredentialId, Id, KeyScope, Role, Timestamp};

macro_rules! credential_columns {
    () => {
        "id, environment, kind, name, hint, hash, scopes, customer_id, user_id, expires_at, revoked_at, \
         last_used_at, created_at"
    };
}

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
    const SQL: &str = concat!("select ", credential_columns!(), " from credentials where hash = $1");
    match snapshot.row(SQL, &[hash.into()], read).await? {
        Some(credential) => standing(snapshot, credential).await.map(Some),
        None => Ok(None),
    }
}

/// The credential of a token, by the id that the token carries.
#[boxed]
pub async fn by_id(snapshot: &mut Snapshot, id: CredentialId) -> Result<Option<Standing>, Error> {
    const SQL: &str = concat!("select ", credential_columns!(), " from credentials where id = $1");
    match snapshot.row(SQL, &[id.raw().into()], read).await? {
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
            let found = snapshot.row(SQL, &keys, |row| Ok((row.bool(0)?, words(row.opt_text(1)?)))).await?;
            found.map_or((Vec::new(), false), |(disabled, permissions)| (permissions, !disabled))
        }
    };
    Ok(Standing { credential, permissions, is_welcome })
}

/// The credentials of an environment, oldest first.
#[boxed]
pub async fn list(snapshot: &mut Snapshot, environment: i64) -> Result<Vec<Credential>, Error> {
    const SQL: &str =
        concat!("select ", credential_columns!(), " from credentials where environment = $1 order by id");
    snapshot.rows(SQL, &[environment.into()], read).await
}

/// The roles of an environment, by name.
#[boxed]
pub async fn roles(snapshot: &mut Snapshot, environment: i64) -> Result<Vec<Role>, Error> {
    const SQL: &str = "select name, permissions from roles where environment = $1 order by name";
    snapshot
        .rows(SQL, &[environment.into()], |row| {
            Ok(Role { environment, name: row.text(0)?.to_owned(), permissions: words(row.opt_text(1)?) })
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

async fn insert(tx: &mut crate::Tx, credential: &Credential) -> Result<(), Error> {
    const SQL: &str = "insert into credentials (id, environment, kind, name, hint, hash, scopes, customer_id, \
         user_id, expires_at, revoked_at, last_used_at, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let (kind, customer, user) = match credential.bearer {
        Bearer::Key => ("key", None, None),
        Bearer::CustomerUser(customer, user) => ("customer_user", Some(customer.raw()), Some(user.raw())),
        Bearer::Staff(staff) => ("staff", None, Some(staff.raw())),
    };
    let scopes: Vec<&str> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
    let scopes = scopes.join(",");
    let row: [Param<'_>; 13] = [
        credential.id.raw().into(),
        credential.environment.into(),
        kind.into(),
        (&credential.name).into(),
        (&credential.hint).into(),
        credential.hash.as_ref().into(),
        (&scopes).into(),
        customer.into(),
        user.into(),
        credential.expires_at.map(Timestamp::micros).into(),
        credential.revoked_at.map(Timestamp::micros).into(),
        credential.last_used_at.map(Timestamp::micros).into(),
        credential.created_at.micros().into(),
    ];
    tx.execute(SQL, &row).await.map(|_| ())
}

fn read(row: &Row<'_>) -> Result<Credential, Error> {
    let id = |at| row.id(at);
    let time = |at| Ok::<_, Error>(row.opt_int(at)?.map(Timestamp::from_micros));
    let bearer = match row.text(2)? {
        "key" => Bearer::Key,
        "customer_user" => Bearer::CustomerUser(Id::from_raw(id(7)?), Id::from_raw(id(8)?)),
        "staff" => Bearer::Staff(Id::from_raw(id(8)?)),
        _ => return Err(Error::Corrupt("a credential of an unknown kind".to_owned())),
    };
    let hash = match row.opt_bytes(5)? {
        Some(bytes) => Some(
            bytes.try_into().map_err(|_| Error::Corrupt("a credential's hash is not 32 bytes".to_owned()))?,
        ),
        None => None,
    };
    Ok(Credential {
        id: Id::from_raw(id(0)?),
        environment: row.int(1)?,
        bearer,
        name: row.text(3)?.to_owned(),
        hint: row.text(4)?.to_owned(),
        hash,
        scopes: row.text(6)?.split(',').filter_map(KeyScope::parse).collect(),
        expires_at: time(9)?,
        revoked_at: time(10)?,
        last_used_at: time(11)?,
        created_at: Timestamp::from_micros(row.int(12)?),
    })
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or("").split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
