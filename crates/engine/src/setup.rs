//! Making the books of a new organization.

use crate::at::At;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::load::{self, OfferState};
use billing::calendar::Zone;
use billing::catalog::Catalog;
use billing::changes::Changes;
use billing::currency::Currency;
use billing::customer::{Organization, Staff};
use billing::environment::{DunningPolicy, Environment, Numbering};
use billing::id::{Ctx, OrganizationId};
use billing::refusal::{Field, Refusal};
use billing::timestamp::Timestamp;

/// The books of a new organization: one environment, its default catalog and its first staff.
#[derive(Debug, Clone)]
pub struct NewBooks {
    /// The organization's name.
    pub organization: String,
    /// Whether real money moves in it.
    pub livemode: bool,
    /// The time of its clock; none where the real time rules.
    pub clock: Option<Timestamp>,
    /// Its IANA time zone.
    pub zone: String,
    /// The currency of prices that name none.
    pub currency: Currency,
    /// The product that is meant where a question about products names none; all are meant if there is none.
    pub default_product: Option<String>,
    /// The first staff's e-mail address.
    pub staff_email: String,
    /// The first staff's name.
    pub staff_name: String,
    /// The first staff's role.
    pub staff_role: String,
}

impl NewBooks {
    /// Test books of an organization whose clock stands at an instant: UTC, US dollars, an owner.
    pub fn test(organization: &str, clock: Timestamp) -> Self {
        Self {
            organization: organization.to_owned(),
            livemode: false,
            clock: Some(clock),
            zone: "UTC".to_owned(),
            currency: Currency::USD,
            default_product: None,
            staff_email: "owner@example.com".to_owned(),
            staff_name: "Owner".to_owned(),
            staff_role: "owner".to_owned(),
        }
    }
}

impl Engine {
    /// Makes the books of a new organization.
    ///
    /// # Errors
    /// If the zone is unknown, a clock is set for live books, or the store fails.
    pub fn open_books<'a>(
        &'a self,
        ctx: &'a mut Ctx,
        new: NewBooks,
    ) -> Fut<'a, (Organization, Environment, Staff)> {
        Box::pin(async move {
            if Zone::parse(&new.zone).is_err() {
                return Err(Refusal::invalid(Field::Zone, "an IANA time zone, such as Europe/Paris").into());
            }
            if new.livemode && new.clock.is_some() {
                return Err(
                    Refusal::invalid(Field::Clock, "only test books have a clock of their own").into()
                );
            }
            let number = self
                .store
                .read(|s| Box::pin(async move { store::environments::next_number(s).await }))
                .await
                .map_err(Error::from)?;
            let organization =
                Organization { id: ctx.id(0), name: new.organization.clone(), created_at: ctx.now };
            let environment = new_environment(ctx, number, organization.id, &new);
            let staff = Staff {
                id: ctx.id(0),
                environment: number,
                email: new.staff_email.clone(),
                name: new.staff_name.clone(),
                role: new.staff_role.clone(),
                disabled: false,
                created_at: ctx.now,
            };
            let catalog = Catalog {
                id: ctx.id(0),
                environment: number,
                name: "Default".to_owned(),
                is_default: true,
                created_at: ctx.now,
                updated_at: ctx.now,
            };
            let mut changes = Changes::default();
            changes.insert(organization.clone());
            changes.insert(environment.clone());
            changes.insert(staff.clone());
            changes.insert(catalog);
            self.store.commit(changes).await?;
            Ok((organization, environment, staff))
        })
    }

    /// The environment of a number.
    ///
    /// # Errors
    /// If there is none.
    pub fn environment(&self, number: i64) -> Fut<'_, Environment> {
        self.read(move |s| Box::pin(async move { Ok(load::rules(s, number).await?.environment) }))
    }

    /// All environments.
    ///
    /// # Errors
    /// If the store fails.
    pub fn environments(&self) -> Fut<'_, Vec<Environment>> {
        self.read(|s| Box::pin(async move { Ok(store::environments::all(s).await?) }))
    }

    /// Changes an environment's policies, on whatever they are by then. Its clock is not one of them.
    ///
    /// # Errors
    /// If there is no such environment or the store fails.
    pub fn update_environment<'a>(
        &'a self,
        at: At,
        change: impl Fn(&mut Environment) + Send + 'a,
    ) -> Fut<'a, Environment> {
        let number = at.environment;
        self.decide_if_needed(
            at,
            move |s| {
                Box::pin(async move {
                    let before = load::rules(s, number).await?.environment;
                    load::offer(s, number, before).await
                })
            },
            move |_, OfferState { found: before, .. }, changes| {
                let mut after = before.clone();
                change(&mut after);
                changes.update(before.clone(), after.clone());
                Ok((after, before.organization_id))
            },
        )
    }
}

fn new_environment(ctx: &Ctx, number: i64, organization_id: OrganizationId, new: &NewBooks) -> Environment {
    Environment {
        number,
        organization_id,
        livemode: new.livemode,
        clock: new.clock,
        zone: new.zone.clone(),
        currency: new.currency,
        numbering: Numbering::Organization,
        invoice_prefix: "INV-".to_owned(),
        due_days: 7,
        grace_days: 3,
        dunning: DunningPolicy::default(),
        remind_at_percent_remaining: 10,
        multiple_subscriptions: true,
        default_product: new.default_product.clone(),
        created_at: ctx.now,
    }
}
