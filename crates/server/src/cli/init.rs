//! `quittance init`: new books.

use super::{Database, Outcome, Secrets, World};
use crate::auth::Authenticator;
use billing::{Currency, KeyScope, Role, Zone};
use clap::Args;
use engine::NewBooks;
use store::{Options, Store};

/// Makes the books of an organization.
#[derive(Debug, Args)]
pub struct Init {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    secrets: Secrets,
    /// The organization's name.
    #[arg(long)]
    organization: String,
    /// The first staff's e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The first staff's name.
    #[arg(long, default_value = "Owner")]
    name: String,
    /// The IANA time zone of periods and documents.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// The currency of prices that name none.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Make test books, whose clock stands until it is moved through the API.
    #[arg(long)]
    test: bool,
}

impl Init {
    pub(super) async fn run(self, world: &World) -> Outcome {
        Zone::parse(&self.zone).map_err(|_| "--zone: an IANA time zone, such as Europe/Paris")?;
        let currency =
            Currency::parse(&self.currency).map_err(|_| "--currency: an ISO 4217 code, such as EUR")?;
        if !self.email.contains('@') {
            return Err("--email: an e-mail address".into());
        }
        let keys = self.secrets.load(&self.database.db, world)?;
        let engine = world.engine(Store::open(&self.database.db, Options::default())?);
        let now = (world.clock.now)();
        let mut ctx = engine.ctx(now);
        let new = NewBooks {
            organization: self.organization.clone(),
            livemode: !self.test,
            clock: self.test.then_some(now),
            zone: self.zone,
            currency,
            staff_email: self.email,
            staff_name: self.name,
            staff_role: "owner".to_owned(),
        };
        let (_, environment, staff) = engine.open_books(&mut ctx, new).await?;
        engine.put_roles(Role::defaults(environment.number)).await?;
        let issued = Authenticator::new(keys.jwt_key, keys.pepper).api_key(
            now,
            &mut ctx.ids,
            &*world.entropy,
            (environment.number, environment.livemode),
            "first key",
            vec![KeyScope::Merchant, KeyScope::Periods],
            None,
        );
        engine.issue_credential(issued.credential).await?;
        engine.store().close().await?;
        println!("organization  {}", self.organization);
        println!("environment   {} ({})", environment.number, if self.test { "test" } else { "live" });
        println!("staff         {} ({})", staff.email, staff.role);
        println!("API key       {}", issued.secret);
        println!("The key is shown this once. Serve the books with:");
        println!("  quittance serve --db {}", self.database.db.display());
        Ok(())
    }
}
