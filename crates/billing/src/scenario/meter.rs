//! Use and levels: counted while a period runs, billed when it is over.

use std::collections::BTreeMap;

use super::books::Books;
use super::documents::{Line, LineKind};
use super::timeline::{Item, Segment, Span, Tick};
use super::{Plan, ScenarioError, Usage};
use crate::calendar::Date;
use crate::cycle::Cycle;
use crate::money::Money;

/// What has been used, and what of it has been billed.
#[derive(Default)]
pub(super) struct Meter {
    uses: Vec<Use>,
    closed: BTreeMap<(usize, usize, Tick), Money>,
    /// Billed before the period was over.
    before: BTreeMap<(usize, usize, Tick), Money>,
}

struct Use {
    subscription: usize,
    /// The decision that the plan came with which was in force.
    origin: usize,
    on: Tick,
    quantity: i64,
}

impl Books<'_> {
    /// Records a use; the lines are those of an invoice that it draws at once, if it reaches a threshold.
    pub(super) fn record_use(
        &mut self,
        item: Option<&str>,
        quantity: i64,
        on: Option<Date>,
    ) -> Result<Vec<Line>, ScenarioError> {
        let Some((index, segment)) = self.user(item) else {
            // Use after the end of what prices it is nobody's.
            let known = self.script.plans.values().any(|plan| plan.usage.is_some());
            return if known { Ok(Vec::new()) } else { Err(ScenarioError::NothingPriced) };
        };
        let on = on.map_or(Ok(self.now), |date| self.grid.tick_of(date))?;
        self.meter.uses.push(Use { subscription: index, origin: segment.origin, on, quantity });
        let usage = self.script.plans.get(&segment.plan).and_then(|plan| plan.usage.as_ref());
        let Some((usage, threshold)) = usage.and_then(|usage| usage.threshold.map(|at| (usage, at))) else {
            return Ok(Vec::new());
        };
        let running = self.metered_items(index, &segment, self.now)?.pop();
        let Some(item) = running.filter(|item| item.from <= self.now && self.now < item.to) else {
            return Ok(Vec::new());
        };
        let key = (index, segment.origin, item.from);
        let so_far = usage.pricing.amount(self.used(index, &segment, &item), self.script.currency)?;
        if so_far.minor() < threshold.minor() || self.meter.before.contains_key(&key) {
            return Ok(Vec::new());
        }
        self.meter.before.insert(key, so_far);
        Ok(vec![self.line(LineKind::Usage, so_far, (item.from, self.now))?])
    }

    /// The subscription whose plan prices use, and the segment of it that is in force.
    fn user(&self, item: Option<&str>) -> Option<(usize, Segment)> {
        let prices = |segment: &Segment| {
            let plan = self.script.plans.get(&segment.plan);
            item.is_none_or(|item| item == segment.plan) && plan.is_some_and(|plan| plan.usage.is_some())
        };
        let current = |(index, it): (usize, &super::timeline::Subscription)| {
            it.current(self.now).filter(prices).map(|segment| (index, segment))
        };
        self.subscriptions.iter().enumerate().rev().find_map(current)
    }

    /// The periods in which the use of a segment is counted, those that have begun by a tick.
    pub(super) fn metered_items(
        &self,
        index: usize,
        segment: &Segment,
        through: Tick,
    ) -> Result<Vec<Item>, ScenarioError> {
        let subscription = &self.subscriptions[index];
        let Some(plan) = self.script.plans.get(&segment.plan).filter(|plan| plan.is_metered()) else {
            return Ok(Vec::new());
        };
        if segment.to == Some(segment.from) {
            return Ok(vec![Item {
                from: segment.from,
                to: segment.from,
                whole: (segment.from, segment.from),
            }]);
        }
        let layout = subscription.layout(segment, plan, self.script, &self.grid)?;
        Ok(self.grid.items(plan.interval, layout, (segment.from, segment.to), through)?)
    }

    /// Bills the periods of a segment that are over and were not billed.
    pub(super) fn close_periods(
        &mut self,
        index: usize,
        segment: &Segment,
    ) -> Result<Vec<Line>, ScenarioError> {
        let script = self.script;
        let mut lines = Vec::new();
        for item in self.metered_items(index, segment, self.now)? {
            let last = segment.to == Some(item.to);
            let over = item.to <= self.now || (last && segment.ended_by(self.now));
            let key = (index, segment.origin, item.from);
            let Some(plan) =
                script.plans.get(&segment.plan).filter(|_| over && !self.meter.closed.contains_key(&key))
            else {
                continue;
            };
            if let Some(usage) = &plan.usage {
                lines.extend(self.late_use(index, plan, usage, segment, &item)?);
                lines.extend(self.close_period(key, usage, segment, &item)?);
            }
            lines.extend(self.levels(plan, &item)?);
            self.meter.closed.entry(key).or_insert(Money::zero(script.currency));
        }
        Ok(lines)
    }

    fn close_period(
        &mut self,
        key: (usize, usize, Tick),
        usage: &Usage,
        segment: &Segment,
        item: &Item,
    ) -> Result<Vec<Line>, ScenarioError> {
        let span = (item.from, item.to);
        let amount = usage.pricing.amount(self.used(key.0, segment, item), self.script.currency)?;
        self.meter.closed.insert(key, amount);
        let mut lines = Vec::new();
        if !amount.is_zero() {
            lines.push(self.line(LineKind::Usage, amount, span)?);
        }
        if let Some(before) = self.meter.before.remove(&key) {
            lines.push(self.line(LineKind::BilledBefore, before.checked_neg()?, span)?);
        }
        if let Some(minimum) = usage.minimum {
            let share = self.grid.share(span, item.whole)?;
            let missing = minimum.prorate(share, self.script.terms.rounding)?.checked_sub(amount)?;
            if missing.is_positive() {
                lines.push(self.line(LineKind::TrueUp, missing, span)?);
            }
        }
        Ok(lines)
    }

    /// Looks through the periods before one again, for use that came after they were billed.
    fn late_use(
        &mut self,
        index: usize,
        plan: &Plan,
        usage: &Usage,
        segment: &Segment,
        item: &Item,
    ) -> Result<Vec<Line>, ScenarioError> {
        let script = self.script;
        let subscription = &self.subscriptions[index];
        let layout = subscription.layout(segment, plan, script, &self.grid)?;
        let earliest = if subscription.opened_before { Tick::MIN } else { subscription.began };
        let cycle = Cycle::new(plan.interval, layout.alignment);
        let base = self.grid.date(item.whole.0)?;
        let mut lines = Vec::new();
        for back in (1..=script.terms.late_periods).rev() {
            let from = self.grid.tick_of(cycle.boundary(base, -back)?)?.max(earliest);
            let span = (from, self.grid.tick_of(cycle.boundary(base, 1 - back)?)?);
            if span.0 >= span.1 {
                continue;
            }
            let quantity = self.used_in(index, span);
            let due = usage.pricing.amount(quantity, script.currency)?;
            let billed = self
                .meter
                .closed
                .entry((index, segment.origin, from))
                .or_insert(Money::zero(script.currency));
            let missing = due.checked_sub(*billed)?;
            *billed = due;
            if !missing.is_zero() {
                lines.push(self.line(LineKind::Usage, missing, span)?);
            }
        }
        Ok(lines)
    }

    fn levels(&self, plan: &Plan, item: &Item) -> Result<Vec<Line>, ScenarioError> {
        let (from, to) = (self.grid.date(item.from)?, self.grid.date(item.to)?);
        let whole = self.grid.length(item.whole)?;
        let line = |level: &super::Level| {
            let amount = level.amount(from, to, whole, self.script.currency)?;
            Ok(Line { kind: LineKind::Usage, amount, days: Some((from, to)) })
        };
        plan.levels.iter().map(line).collect()
    }

    /// What was used in a period of a segment. What was used on its last day belongs to the plan that was in
    /// force then.
    fn used(&self, index: usize, segment: &Segment, item: &Item) -> i64 {
        let last = segment.to == Some(item.to);
        let counts = |it: &&Use| {
            let same = it.subscription == index && it.origin == segment.origin;
            same && it.on >= item.from && (it.on < item.to || last)
        };
        self.meter.uses.iter().filter(counts).map(|it| it.quantity).sum()
    }

    fn used_in(&self, index: usize, (from, to): Span) -> i64 {
        let counts = |it: &&Use| it.subscription == index && from <= it.on && it.on < to;
        self.meter.uses.iter().filter(counts).map(|it| it.quantity).sum()
    }

    fn line(&self, kind: LineKind, amount: Money, span: Span) -> Result<Line, ScenarioError> {
        Ok(Line { kind, amount, days: Some((self.grid.date(span.0)?, self.grid.date(span.1)?)) })
    }
}

impl Plan {
    fn is_metered(&self) -> bool {
        self.usage.is_some() || !self.levels.is_empty()
    }
}
