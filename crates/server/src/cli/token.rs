//! `quittance token`.

use super::books::{BooksArgs, environment};
use super::host::Host;
use crate::app::App;
use crate::auth::issue::TOKEN_DAYS;
use crate::spelling::{iso_micros, parse_uuid, uuid};
use anyhow::Context;
use billing::credential::{Bearer, Credential, KeyScope};
use billing::id::{CredentialId, Id};
use billing::timestamp::Timestamp;
use clap::{Args, Subcommand, ValueEnum};
use engine::At;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// The environment; the only one if none is named.
    #[arg(long, global = true, value_name = "NUMBER")]
    environment: Option<i64>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an API key and print it, this once.
    Key {
        /// What it is for.
        #[arg(long, default_value = "", value_name = "TEXT")]
        name: String,
        /// What it opens; everything if nothing is named.
        #[arg(long, value_enum, value_name = "SCOPE")]
        scope: Vec<ScopeArg>,
        /// Days until it expires; never if not given.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_525))]
        days: Option<i64>,
    },
    /// Make a token of a customer's user and print it.
    Customer {
        /// The merchant's id of the customer.
        #[arg(long, value_name = "ID")]
        external_id: String,
        /// The user's e-mail address; the customer's own if none is given. The user is made if need be.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Days until it expires.
        #[arg(long, default_value_t = TOKEN_DAYS, value_name = "DAYS",
            value_parser = clap::value_parser!(i64).range(1..=36_525))]
        days: i64,
    },
    /// Make a token of staff and print it.
    Staff {
        /// The e-mail address. The person is made if a role is given.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// The role of a person who is new: owner, accountant, viewer or guest.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        /// Days until it expires.
        #[arg(long, default_value_t = TOKEN_DAYS, value_name = "DAYS",
            value_parser = clap::value_parser!(i64).range(1..=36_525))]
        days: i64,
    },
    /// List what was given out. Secrets are not among it: nobody has them.
    List,
    /// Take a key or token back: it is refused from then on.
    Revoke {
        /// Its id, as `list` prints it.
        id: String,
    },
    /// Go on with the secrets that are given or kept now, because those of the books are lost or shall no
    /// longer hold: every key and token that was given out is void, and all servers need the new ones.
    NewSecrets,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeArg {
    /// The merchant API.
    Merchant,
    /// Billing periods.
    Periods,
}

impl Token {
    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        let app = match self.what {
            What::NewSecrets => {
                args.take_new_secrets(host).await?;
                println!("{} now goes by these secrets: what was given out before is void", args.label());
                return Ok(());
            }
            // What is taken back needs no secret.
            What::List | What::Revoke { .. } => args.open_existing(host).await?,
            _ => args.open_existing_with_secrets(host).await?,
        };
        let books = environment(&app, self.environment).await?;
        let number = books.number;
        let now = app.real_now();
        match self.what {
            What::Key { name, scope, days } => {
                let scopes = if scope.is_empty() {
                    KeyScope::ALL.to_vec()
                } else {
                    scope.iter().map(|scope| scope.scope()).collect()
                };
                let expires_at = days.map(|days| now.plus_days(days)).transpose()?;
                let mut ctx = app.engine.ctx(now);
                let kind = (number, books.livemode);
                let issued =
                    app.authenticator.api_key(&mut ctx, &*host.entropy, kind, &name, scopes, expires_at);
                app.engine.issue_credential(issued.credential).await?;
                println!("{}", issued.secret);
            }
            What::Customer { external_id, email, days } => {
                let (_, user) =
                    app.engine.customer_user(At::new(now, number), &external_id, email, None, None).await?;
                let bearer = Bearer::CustomerUser(user.customer_id, user.id);
                println!("{}", issue(&app, now, number, bearer, &user.email, days).await?);
            }
            What::Staff { email, role, days } => {
                let staff = app.engine.staff_of_email(At::new(now, number), &email, role).await?;
                println!("{}", issue(&app, now, number, Bearer::Staff(staff.id), &email, days).await?);
            }
            What::List => list(&app.engine.credentials(number).await?, now),
            What::Revoke { id } => {
                let id = parse_uuid(&id).with_context(|| format!("{id:?} is not an id of `token list`"))?;
                let revoked =
                    app.engine.revoke_credential(At::new(now, number), CredentialId::from_raw(id)).await;
                revoked.context("no credential of that id holds in this environment")?;
                println!("revoked");
            }
            // It is about all environments, and was done before one was looked for.
            What::NewSecrets => {}
        }
        app.engine.store().close().await?;
        Ok(())
    }
}

impl ScopeArg {
    fn scope(self) -> KeyScope {
        match self {
            Self::Merchant => KeyScope::Merchant,
            Self::Periods => KeyScope::Periods,
        }
    }
}

async fn issue(
    app: &App,
    now: Timestamp,
    environment: i64,
    bearer: Bearer,
    name: &str,
    days: i64,
) -> anyhow::Result<String> {
    let id = app.engine.ctx(now).id(0);
    let issued = app.authenticator.token(now, id, environment, bearer, name, now.plus_days(days)?);
    app.engine.issue_credential(issued.credential).await?;
    Ok(issued.secret)
}

fn list(credentials: &[Credential], now: Timestamp) {
    for credential in credentials {
        let kind = match credential.bearer {
            Bearer::Key => "key",
            Bearer::CustomerUser(..) => "customer",
            Bearer::Staff(_) => "staff",
        };
        let state = match (credential.revoked_at, credential.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now => "expired",
            _ => "holds",
        };
        let scopes: Vec<&str> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
        let used =
            credential.last_used_at.map_or("never used".to_owned(), |at| format!("used {}", iso_micros(at)));
        let what = [credential.hint.as_str(), &scopes.join(","), &credential.name];
        let what: Vec<&str> = what.into_iter().filter(|text| !text.is_empty()).collect();
        let id = uuid(credential.id.raw()).to_string();
        println!("{id}  {kind:<8}  {state:<7}  {used}  {}", what.join("  "));
    }
}
