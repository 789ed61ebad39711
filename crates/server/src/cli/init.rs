//! `quittance init`.

use super::books::BooksArgs;
use super::host::Host;
use crate::app::Limits;
use crate::json::object;
use crate::spelling::uuid;
use anyhow::Context;
use billing::calendar::Zone;
use billing::credential::{KeyScope, Role};
use billing::currency::Currency;
use billing::id::Id;
use billing::sharding::{ShardKey, ShardPlacement};
use billing::timestamp::Timestamp;
use clap::{Args, ValueEnum};
use engine::NewBooks;

/// The longest name, in characters.
const NAME_MAX: usize = 255;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The organization's name.
    #[arg(long, env = "QUITTANCE_ORGANIZATION", default_value = "My organization", value_name = "NAME")]
    organization: String,
    /// The e-mail address of the first staff, who may do everything.
    #[arg(long, env = "QUITTANCE_STAFF_EMAIL", default_value = "owner@example.com", value_name = "ADDRESS")]
    staff_email: String,
    /// The name of the first staff.
    #[arg(long, env = "QUITTANCE_STAFF_NAME", default_value = "Owner", value_name = "NAME")]
    staff_name: String,
    /// The IANA time zone of periods and documents.
    #[arg(long, env = "QUITTANCE_ZONE", default_value = "UTC", value_name = "ZONE")]
    zone: String,
    /// The currency of prices that name none.
    #[arg(long, env = "QUITTANCE_CURRENCY", default_value = "USD", value_name = "CODE")]
    currency: String,
    /// The product, by its slug, that is meant where a question about an organisation's invoices names none
    /// [default: all products].
    #[arg(long, env = "QUITTANCE_DEFAULT_PRODUCT", value_name = "SLUG")]
    default_product: Option<String>,
    /// Make test books: no real money, and a clock of their own that starts now and that the API moves.
    #[arg(long)]
    test: bool,
    /// Over how many shards of a database customers are spread: a power of two up to 1024. So many
    /// servers can share what falls due. It cannot be changed once there are customers.
    #[arg(long, value_name = "N")]
    shards: Option<i64>,
    /// Which customers of a database share a shard: each goes to one of its own choice, or all of an
    /// organization to one, so that an organization can move to another server as a whole [default:
    /// customer]. It cannot be changed once there are customers.
    #[arg(long, value_name = "WHAT")]
    shard_by: Option<ShardBy>,
    /// Add another organization to books that have one.
    #[arg(long)]
    add: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ShardBy {
    /// Each customer goes to a shard of its own choice.
    Customer,
    /// All customers of an organization are in one shard.
    Organization,
}

impl ShardBy {
    fn spread_by(self) -> ShardKey {
        match self {
            ShardBy::Customer => ShardKey::Customer,
            ShardBy::Organization => ShardKey::Organization,
        }
    }
}

impl Init {
    /// Checks everything before a file is made.
    fn check(&self, args: &BooksArgs) -> anyhow::Result<()> {
        let is_spread = self.shards.is_some_and(|shards| shards != 1)
            || matches!(self.shard_by, Some(ShardBy::Organization));
        anyhow::ensure!(
            args.file().is_none() || !is_spread,
            "books in a file have one shard: --shards and --shard-by are for those of a database"
        );
        let is_named = |text: &str| !text.trim().is_empty() && text.chars().count() <= NAME_MAX;
        anyhow::ensure!(
            is_named(&self.organization),
            "--organization must be a name of 1 to {NAME_MAX} characters"
        );
        anyhow::ensure!(
            is_named(&self.staff_name),
            "--staff-name must be a name of 1 to {NAME_MAX} characters"
        );
        anyhow::ensure!(
            self.default_product.as_deref().is_none_or(is_named),
            "--default-product must be a slug of 1 to {NAME_MAX} characters"
        );
        let is_address = matches!(self.staff_email.split_once('@'), Some((who, at)) if !who.is_empty() && !at.is_empty())
            && !self.staff_email.contains(char::is_whitespace);
        anyhow::ensure!(is_address && is_named(&self.staff_email), "--staff-email must be an e-mail address");
        Zone::parse(&self.zone).with_context(|| format!("--zone {:?}", self.zone))?;
        Ok(())
    }

    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        let currency = Currency::parse(&self.currency)?;
        self.check(args)?;
        let app = args.open_with_secrets(host, Limits::default()).await?;
        let is_empty = app.engine.environments().await?.is_empty();
        anyhow::ensure!(
            is_empty || self.add,
            "{} holds books already: add another organization with --add, or name others with --db or --database",
            args.label()
        );
        let there = app.engine.store().spreading();
        let wanted = ShardPlacement {
            shards: self.shards.unwrap_or(there.shards),
            by: self.shard_by.map_or(there.by, ShardBy::spread_by),
        };
        app.engine.store().spread(wanted).await?;
        let now = app.real_now();
        let new = NewBooks {
            organization: self.organization.clone(),
            livemode: !self.test,
            clock: self.test.then_some(now),
            zone: self.zone.clone(),
            currency,
            default_product: self.default_product.clone(),
            staff_email: self.staff_email.clone(),
            staff_name: self.staff_name.clone(),
            staff_role: "owner".to_owned(),
        };
        let mut ctx = app.engine.ctx(now);
        let (organization, environment, staff) = app.engine.open_books(&mut ctx, new).await?;
        app.engine.put_roles(Role::defaults(environment.number)).await?;
        let key = app.authenticator.api_key(
            &mut ctx,
            &*host.entropy,
            (environment.number, environment.livemode),
            "first key",
            KeyScope::ALL.to_vec(),
            None::<Timestamp>,
        );
        app.engine.issue_credential(key.credential).await?;
        app.engine.store().close().await?;
        let database = args.label();
        if self.json {
            let line = object(|o| {
                o.put("database", &database).put("organizationId", uuid(organization.id.raw()).to_string());
                o.put("environment", environment.number).put("livemode", environment.livemode);
                o.put("staffId", uuid(staff.id.raw()).to_string()).put("apiKey", &key.secret);
            });
            println!("{line}");
        } else {
            println!("{} has the books of {} in {database}.", self.staff_name, self.organization);
            println!("environment  {} ({})", environment.number, if self.test { "test" } else { "live" });
            println!("staff        {} <{}>", self.staff_name, self.staff_email);
            println!("API key      {}", key.secret);
            println!("The key is shown this once. Next: quittance serve {}", args.as_option());
        }
        Ok(())
    }
}
