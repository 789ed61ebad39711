//! What happens, step by step, as verbs of the product.

use crate::compare;
use crate::driver::{Books, Offer, Opening, Product};
use crate::fields::{date, end_of, integer, list, object, only, optional_text, start_of, text, time};
use crate::setting::{self, Plan, Setting};
use crate::verdict::Verdict;
use billing::calendar::Date;
use billing::id::{PriceId, SubscriptionId};
use billing::money::Money;
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is known of a step.
const STEP: [&str; 15] = [
    "at",
    "do",
    "plan",
    "to",
    "when",
    "day",
    "quantity",
    "effective",
    "qty",
    "for_",
    "item",
    "seats",
    "note",
    "local_day",
    "billing",
];

/// Plays a case of amounts. Where a step cannot be taken yet, what is expected before it is compared all the
/// same.
pub(crate) async fn judge(product: &Product, case: &Value) -> Result<Verdict, Verdict> {
    let setting = setting::read(case)?;
    let mut steps = Vec::new();
    for step in list(case, "steps") {
        steps.push((time(text(step, "at"), &setting.zone)?, step));
    }
    steps.sort_by_key(|(at, _)| *at);
    let Some(start) = steps.first().map(|(at, _)| *at) else {
        return Err(Verdict::not_yet("a case in which nothing happens"));
    };
    let opening =
        Opening { currency: setting.currency, zone: setting.zone.clone(), tax: setting.tax, at: start };
    let books = product.books(opening).await?;
    let mut player = Player { setting: &setting, books, offers: BTreeMap::new(), held: None };
    let mut stop = None;
    for (at, step) in steps {
        match player.take(at, step).await {
            Ok(()) => {}
            Err(Verdict::NotYet(what)) => {
                stop = Some((setting.zone.civil_date(at), what));
                break;
            }
            Err(verdict) => return Err(verdict),
        }
    }
    if stop.is_none() {
        player.wait_for(case).await?;
    }
    let documents = player.books.documents().await?;
    compare::judge(case, &documents, stop)
}

struct Player<'a> {
    setting: &'a Setting,
    books: Books<'a>,
    /// What is up for sale, by the name of the plan.
    offers: BTreeMap<String, Vec<PriceId>>,
    held: Option<Held>,
}

/// What the customer has subscribed to.
#[derive(Debug, Clone)]
struct Held {
    id: SubscriptionId,
    plan: String,
    quantity: i64,
}

/// When something shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    PeriodEnd,
    On(Date),
}

