//! The demo: one organization's trade, built by running the engine through simulated time.
//!
//! Reading order: [`Plan`] and [`build`]; `cast` and `habits` (who does what), `stage` (each act as a
//! use case), `goods` and `people` (data).

mod cast;
mod chance;
mod goods;
mod habits;
mod passes;
mod people;
mod script;
mod shop;
mod stage;

pub use passes::{Passes, issue};

use billing::calendar::{Zone, add_months};
use billing::{CustomerId, CustomerUserId, DunningEnd, Environment, Refusal, StaffId, Timestamp};
use chance::Chance;
use engine::{Engine, Error};
use script::{Act, HOUR, Role, Span};
use stage::{Player, Stage};

/// How much trade to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    months: u32,
    customers: u32,
    seed: u64,
}

/// The most months that a demo can have: ten years.
pub const MONTHS_MAX: u32 = 120;

/// The most customers that a demo can have.
pub const CUSTOMERS_MAX: u32 = 20_000;

/// The first instant of every demo, in seconds since the epoch: 1 January 2024 in UTC.
const START: Timestamp = Timestamp::from_seconds(1_704_067_200);

/// From one run of what is due to the next, in seconds.
const STEP: i64 = 3 * HOUR;

impl Plan {
    /// So many months of trade with so many customers, as the seed wants it.
    ///
    /// # Errors
    /// If a number is 0 or too large; the text says which.
    pub fn new(months: u32, customers: u32, seed: u64) -> Result<Self, String> {
        if !(1..=MONTHS_MAX).contains(&months) {
            return Err(format!("--months is a whole number from 1 to {MONTHS_MAX}, not {months}"));
        }
        if !(1..=CUSTOMERS_MAX).contains(&customers) {
            return Err(format!("--customers is a whole number from 1 to {CUSTOMERS_MAX}, not {customers}"));
        }
        Ok(Self { months, customers, seed })
    }

    /// The seed from which all ids follow.
    pub const fn seed(self) -> u64 {
        self.seed
    }

    fn span(self) -> Result<Span, Error> {
        let utc = Zone::utc();
        let last = add_months(utc.civil_date(START), i64::from(self.months)).map_err(Refusal::from)?;
        Ok(Span { start: START, end: utc.start_of_day(last).map_err(Refusal::from)? })
    }

    fn roles(self, span: Span) -> Vec<Role> {
        let count = i64::from(self.customers);
        let mut roles = cast::leads(self.seed, span, count);
        roles.extend((0..count - roles.len() as i64).map(|index| habits::role(self.seed, span, index)));
        roles
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let several = |n: u32| if n == 1 { "" } else { "s" };
        let (months, customers, seed) = (self.months, self.customers, self.seed);
        write!(
            f,
            "{months} month{}, {customers} customer{}, seed {seed}",
            several(months),
            several(customers)
        )
    }
}

/// Who stands in the books of a demo, as far as somebody who shows it must know.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The books.
    pub environment: Environment,
    /// Staff who may do everything, only look, and do nothing.
    pub staff: [StaffId; 3],
    /// The customer that pays in US dollars: its external id, its id and who acts for it.
    pub customer: (String, CustomerId, CustomerUserId),
    /// The organization that pays in rupees: its handle, its id and who acts for it.
    pub organization: (String, CustomerId, CustomerUserId),
    /// The short name of the product that the organization has invoices of.
    pub product: &'static str,
}

/// Whether the books are those of a demo of this plan.
///
/// # Errors
/// If the store fails.
pub async fn is_of(engine: &Engine, plan: Plan) -> Result<bool, Error> {
    passes::are_for(engine, plan).await
}

/// Who stands in the books of a demo of this plan.
///
/// # Errors
/// If they are not the books of such a demo.
pub async fn shown(engine: &Engine, plan: Plan) -> Result<Shown, Error> {
    let environment =
        engine.environments().await?.into_iter().next().ok_or_else(|| Error::not_found("environment", 1))?;
    let number = environment.number;
    let mut staff = Vec::with_capacity(shop::STAFF.len());
    for (email, ..) in shop::STAFF {
        staff.push(engine.staff_of_email(environment.created_at, number, email, None).await?.id);
    }
    let mut leads = Vec::new();
    for role in cast::leads(plan.seed, plan.span()?, i64::from(plan.customers)) {
        let (id, contact) = (role.person.external_id.clone(), role.person.contact_email());
        let now = environment.created_at;
        let (customer, user) = engine.customer_user(now, number, &id, Some(contact), None, None).await?;
        leads.push((id, customer.id, user.id));
    }
    let customer = leads.first().cloned().ok_or_else(|| Error::not_found("customer", "of the demo"))?;
    let (_, organization, member) = leads.last().cloned().unwrap_or_else(|| customer.clone());
    Ok(Shown {
        environment,
        staff: [staff[0], staff[1], staff[2]],
        customer,
        organization: (cast::ORGANIZATION_HANDLE.to_owned(), organization, member),
        product: goods::MAIN_PRODUCT,
    })
}

/// Builds a demo in empty books. The same plan makes the same books; `progress` is told how far it is,
/// in seconds of simulated time done and in all. Returns how many acts the rules of the business refused.
///
/// # Errors
/// If the store fails.
pub async fn build(engine: &Engine, plan: Plan, progress: &dyn Fn(u64, u64)) -> Result<u64, Error> {
    let span = plan.span()?;
    let mut shop = shop::open(engine, span.start).await?;
    let mut players = Vec::new();
    let mut scenes: Vec<(Timestamp, usize, Act)> = Vec::new();
    for (index, role) in plan.roles(span).into_iter().enumerate() {
        scenes.extend(role.scenes.into_iter().map(|(at, act)| (at, index, act)));
        players.push(Player::new(role.person, role.is_large));
    }
    // Stable: a customer's acts at one instant stay in their order.
    scenes.sort_by_key(|(at, index, _)| (*at, *index));
    let mut scenes = scenes.into_iter().peekable();
    let mut chance = Chance::about(plan.seed, 0);
    let mut refused = 0;
    let environment = shop.environment.number;
    let half = span.start.seconds() + span.seconds() / 2;
    let mut step = span.start.seconds();
    while step < span.end.seconds() {
        step = (step + STEP).min(span.end.seconds());
        // The nightly job of a real server starts a little late, too; but the last step is the end itself.
        let late = if step == span.end.seconds() { 0 } else { chance.between(1_000_000, 59_999_999) };
        let now = Timestamp::from_micros(step * 1_000_000 + late);
        while let Some((at, index, act)) = scenes.next_if(|(at, ..)| *at <= now) {
            let stage = Stage { engine, shop: &shop };
            refused += u64::from(!play(&stage, at, &mut players[index], &act).await?);
        }
        engine.run_due(environment, now).await?;
        if step >= half && shop.environment.dunning.end != DunningEnd::Cancel {
            shop.ends_dunning_by(engine, DunningEnd::Cancel).await?;
        }
        let done = step - span.start.seconds();
        progress(done.unsigned_abs(), span.seconds().unsigned_abs());
    }
    engine.set_clock(environment, span.end).await?;
    Ok(refused)
}

/// Plays one act and says whether the rules of the business allowed it.
async fn play(stage: &Stage<'_>, at: Timestamp, player: &mut Player, act: &Act) -> Result<bool, Error> {
    match stage.play(at, player, act).await {
        Ok(()) => Ok(true),
        Err(Error::Refused(refusal)) => {
            tracing::debug!(%refusal, ?act, "not allowed");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
