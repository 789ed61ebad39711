//! What a subscription must be: moved on by requests and by the periods that are seen to begin.

use super::totals::Charge;
use crate::shop::Shop;
use billing::calendar::{Interval, Period, Schedule, Zone};
use billing::catalog::{Discount, DiscountAmount, TaxBehavior};
use billing::id::{CustomerId, PriceId};
use billing::money::{Money, MoneyError, Rounding};
use billing::proration::share_by_seconds;
use billing::subscription::Status;
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use billing::timestamp::{CalendarError, Timestamp};
use engine::{Subscribe, SubscribeItem};

/// What a change is charged with: its charges, and the discount on them.
pub(super) type Difference = (Vec<Charge>, Option<Discount>);

/// Something that a subscription holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// By which price.
    pub price: PriceId,
    /// How many.
    pub quantity: i64,
    /// What one costs.
    pub unit: Money,
    /// Whether tax is inside.
    pub behavior: TaxBehavior,
    /// What it is for.
    pub category: billing::catalog::Category,
    /// What is charged once with the first paid period.
    pub fee: Option<Money>,
}

impl Part {
    /// The parts of some items; none if a price is unknown.
    pub fn all(shop: &Shop, items: &[SubscribeItem]) -> Option<Vec<Self>> {
        items
            .iter()
            .map(|item| {
                let offer = shop.offer(item.price)?;
                Some(Self {
                    price: item.price,
                    quantity: item.quantity,
                    unit: offer.price.unit_price,
                    behavior: offer.price.tax_behavior,
                    category: offer.category,
                    fee: offer.price.setup_fee.filter(|fee| fee.is_positive()),
                })
            })
            .collect()
    }

    fn whole(&self) -> Result<Money, MoneyError> {
        self.unit.checked_mul_int(self.quantity)
    }
}

/// A line by which a part of the current period was billed, less its discount.
#[derive(Debug, Clone)]
pub struct BilledLine {
    price: PriceId,
    period: Period,
    net: Money,
    is_discounted: bool,
    /// On which invoice it stands.
    pub invoice: billing::id::InvoiceId,
}

/// A subscription as it must be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whose it is.
    pub customer: CustomerId,
    /// What it holds.
    pub items: Vec<Part>,
    /// What it will hold from the next period on.
    pub pending: Option<Vec<Part>>,
    /// How long its periods are.
    pub interval: Interval,
    /// Where they are counted.
    pub zone: Zone,
    /// From when they are counted.
    pub anchor: Timestamp,
    /// The number of the current period.
    pub index: i64,
    /// The current period.
    pub period: Period,
    /// Whether that is free.
    pub in_trial: bool,
    /// How many periods have begun.
    pub seen: usize,
    /// How many paid periods are left.
    pub left: Option<i64>,
    /// What takes money off, and for how many more invoices.
    pub discount: Option<(Discount, Option<i64>)>,
    /// When it is to be canceled.
    pub cancel_at: Option<Timestamp>,
    /// Where it stood last.
    pub status: Status,
    /// When that was seen.
    pub looked: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When the books took note of that.
    pub ended_noted: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// What was billed of the current period.
    pub billed: Vec<BilledLine>,
    /// The invoice with which it was made, if it began without a trial.
    pub first: Option<billing::id::InvoiceId>,
    /// The invoices of its periods.
    pub invoices: std::collections::BTreeSet<billing::id::InvoiceId>,
}

impl Plan {
    /// The subscription that a request makes.
    ///
    /// # Errors
    /// If the calendar cannot follow, which the workload avoids.
    pub fn new(
        shop: &Shop,
        zone: &str,
        customer: CustomerId,
        new: &Subscribe,
        now: Timestamp,
    ) -> Result<Option<Self>, CalendarError> {
        let Some(items) = Part::all(shop, &new.items) else { return Ok(None) };
        let first = new.items.first().and_then(|item| shop.offer(item.price));
        let Some(offer) = first else { return Ok(None) };
        let Some(interval) = offer.price.interval else { return Ok(None) };
        let start = new.start.unwrap_or(now);
        let trial_end = match (new.trial_end, offer.price.trial_days.filter(|days| *days > 0)) {
            (Some(end), _) => Some(end),
            (None, Some(days)) => Some(start.plus_days(days)?),
            (None, None) => None,
        };
        let trial_end = trial_end.filter(|end| *end > start);
        let zone = Zone::parse(zone)?;
        let anchor = trial_end.unwrap_or(start);
        let (index, period) = match trial_end {
            Some(end) => (-1, Period { start, end }),
            None => Schedule::new(anchor, zone.clone(), interval).next_nonempty(0)?,
        };
        let discount = new.discount_code.as_ref().and_then(|code| {
            let found = shop.discounts.iter().find(|discount| discount.code == *code)?;
            Some((found.clone(), found.duration.payments()))
        });
        Ok(Some(Self {
            customer,
            items,
            pending: None,
            interval,
            zone,
            anchor,
            index,
            period,
            in_trial: trial_end.is_some(),
            seen: 0,
            left: offer.price.period_count,
            discount,
            cancel_at: None,
            status: Status::Incomplete,
            looked: now,
            ended: None,
            ended_noted: None,
            created: now,
            billed: Vec::new(),
            first: None,
            invoices: Default::default(),
        }))
    }

    /// Whether it goes on to another period by itself, once it is paid for.
    pub fn renews(&self) -> bool {
        self.ended.is_none() && self.left != Some(0) && self.cancel_at.is_none_or(|at| at > self.period.end)
    }