impl Player<'_> {
    async fn take(&mut self, at: Timestamp, step: &Value) -> Result<(), Verdict> {
        if at > self.books.now() {
            self.books.advance(at).await?;
        }
        let verb = text(step, "do");
        only(&object(Some(step)), &STEP, &format!("the step {verb:?}"))?;
        let number = |key: &str| step.get(key).map(integer).transpose();
        let quantity = number("quantity")?.or(number("seats")?);
        let (to, plan) = (optional_text(step.get("to"))?, optional_text(step.get("plan"))?);
        match verb {
            "subscribe" => self.subscribe(step, plan, quantity).await,
            "change_plan" | "upgrade" | "downgrade" => {
                let otherwise = if verb == "downgrade" { When::PeriodEnd } else { When::Now };
                let to = to.or(plan).ok_or_else(|| Verdict::not_yet("a change to nothing"))?;
                self.change(Some(to), quantity, when(step, otherwise)?).await
            }
            "set_quantity" | "set_seats" => self.change(None, quantity, when(step, When::Now)?).await,
            "cancel" | "terminate" => self.cancel(step).await,
            "advance_clock" | "advance_clock_monthly" | "renew" | "bill" => Ok(()),
            other => Err(Verdict::not_yet(not_built(other))),
        }
    }

    async fn subscribe(
        &mut self,
        step: &Value,
        plan: Option<&str>,
        quantity: Option<i64>,
    ) -> Result<(), Verdict> {
        let name = plan.or(self.setting.first_plan.as_deref());
        let name = name.ok_or_else(|| Verdict::not_yet("a subscription to nothing"))?.to_owned();
        let mut plan = self.setting.plan(&name)?;
        plan.interval = setting::interval_told(step).unwrap_or(plan.interval);
        plan.check_start(self.setting.zone.civil_date(self.books.now()))?;
        let quantity = quantity.unwrap_or(self.setting.seats);
        let items = self.items(&name, &plan, quantity).await?;
        let id = self.books.subscribe(&items).await?;
        self.held = Some(Held { id, plan: name, quantity });
        Ok(())
    }

    async fn change(&mut self, to: Option<&str>, quantity: Option<i64>, when: When) -> Result<(), Verdict> {
        let held = self.held()?;
        let name = to.unwrap_or(&held.plan).to_owned();
        let quantity = quantity.unwrap_or(held.quantity);
        let plan = self.setting.plan(&name)?;
        let when = match when {
            When::Now => ChangeTiming::Now,
            When::PeriodEnd => ChangeTiming::PeriodEnd,
            When::On(day) if self.books.period_end(held.id).await? == day => ChangeTiming::PeriodEnd,
            When::On(_) => return Err(Verdict::not_yet("changes at a date to come")),
        };
        let items = self.items(&name, &plan, quantity).await?;
        self.books.change(held.id, &items, when).await?;
        self.held = Some(Held { plan: name, quantity, ..held });
        Ok(())
    }

    async fn cancel(&self, step: &Value) -> Result<(), Verdict> {
        let held = self.held()?;
        if optional_text(step.get("item"))?.is_some_and(|item| item != held.plan) {
            return Err(Verdict::not_yet("several subscriptions"));
        }
        let at = match when(step, When::Now)? {
            When::Now => CancelAt::Now,
            When::PeriodEnd => CancelAt::PeriodEnd,
            When::On(day) => CancelAt::Date(start_of(day, &self.setting.zone)?),
        };
        Ok(self.books.cancel(held.id, at).await?)
    }

    fn held(&self) -> Result<Held, Verdict> {
        self.held.clone().ok_or_else(|| Verdict::not_yet("a subscription that began before the case"))
    }

    /// The items of so many units of a plan, put up for sale if they are not yet.
    async fn items(
        &mut self,
        name: &str,
        plan: &Plan,
        quantity: i64,
    ) -> Result<Vec<(PriceId, i64)>, Verdict> {
        let offers = match self.offers.get(name) {
            Some(offers) => offers.clone(),
            None => {
                let mut offers = Vec::new();
                for component in &plan.components {
                    let offer = Offer {
                        name: component.name.clone(),
                        unit_price: Money::new(component.price, self.setting.currency),
                        interval: plan.interval,
                        trial_days: Some(plan.trial_days).filter(|days| *days > 0),
                        period_count: plan.period_count,
                    };
                    offers.push(self.books.offer(offer).await?);
                }
                self.offers.insert(name.to_owned(), offers.clone());
                offers
            }
        };
        let units = plan.components.iter().map(|part| if part.by_quantity { quantity } else { 1 });
        Ok(offers.into_iter().zip(units).collect())
    }

    /// Lets all pass that is expected to come.
    async fn wait_for(&mut self, case: &Value) -> Result<(), Verdict> {
        for entry in list(case, "expected") {
            let Some(on) = optional_text(entry.get("on"))? else { continue };
            let end = end_of(date(on)?, &self.setting.zone)?;
            if end > self.books.now() {
                self.books.advance(end).await?;
            }
        }
        Ok(())
    }
}

/// What a step needs that is not built.
fn not_built(verb: &str) -> String {
    let missing = match verb {
        "set_billing_day" => "a billing day that is moved, with a bridge to it",
        "pause" | "resume" => "pause and resume",
        "invoicing_off" | "invoicing_on" => "invoicing that is switched off",
        "usage" | "late_usage" | "record_usage" | "level_change" => "usage",
        "bill_run" => "billing ahead of what is due",
        "finalise" | "finalize" => "drafts",
        other => return format!("the step {other:?}"),
    };
    missing.to_owned()
}

fn when(step: &Value, otherwise: When) -> Result<When, Verdict> {
    match optional_text(step.get("when").or(step.get("effective")))? {
        None => Ok(otherwise),
        Some("now" | "immediate" | "immediately") => Ok(When::Now),
        Some("end_of_term" | "period_end" | "end_of_period") => Ok(When::PeriodEnd),
        Some(day) => date(day).map(When::On),
    }
}
