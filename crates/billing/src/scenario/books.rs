//! The engine: at every moment at which something may be due, what should be charged is reconciled with what
//! has been.

use super::documents::{self, Draft, Line, LineKind};
use super::meter::Meter;
use super::timeline::{
    Change, Event, Grid, Item, Segment, Span, Subscription, Tick, next_billing_day, subtract,
};
use super::{Billed, Corrections, Outcome, Plan, Runs, ScenarioError, Script, Step, Verb, When};
use crate::calendar::{Date, Interval, IntervalUnit};
use crate::cycle::{Alignment, Cycle};
use crate::money::Money;
use crate::proration::{DayOwner, credit};
use crate::timestamp::Timestamp;

/// Runs a script. Errors when a step needs what is not there, or an amount or a date is out of range.
pub fn run(script: &Script) -> Result<Outcome, ScenarioError> {
    let mut books = Books::open(script)?;
    for step in &script.steps {
        books.wait_until(books.grid.tick(step.at))?;
        books.step(step)?;
    }
    if let Some(until) = script.until {
        books.wait_until(books.grid.tick(until))?;
    }
    let first_paid = books.subscriptions.iter().find_map(|it| it.first_paid(script, &books.grid));
    let first_paid = first_paid.map(|tick| books.grid.date(tick)).transpose()?;
    books.outcome.billing_day = first_paid.map(|date| date.day().unsigned_abs());
    books.outcome.balance_minor = books.balance.minor();
    Ok(books.outcome)
}

pub(super) struct Books<'a> {
    pub(super) script: &'a Script,
    pub(super) grid: Grid,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) meter: Meter,
    charged: Vec<Charged>,
    /// Lines that wait for the next invoice of a subscription.
    waiting: Vec<Line>,
    balance: Money,
    pub(super) now: Tick,
    invoicing: bool,
    trials: Vec<(usize, Tick)>,
    outcome: Outcome,
}

/// What has been charged for a span: the line that a credit reverses.
struct Charged {
    what: What,
    span: Span,
    net: Money,
    credited: Money,
    /// The parts of the span that have not been credited.
    live: Vec<Span>,
}

/// Two charges with the same of this are for the same thing.
#[derive(Clone, PartialEq, Eq)]
struct What {
    subscription: usize,
    plan: String,
    component: usize,
    quantity: i64,
}

/// What a settlement may bill.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Scope {
    Everything,
    OnlyCredits,
}

