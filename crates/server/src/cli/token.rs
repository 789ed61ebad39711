//! `quittance token`: credentials, given out and taken back.

use super::{Database, Outcome, Secrets, World};
use crate::auth::Authenticator;
use crate::auth::issue::{Issued, TOKEN_DAYS};
use crate::spelling::{parse_uuid, uuid};
use billing::{Bearer, Credential, CredentialId, Environment, Id, KeyScope, Timestamp};
use clap::{Args, Subcommand};
use engine::Engine;

/// Credentials.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Issue an API key; it is printed once.
    Key(IssueKey),
    /// Issue a token for a person of a customer.
    Customer(IssueCustomer),
    /// Issue a token for a member of the staff; a new person is made if the address is not known.
    Staff(IssueStaff),
    /// List credentials; no secret is shown.
    List(List),
    /// Revoke a credential. A running server refuses it within a tenth of a second.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub struct Common {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    secrets: Secrets,
    /// The environment; needed only where there are several.
    #[arg(long, value_name = "NUMBER")]
    environment: Option<i64>,
}

#[derive(Debug, Args)]
pub struct IssueKey {
    #[command(flatten)]
    common: Common,
    /// What the key is for.
    #[arg(long, default_value = "API key")]
    name: String,
    /// What it opens: `merchant` (the merchant API and document 002), `periods` (document 003).
    #[arg(long = "scope", value_name = "SCOPE", default_values = ["merchant", "periods"])]
    scopes: Vec<String>,
    /// Days until it expires; never if not given.
    #[arg(long, value_name = "N")]
    days: Option<i64>,
}

#[derive(Debug, Args)]
pub struct IssueCustomer {
    #[command(flatten)]
    common: Common,
    /// The merchant's own id of the customer.
    #[arg(long, value_name = "ID")]
    external_id: String,
    /// The person's e-mail address; the customer's own if not given.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Days until it expires.
    #[arg(long, value_name = "N", default_value_t = TOKEN_DAYS)]
    days: i64,
}

#[derive(Debug, Args)]
pub struct IssueStaff {
    #[command(flatten)]
    common: Common,
    /// The person's e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The role of a new person: owner, accountant, viewer, guest.
    #[arg(long, default_value = "viewer")]
    role: String,
    /// Days until it expires.
    #[arg(long, value_name = "N", default_value_t = TOKEN_DAYS)]
    days: i64,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    common: Common,
    /// The credential's id, as listed.
    id: String,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Books that are open for a command about credentials.
struct Desk {
    engine: Engine,
    authenticator: Authenticator,
    environment: Environment,
    now: Timestamp,
}

impl Common {
    async fn open(&self, world: &World) -> Result<Desk, Failure> {
        let engine = self.database.open(world)?;
        let keys = self.secrets.load(&self.database.db, world)?;
        let all = engine.environments().await?;
        let mut wanted =
            all.into_iter().filter(|books| self.environment.is_none_or(|number| number == books.number));
        let environment = wanted.next().ok_or("--environment: there are no such books")?;
        if wanted.next().is_some() {
            return Err("--environment: there are several; say which".into());
        }
        let authenticator = Authenticator::new(keys.jwt_key, keys.pepper);
        Ok(Desk { engine, authenticator, environment, now: (world.clock.now)() })
    }
}

impl Desk {
    fn expiry(&self, days: i64) -> Result<Timestamp, Failure> {
        if days < 1 {
            return Err("--days: a whole number of at least 1".into());
        }
        Ok(self.now.plus_days(days)?)
    }

    async fn issue(self, issued: Issued) -> Outcome {
        let id = uuid(issued.credential.id.raw()).to_string();
        self.engine.issue_credential(issued.credential).await?;
        self.engine.store().close().await?;
        eprintln!("credential {id}; its secret is shown this once:");
        println!("{}", issued.secret);
        Ok(())
    }
}

impl Token {
    pub(super) async fn run(self, world: &World) -> Outcome {
        match self {
            Self::Key(command) => command.run(world).await,
            Self::Customer(command) => command.run(world).await,
            Self::Staff(command) => command.run(world).await,
            Self::List(command) => command.run(world).await,
            Self::Revoke(command) => command.run(world).await,
        }
    }
}

impl IssueKey {
    async fn run(self, world: &World) -> Outcome {
        let mut scopes = Vec::with_capacity(self.scopes.len());
        for scope in &self.scopes {
            scopes.push(KeyScope::parse(scope).ok_or("--scope: merchant or periods")?);
        }
        let desk = self.common.open(world).await?;
        let expires_at = match self.days {
            Some(days) => Some(desk.expiry(days)?),
            None => None,
        };
        let mut ctx = desk.engine.ctx(desk.now);
        let books = (desk.environment.number, desk.environment.livemode);
        let issued = desk.authenticator.api_key(
            desk.now,
            &mut ctx.ids,
            &*world.entropy,
            books,
            &self.name,
            scopes,
            expires_at,
        );
        desk.issue(issued).await
    }
}

impl IssueCustomer {
    async fn run(self, world: &World) -> Outcome {
        let desk = self.common.open(world).await?;
        let environment = desk.environment.number;
        let (_, person) = desk
            .engine
            .customer_user(desk.now, environment, &self.external_id, self.email, None, None)
            .await?;
        let expires_at = desk.expiry(self.days)?;
        let mut ctx = desk.engine.ctx(desk.now);
        let bearer = Bearer::CustomerUser(person.customer_id, person.id);
        let issued =
            desk.authenticator.token(desk.now, ctx.id(0), environment, bearer, &person.email, expires_at);
        desk.issue(issued).await
    }
}

impl IssueStaff {
    async fn run(self, world: &World) -> Outcome {
        let desk = self.common.open(world).await?;
        let environment = desk.environment.number;
        let staff = desk.engine.staff(desk.now, environment, &self.email, &self.role).await?;
        let expires_at = desk.expiry(self.days)?;
        let mut ctx = desk.engine.ctx(desk.now);
        let bearer = Bearer::Staff(staff.id);
        let issued =
            desk.authenticator.token(desk.now, ctx.id(0), environment, bearer, &staff.email, expires_at);
        desk.issue(issued).await
    }
}

impl List {
    async fn run(self, world: &World) -> Outcome {
        let desk = self.common.open(world).await?;
        for credential in desk.engine.credentials(desk.environment.number).await? {
            println!("{}", line_of(&credential, desk.now));
        }
        desk.engine.store().close().await?;
        Ok(())
    }
}

fn line_of(credential: &Credential, now: Timestamp) -> String {
    let kind = match credential.bearer {
        Bearer::Key => "key",
        Bearer::CustomerUser(..) => "customer",
        Bearer::Staff(_) => "staff",
    };
    let state = if credential.revoked_at.is_some() {
        "revoked"
    } else if credential.expires_at.is_some_and(|at| at <= now) {
        "expired"
    } else {
        "valid"
    };
    let used = credential.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let id = uuid(credential.id.raw()).to_string();
    format!("{id}  {kind:8}  {state:7}  last used {used}  {}  {}", credential.hint, credential.name)
}

impl Revoke {
    async fn run(self, world: &World) -> Outcome {
        let id = parse_uuid(&self.id).ok_or("the credential's id, as `quittance token list` shows it")?;
        let desk = self.common.open(world).await?;
        let environment = desk.environment.number;
        desk.engine.revoke_credential(desk.now, environment, CredentialId::from_raw(id)).await?;
        desk.engine.store().close().await?;
        println!("revoked");
        Ok(())
    }
}