    /// Moves on to the next period.
    ///
    /// # Errors
    /// If the calendar cannot follow.
    pub fn begin_next(&mut self) -> Result<(), CalendarError> {
        let schedule = Schedule::new(self.anchor, self.zone.clone(), self.interval);
        let (index, period) = schedule.next_nonempty(self.index + 1)?;
        self.index = index;
        self.period = period;
        self.in_trial = false;
        self.items = self.pending.take().unwrap_or_else(|| std::mem::take(&mut self.items));
        Ok(())
    }

    /// What the current period costs; `is_first` adds what is charged once.
    ///
    /// # Errors
    /// If a sum is out of range.
    pub fn charges(&self, is_first: bool) -> Result<Vec<Charge>, MoneyError> {
        let mut charges = Vec::new();
        for part in &self.items {
            let (category, behavior) = (part.category, part.behavior);
            charges.push(Charge { category, amount: part.whole()?, behavior });
        }
        for part in self.items.iter().filter(|_| is_first) {
            let (category, behavior) = (part.category, part.behavior);
            charges.extend(part.fee.map(|amount| Charge { category, amount, behavior }));
        }
        Ok(charges)
    }

    /// The discount that the next invoice gets.
    pub fn discount(&self) -> Option<&Discount> {
        self.discount.as_ref().filter(|(_, left)| *left != Some(0)).map(|(discount, _)| discount)
    }

    /// Counts an invoice of a period.
    pub fn count_invoice(&mut self) {
        if let Some((_, Some(left))) = self.discount.as_mut() {
            *left = (*left - 1).max(0);
        }
        self.left = self.left.map(|left| left - 1);
    }

    /// Keeps what an invoice billed: its lines with their prices, in order.
    pub fn keep_billed(
        &mut self,
        invoice: &billing::invoice::Invoice,
        lines: &[billing::invoice::InvoiceLine],
    ) {
        let period = invoice.period.unwrap_or(self.period);
        let mut on_item = false;
        for line in lines {
            let net = Money::new(line.amount, invoice.currency);
            if let Some(price) = line.price_id {
                let id = invoice.id;
                self.billed.push(BilledLine { price, period, net, is_discounted: false, invoice: id });
                on_item = true;
            } else if let (true, true, Some(last)) = (on_item, line.amount < 0, self.billed.last_mut()) {
                last.net = Money::new(last.net.minor() + line.amount, invoice.currency);
                last.is_discounted = true;
            } else {
                on_item = false;
            }
        }
        self.billed.retain(|line| line.net.is_positive());
    }

    /// What a change now costs: the charges, and the discount on them; none if nothing.
    ///
    /// # Errors
    /// If a sum is out of range.
    pub fn difference(&self, new: &[Part], now: Timestamp) -> Result<Option<Difference>, MoneyError> {
        if self.in_trial || self.period.is_empty() {
            return Ok(None);
        }
        let share = share_by_seconds(self.period, now);
        let mut charges = Vec::new();
        for part in new {
            let amount = part.whole()?.prorate(share, Rounding::HalfUp)?;
            charges.push(Charge { category: part.category, amount, behavior: part.behavior });
        }
        let mut is_discounted = false;
        let mut lines: Vec<&BilledLine> = self.billed.iter().collect();
        for part in &self.items {
            let Some(at) = lines.iter().rposition(|line| line.price == part.price) else { continue };
            // Each line is credited once.
            let line = lines.remove(at);
            is_discounted |= line.is_discounted;
            let left = share_by_seconds(line.period, now);
            let back = line.net.prorate(left, Rounding::HalfUp)?.min(line.net)?;
            let behavior = TaxBehavior::Exclusive;
            charges.push(Charge { category: part.category, amount: back.checked_neg()?, behavior });
        }
        if charges.iter().all(|charge| charge.amount.is_zero()) {
            return Ok(None);
        }
        let discount = self.discount.as_ref().filter(|_| is_discounted).map(|(discount, _)| discount.clone());
        let prorated = discount.map(|mut discount| {
            if let DiscountAmount::Fixed(whole) = discount.amount {
                discount.amount = DiscountAmount::Fixed(whole.prorate(share, Rounding::HalfUp)?);
            }
            Ok(discount)
        });
        Ok(Some((charges, prorated.transpose()?)))
    }

    /// Takes up other items.
    pub fn adjust(&mut self, parts: Vec<Part>, when: ChangeTiming) {
        match when {
            ChangeTiming::Now => {
                self.items = parts;
                self.pending = None;
            }
            ChangeTiming::PeriodEnd => self.pending = Some(parts),
        }
    }

    /// Is canceled.
    pub fn cancel(&mut self, at: CancelAt, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        match at {
            CancelAt::Now => self.ended = Some(now),
            CancelAt::PeriodEnd if self.status == Status::Incomplete => self.ended = Some(now),
            CancelAt::PeriodEnd => self.cancel_at = Some(self.period.end),
            CancelAt::Date(date) => self.cancel_at = Some(date),
        }
    }

    /// Goes on from an instant, to which its current period stretches.
    pub fn go_on_from(&mut self, at: Timestamp) {
        self.period.end = at;
        self.anchor = at;
        self.index = -1;
    }

    /// Gets another end of its current period.
    pub fn reschedule_renewal(&mut self, end: Timestamp) {
        if self.cancel_at == Some(self.period.end) {
            self.cancel_at = Some(end);
        }
        self.go_on_from(end);
    }
}