impl<'a> Books<'a> {
    fn open(script: &'a Script) -> Result<Books<'a>, ScenarioError> {
        let mut books = Books {
            script,
            grid: Grid::new(script),
            subscriptions: Vec::new(),
            meter: Meter::default(),
            charged: Vec::new(),
            waiting: Vec::new(),
            balance: Money::zero(script.currency),
            now: Tick::MIN,
            invoicing: true,
            trials: Vec::new(),
            outcome: Outcome::default(),
        };
        let Some(first) = script.steps.first() else { return Ok(books) };
        for plan in &script.opening {
            let began = books.boundary_before(plan, first.at)?;
            books.subscribe(plan, 1, began, true);
        }
        if let Some(earliest) = books.subscriptions.iter().map(|it| it.began).min() {
            books.now = earliest;
            books.settle(None, Scope::Everything)?;
        }
        Ok(books)
    }

    /// The last boundary of a plan's periods on or before a time.
    fn boundary_before(&self, plan: &str, t: Timestamp) -> Result<Tick, ScenarioError> {
        let date = self.script.zone.civil_date(t);
        let Some(plan) = self.script.plans.get(plan) else { return Ok(self.grid.tick(t)) };
        let (interval, alignment) = match plan.alignment.unwrap_or(self.script.terms.alignment) {
            super::Align::BillingDay(day) => {
                (Interval::new(IntervalUnit::Month, 1), Alignment::BillingDay(day))
            }
            super::Align::Calendar => (plan.interval, Alignment::Calendar),
            _ => return Ok(self.grid.tick_of(date)?),
        };
        let cycle = Cycle::new(interval, alignment);
        let after = cycle.first_whole(crate::calendar::add_days(date, 1)?)?;
        Ok(self.grid.tick_of(cycle.boundary(after, -1)?)?)
    }

    fn subscribe(&mut self, plan: &str, quantity: i64, at: Tick, opened_before: bool) {
        let change = Change::Plan { name: plan.to_owned(), quantity };
        let began = Event { at, operative: at, decided: at, change };
        self.subscriptions.push(Subscription { began: at, opened_before, events: vec![began] });
    }

    /// Lets time pass, billing what falls due on the way.
    fn wait_until(&mut self, until: Tick) -> Result<(), ScenarioError> {
        if self.script.terms.runs == Runs::WhenDue {
            for due in self.due(until)? {
                if due > self.now {
                    self.now = due;
                    self.settle(None, Scope::Everything)?;
                }
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    /// When something may fall due, up to a tick, in order.
    fn due(&self, until: Tick) -> Result<Vec<Tick>, ScenarioError> {
        let mut ticks = std::collections::BTreeSet::new();
        for (index, subscription) in self.subscriptions.iter().enumerate() {
            ticks.extend(subscription.events.iter().map(|event| event.at));
            for segment in subscription.segments(None) {
                for item in self.items(index, &segment, until)? {
                    ticks.extend([item.from, item.to]);
                }
                for item in self.metered_items(index, &segment, until)? {
                    ticks.insert(item.to);
                }
            }
        }
        Ok(ticks.into_iter().filter(|tick| *tick <= until).collect())
    }

    fn step(&mut self, step: &Step) -> Result<(), ScenarioError> {
        let at = Some(step.at);
        let on_request = self.script.terms.runs == Runs::OnRequest;
        let mut scope = if on_request { Scope::OnlyCredits } else { Scope::Everything };
        match &step.verb {
            Verb::Subscribe { plan, quantity } => self.subscribe(plan, *quantity, self.now, false),
            Verb::ChangePlan { to, quantity, when } => self.change(Some(to), *quantity, *when)?,
            Verb::SetQuantity { quantity, when } => self.change(None, Some(*quantity), *when)?,
            Verb::SetBillingDay(day) => {
                let date = next_billing_day(self.grid.date(self.now)?, *day)?;
                let at = self.grid.tick_of(date)?.max(self.now);
                let event = Event { at, operative: at, ..self.event(Change::BillingDay(*day)) };
                self.main()?.events.push(event);
            }
            Verb::Cancel { item, when } => {
                self.cancel(item.as_deref(), *when)?;
                scope = Scope::Everything;
            }
            Verb::Pause | Verb::Resume => {
                let change = if step.verb == Verb::Pause { Change::Pause } else { Change::Resume };
                let event = self.event(change);
                self.main()?.events.push(event);
            }
            Verb::InvoicingOff => self.invoicing = false,
            Verb::InvoicingOn => self.invoicing = true,
            Verb::Use { item, quantity, on } => {
                let lines = self.record_use(item.as_deref(), *quantity, *on)?;
                return self.draw(Draft { charges: lines, credits: Vec::new() }, at);
            }
            Verb::Wait => {}
            Verb::RunBilling => scope = Scope::Everything,
        }
        self.settle(at, scope)
    }

    fn event(&self, change: Change) -> Event {
        Event { at: self.now, operative: self.now, decided: self.now, change }
    }

    /// The subscription that a step is about when it names none: the last one that has recurring charges.
    fn main(&mut self) -> Result<&mut Subscription, ScenarioError> {
        let index = self.main_index().ok_or(ScenarioError::NothingSubscribed)?;
        self.subscriptions.get_mut(index).ok_or(ScenarioError::NothingSubscribed)
    }

    pub(super) fn main_index(&self) -> Option<usize> {
        let recurs = |it: &Subscription| {
            let plan = it.segments(None).into_iter().next_back().map(|segment| segment.plan);
            plan.and_then(|plan| self.script.plans.get(&plan)).is_none_or(|plan| !plan.components.is_empty())
        };
        self.subscriptions.iter().rposition(recurs).or(self.subscriptions.len().checked_sub(1))
    }

    /// The tick from which a decision holds, and whether it may undo what has been billed at once.
    fn effect(&self, index: usize, when: When, owner: DayOwner) -> Result<(Tick, Tick), ScenarioError> {
        let consumed = |tick: Tick| match owner {
            DayOwner::Before if self.script.terms.unit == crate::proration::ProrationUnit::Day => tick + 1,
            _ => tick,
        };
        Ok(match when {
            When::Now => (consumed(self.now), self.now),
            When::On(date) => {
                let at = self.grid.tick_of(date)?;
                (at.max(self.now), at.max(self.now))
            }
            When::PeriodEnd => {
                let end = self.period_end(index)?;
                (end, end)
            }
        })
    }

    /// When what has been paid for, the trial or the running period is used up, whichever there is.
    fn period_end(&self, index: usize) -> Result<Tick, ScenarioError> {
        let subscription = self.subscriptions.get(index).ok_or(ScenarioError::NothingSubscribed)?;
        let paid = self.charged.iter().filter(|it| it.what.subscription == index);
        let paid_until = paid.flat_map(|it| &it.live).map(|span| span.1).max().unwrap_or(self.now);
        if paid_until > self.now {
            return Ok(paid_until);
        }
        let Some(segment) = subscription.current(self.now) else { return Ok(self.now) };
        let trial = self.script.plans.get(&segment.plan).map(|plan| subscription.trial_end(plan, &self.grid));
        if let Some(trial_end) = trial.filter(|end| *end > self.now) {
            return Ok(trial_end);
        }
        let items = self.items(index, &segment, self.now)?;
        Ok(items.last().map_or(self.now, |item| item.to))
    }

    fn change(&mut self, to: Option<&str>, quantity: Option<i64>, when: When) -> Result<(), ScenarioError> {
        let index = self.main_index().ok_or(ScenarioError::NothingSubscribed)?;
        let held = self.subscriptions[index].held(self.now).ok_or(ScenarioError::NothingSubscribed)?;
        let name = to.map_or(held.0, str::to_owned);
        let quantity = quantity.unwrap_or(held.1);
        let (at, operative) = self.effect(index, when, self.script.terms.change_day)?;
        if when == When::Now && self.script.terms.corrections == Corrections::Difference {
            self.charge_difference(index, &name, quantity)?;
        }
        // What was planned before gives way to what is wanted now.
        let superseded = |event: &Event| {
            matches!(event.change, Change::Plan { .. }) && event.at >= at && event.at > self.now
        };
        let now = self.now;
        let events = &mut self.subscriptions[index].events;
        if let Some(place) = events.iter().position(superseded) {
            events.remove(place);
        }
        events.push(Event { at, operative, decided: now, change: Change::Plan { name, quantity } });
        Ok(())
    }

    fn cancel(&mut self, item: Option<&str>, when: When) -> Result<(), ScenarioError> {
        let named = |it: &Subscription| {
            it.current(self.now).is_some_and(|segment| Some(segment.plan.as_str()) == item)
        };
        let index = match item {
            Some(_) => self.subscriptions.iter().rposition(named),
            None => self.main_index(),
        };
        let index = index.ok_or(ScenarioError::NothingSubscribed)?;
        let (at, operative) = self.effect(index, when, self.script.terms.end_day)?;
        let event = Event { at, operative, decided: self.now, change: Change::End };
        self.subscriptions[index].events.push(event);
        Ok(())
    }

    /// The periods of a segment that have begun by a tick and are charged, the trial left out.
    fn items(&self, index: usize, segment: &Segment, through: Tick) -> Result<Vec<Item>, ScenarioError> {
        let (script, grid, subscription) = (self.script, &self.grid, &self.subscriptions[index]);
        let Some(plan) = script.plans.get(&segment.plan) else { return Ok(Vec::new()) };
        let from = segment.from.max(subscription.trial_end(plan, grid));
        let term = plan
            .term
            .map(|term| grid.plus(subscription.first_paid(script, grid).unwrap_or(from), term))
            .transpose()?;
        let to = match (segment.to, term) {
            (Some(to), Some(term)) => Some(to.min(term)),
            (to, term) => to.or(term),
        };
        let layout = subscription.layout(segment, plan, script, grid)?;
        Ok(grid.items(plan.interval, layout, (from, to), through)?)
    }

    fn settle(&mut self, at: Option<Timestamp>, scope: Scope) -> Result<(), ScenarioError> {
        if !self.invoicing {
            return Ok(());
        }
        let mut draft = Draft { charges: Vec::new(), credits: self.credits()? };
        if scope == Scope::Everything {
            for index in 0..self.subscriptions.len() {
                for segment in self.subscriptions[index].segments(None) {
                    self.charge(index, &segment, &mut draft)?;
                    draft.charges.extend(self.close_periods(index, &segment)?);
                }
            }
        }
        if draft.charges.iter().any(|line| line.kind == LineKind::Charge) {
            draft.charges.append(&mut self.waiting);
        }
        self.draw(draft, at)
    }

    fn draw(&mut self, draft: Draft, at: Option<Timestamp>) -> Result<(), ScenarioError> {
        let day = (self.grid.date(self.now)?, at);
        let drawn = documents::draw(draft, &self.script.terms, day, &mut self.balance)?;
        self.outcome.documents.extend(drawn);
        Ok(())
    }

    /// Credits every part of a charge that nothing in force covers any more.
    fn credits(&mut self) -> Result<Vec<Line>, ScenarioError> {
        let mut covers = Vec::new();
        for (index, subscription) in self.subscriptions.iter().enumerate() {
            for segment in subscription.segments(Some(self.now)) {
                let Some(plan) = self.script.plans.get(&segment.plan) else { continue };
                let from = segment.from.max(subscription.trial_end(plan, &self.grid));
                covers.push((index, segment.to.unwrap_or(Tick::MAX), from, segment));
            }
        }
        let mut lines = Vec::new();
        for charged in &mut self.charged {
            let covering: Vec<Span> = covers
                .iter()
                .filter(|(index, _, _, segment)| {
                    charged.what.is_for(*index, segment, self.script.plans.get(&segment.plan))
                })
                .map(|(_, to, from, _)| (*from, *to))
                .collect();
            for span in subtract(&charged.live, &covering) {
                let share = self.grid.share(span, charged.span)?;
                let amount = credit(charged.net, charged.credited, share)?;
                charged.credited = charged.credited.checked_add(amount)?;
                charged.live = subtract(&charged.live, &[span]);
                let days = Some((self.grid.date(span.0)?, self.grid.date(span.1)?));
                lines.push(Line { kind: LineKind::Credit, amount: amount.checked_neg()?, days });
            }
        }
        Ok(lines)
    }

    /// Charges what of a segment is due and not yet charged.
    fn charge(&mut self, index: usize, segment: &Segment, draft: &mut Draft) -> Result<(), ScenarioError> {
        if segment.from > self.now {
            return Ok(());
        }
        let script = self.script;
        let Some(plan) = script.plans.get(&segment.plan) else {
            self.outcome.undescribed.insert(segment.plan.clone());
            return Ok(());
        };
        draft.charges.extend(self.trial(index, segment, plan)?);
        for item in self.items(index, segment, self.now)? {
            if !self.is_due(plan, segment, &item) {
                continue;
            }
            for (component, priced) in plan.components.iter().enumerate() {
                let what = What::of(index, segment, plan, component);
                let mine = self.charged.iter().filter(|it| it.what == what);
                let covered: Vec<Span> = mine.flat_map(|it| it.live.iter().copied()).collect();
                let price = priced.pricing.amount(what.quantity, script.currency)?;
                for span in subtract(&[(item.from, item.to)], &covered) {
                    let net = price.prorate(self.grid.share(span, item.whole)?, script.terms.rounding)?;
                    let days = Some((self.grid.date(span.0)?, self.grid.date(span.1)?));
                    draft.charges.push(Line { kind: LineKind::Charge, amount: net, days });
                    self.charged.push(Charged::new(what.clone(), span, net));
                }
            }
        }
        Ok(())
    }

    fn trial(&mut self, index: usize, segment: &Segment, plan: &Plan) -> Result<Option<Line>, ScenarioError> {
        let end = self.subscriptions[index].trial_end(plan, &self.grid);
        if end <= segment.from || self.trials.contains(&(index, end)) {
            return Ok(None);
        }
        self.trials.push((index, end));
        let days = Some((self.grid.date(segment.from)?, self.grid.date(end)?));
        Ok(Some(Line { kind: LineKind::Trial, amount: Money::zero(self.script.currency), days }))
    }

    fn is_due(&self, plan: &Plan, segment: &Segment, item: &Item) -> bool {
        let begun = item.from <= self.now;
        let over = item.to <= self.now || (segment.ended_by(self.now) && segment.to == Some(item.to));
        match (self.script.terms.runs, plan.billed) {
            (Runs::OnRequest, _) | (Runs::WhenDue, Billed::Advance) => begun,
            (Runs::WhenDue, Billed::Arrears) => over,
        }
    }

    /// Charges the share of the difference of two prices for what is left of the period, and counts the
    /// period as charged at the new price.
    fn charge_difference(&mut self, index: usize, plan: &str, quantity: i64) -> Result<(), ScenarioError> {
        let Some(old) = self.subscriptions[index].current(self.now) else { return Ok(()) };
        let old = &old;
        let items = self.items(index, old, self.now)?;
        let running = items.iter().rfind(|item| item.from <= self.now && self.now < item.to).copied();
        let charged = self.charged.iter().any(|it| {
            it.what.subscription == index
                && it.live.iter().any(|span| span.0 <= self.now && self.now < span.1)
        });
        let (Some(item), true, Some(new_plan)) = (running, charged, self.script.plans.get(plan)) else {
            return Ok(());
        };
        let left = (self.now, item.to);
        let was = self.price(&old.plan, old.quantity)?;
        let difference = self.price(plan, quantity)?.checked_sub(was)?;
        let amount = difference.prorate(self.grid.share(left, item.whole)?, self.script.terms.rounding)?;
        let days: (Date, Date) = (self.grid.date(left.0)?, self.grid.date(left.1)?);
        self.waiting.push(Line { kind: LineKind::Difference, amount, days: Some(days) });
        for it in self.charged.iter_mut().filter(|it| it.what.subscription == index) {
            it.live = subtract(&it.live, &[left]);
        }
        let segment = Segment { plan: plan.to_owned(), quantity, ..old.clone() };
        for component in 0..new_plan.components.len() {
            let what = What::of(index, &segment, new_plan, component);
            self.charged.push(Charged::new(what, left, Money::zero(self.script.currency)));
        }
        Ok(())
    }

    /// What a whole period of a plan costs.
    fn price(&self, plan: &str, quantity: i64) -> Result<Money, ScenarioError> {
        let components = self.script.plans.get(plan).map_or(&[][..], |plan| &plan.components);
        let mut sum = Money::zero(self.script.currency);
        for component in components {
            let quantity = if component.by_quantity { quantity } else { 1 };
            sum = sum.checked_add(component.pricing.amount(quantity, self.script.currency)?)?;
        }
        Ok(sum)
    }
}

impl Charged {
    fn new(what: What, span: Span, net: Money) -> Charged {
        Charged { what, span, net, credited: Money::zero(net.currency()), live: vec![span] }
    }
}

impl What {
    fn of(subscription: usize, segment: &Segment, plan: &Plan, component: usize) -> What {
        let by_quantity = plan.components.get(component).is_some_and(|component| component.by_quantity);
        let quantity = if by_quantity { segment.quantity } else { 1 };
        What { subscription, plan: segment.plan.clone(), component, quantity }
    }

    /// Whether a segment is what this is charged for.
    fn is_for(&self, subscription: usize, segment: &Segment, plan: Option<&Plan>) -> bool {
        plan.is_some_and(|plan| *self == What::of(subscription, segment, plan, self.component))
    }
}
