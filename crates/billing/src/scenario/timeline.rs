//! What was subscribed to from when to when, and the periods of it that are billed.

use super::{Align, Plan, Script};
use crate::calendar::{CalendarError, Date, Interval, Schedule, Zone, add_days, add_months, days_between};
use crate::calendar::{IntervalUnit, Step};
use crate::cycle::{Alignment, Cycle, Part};
use crate::money::Ratio;
use crate::proration::{DayCount, ProrationError, ProrationUnit, share};
use crate::timestamp::Timestamp;

/// A place in time: a local day where days are counted, otherwise a second.
pub(super) type Tick = i64;

/// A half-open span of ticks.
pub(super) type Span = (Tick, Tick);

/// Turns instants and dates into ticks and back.
pub(super) struct Grid {
    zone: Zone,
    unit: ProrationUnit,
    day_count: DayCount,
}

/// A period to bill, or a part of one, and the whole period that it is measured on.
#[derive(Copy, Clone, Debug)]
pub(super) struct Item {
    pub(super) from: Tick,
    pub(super) to: Tick,
    pub(super) whole: Span,
}

/// Where periods lie: what they are lined up with, and the tick of that if it is the subscription's own.
#[derive(Copy, Clone, Debug)]
pub(super) struct Layout {
    pub(super) alignment: Alignment,
    pub(super) anchor: Tick,
}

impl Grid {
    pub(super) fn new(script: &Script) -> Grid {
        let terms = &script.terms;
        Grid { zone: script.zone.clone(), unit: terms.unit, day_count: terms.day_count }
    }

    pub(super) fn tick(&self, t: Timestamp) -> Tick {
        match self.unit {
            ProrationUnit::Day => days_between(Date::ZERO, self.zone.civil_date(t)),
            ProrationUnit::Second => t.seconds(),
        }
    }

    pub(super) fn tick_of(&self, date: Date) -> Result<Tick, CalendarError> {
        match self.unit {
            ProrationUnit::Day => Ok(days_between(Date::ZERO, date)),
            ProrationUnit::Second => Ok(self.zone.start_of_day(date)?.seconds()),
        }
    }

    pub(super) fn date(&self, tick: Tick) -> Result<Date, CalendarError> {
        match self.unit {
            ProrationUnit::Day => add_days(Date::ZERO, tick),
            ProrationUnit::Second => Ok(self.zone.civil_date(Timestamp::try_from_seconds(tick)?)),
        }
    }

    pub(super) fn plus_days(&self, tick: Tick, days: i64) -> Tick {
        match self.unit {
            ProrationUnit::Day => tick + days,
            ProrationUnit::Second => tick + days * 86_400,
        }
    }

    /// The date-time so much later on the local calendar.
    pub(super) fn plus(&self, tick: Tick, interval: Interval) -> Result<Tick, CalendarError> {
        if self.unit == ProrationUnit::Second {
            let anchor = Timestamp::try_from_seconds(tick)?;
            return Ok(Schedule::new(anchor, self.zone.clone(), interval).boundary(1)?.seconds());
        }
        let date = self.date(tick)?;
        let later = match interval.step()? {
            Step::Days(days) => add_days(date, days)?,
            Step::Months(months) => add_months(date, months)?,
        };
        self.tick_of(later)
    }

    /// How much of a whole span another is, as the seller counts.
    pub(super) fn share(&self, part: Span, whole: Span) -> Result<Ratio, CalendarError> {
        if part == whole {
            return Ok(Ratio::ONE);
        }
        Ok(share(self.length(part)?, self.length(whole)?))
    }

    pub(super) fn length(&self, span: Span) -> Result<i64, CalendarError> {
        match self.unit {
            ProrationUnit::Day => Ok(self.day_count.days(self.date(span.0)?, self.date(span.1)?)),
            ProrationUnit::Second => Ok(span.1 - span.0),
        }
    }

    /// The periods from a tick on that begin by another, cut at the end if there is one.
    pub(super) fn items(
        &self,
        interval: Interval,
        layout: Layout,
        (from, to): (Tick, Option<Tick>),
        through: Tick,
    ) -> Result<Vec<Item>, ProrationError> {
        if through < from || to.is_some_and(|to| to <= from) {
            return Ok(Vec::new());
        }
        if self.unit == ProrationUnit::Second {
            return self.items_by_the_second(interval, layout, (from, to), through);
        }
        let end = to.map(|to| self.date(to)).transpose()?;
        let parts =
            Cycle::new(interval, layout.alignment).parts(self.date(from)?, end, self.date(through)?)?;
        let item = |part: &Part| {
            let whole = (self.tick_of(part.whole_from)?, self.tick_of(part.whole_to)?);
            Ok(Item { from: self.tick_of(part.from)?, to: self.tick_of(part.to)?, whole })
        };
        // A day that the zone left out is nobody's.
        let exists =
            |part: &&Part| self.zone.start_of_day(part.from).ok() != self.zone.start_of_day(part.to).ok();
        parts.iter().filter(exists).map(item).collect()
    }

    fn items_by_the_second(
        &self,
        interval: Interval,
        layout: Layout,
        (from, to): (Tick, Option<Tick>),
        through: Tick,
    ) -> Result<Vec<Item>, ProrationError> {
        let anchor = match layout.alignment {
            Alignment::Anchor(_) => Timestamp::try_from_seconds(layout.anchor)?,
            aligned => {
                self.zone.start_of_day(Cycle::new(interval, aligned).first_whole(self.date(from)?)?)?
            }
        };
        let schedule = Schedule::new(anchor, self.zone.clone(), interval);
        let mut items = Vec::new();
        for n in schedule.index_at(Timestamp::try_from_seconds(from)?)?.. {
            let period = schedule.period(n)?;
            let whole = (period.start.seconds(), period.end.seconds());
            let begin = whole.0.max(from);
            if begin > through || to.is_some_and(|to| begin >= to) {
                break;
            }
            items.push(Item { from: begin, to: to.map_or(whole.1, |to| whole.1.min(to)), whole });
        }
        Ok(items)
    }
}

/// One subscription: when it began and what has been decided about it.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) began: Tick,
    /// It began before the script, nobody knows when.
    pub(super) opened_before: bool,
    pub(super) events: Vec<Event>,
}

/// Something decided, which holds from a tick on.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Tick,
    /// From when it may undo what has been billed: at once for what was decided to hold at once.
    pub(super) operative: Tick,
    pub(super) decided: Tick,
    pub(super) change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Plan { name: String, quantity: i64 },
    BillingDay(u8),
    Pause,
    Resume,
    End,
}

/// A span in which the same plan ran in the same quantity on the same billing day.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) from: Tick,
    pub(super) to: Option<Tick>,
    /// From when its end may undo what has been billed.
    pub(super) end_operative: Option<Tick>,
    pub(super) plan: String,
    pub(super) quantity: i64,
    pub(super) billing_day: Option<u8>,
    /// The place of the decision that the plan came with, among all.
    pub(super) origin: usize,
}

impl Segment {
    /// Whether the segment is over by a tick, or was ended by then.
    pub(super) fn ended_by(&self, now: Tick) -> bool {
        self.end_operative.is_some_and(|operative| operative <= now)
    }
}

impl Subscription {
    /// The segments, by all that is known or only by what is operative by a tick.
    pub(super) fn segments(&self, operative_by: Option<Tick>) -> Vec<Segment> {
        let known = |event: &Event| operative_by.is_none_or(|now| event.operative <= now);
        let mut events: Vec<(usize, &Event)> =
            self.events.iter().enumerate().filter(|(_, event)| known(event)).collect();
        events.sort_by_key(|(_, event)| event.at);
        let mut done: Vec<Segment> = Vec::new();
        let mut open: Option<Segment> = None;
        let mut plan: Option<(usize, String, i64)> = None;
        let mut paused = false;
        for (place, event) in events {
            if let Some(mut segment) = open.take() {
                segment.to = Some(event.at);
                segment.end_operative = Some(event.operative);
                done.push(segment);
            }
            match &event.change {
                Change::Plan { name, quantity } => plan = Some((place, name.clone(), *quantity)),
                Change::Pause => paused = true,
                Change::Resume => paused = false,
                Change::End => plan = None,
                Change::BillingDay(_) => {}
            }
            if let (Some((origin, name, quantity)), false) = (&plan, paused) {
                open = Some(Segment {
                    from: event.at,
                    to: None,
                    end_operative: None,
                    plan: name.clone(),
                    quantity: *quantity,
                    billing_day: self.billing_day_for(event.at),
                    origin: *origin,
                });
            }
        }
        done.extend(open);
        done
    }

    /// The segment in force at a tick, by what has been decided to hold by then.
    pub(super) fn current(&self, now: Tick) -> Option<Segment> {
        self.segments(None)
            .into_iter()
            .rfind(|segment| segment.from <= now && segment.to.is_none_or(|to| now < to))
    }

    /// The plan and quantity that are held at a tick, paused or not.
    pub(super) fn held(&self, now: Tick) -> Option<(String, i64)> {
        let mut events: Vec<&Event> = self.events.iter().filter(|event| event.at <= now).collect();
        events.sort_by_key(|event| event.at);
        events.into_iter().fold(None, |held, event| match &event.change {
            Change::Plan { name, quantity } => Some((name.clone(), *quantity)),
            Change::End => None,
            Change::BillingDay(_) | Change::Pause | Change::Resume => held,
        })
    }

    /// Until when a plan's trial lasts, counted from the subscription's first day.
    pub(super) fn trial_end(&self, plan: &Plan, grid: &Grid) -> Tick {
        if self.opened_before { self.began } else { grid.plus_days(self.began, plan.trial_days) }
    }

    /// The first tick that is paid for, if any plan that ran is described.
    pub(super) fn first_paid(&self, script: &Script, grid: &Grid) -> Option<Tick> {
        self.segments(None).into_iter().find_map(|segment| {
            let from = segment.from.max(self.trial_end(script.plans.get(&segment.plan)?, grid));
            segment.to.is_none_or(|to| from < to).then_some(from)
        })
    }

    /// Where the periods of a segment lie.
    pub(super) fn layout(
        &self,
        segment: &Segment,
        plan: &Plan,
        script: &Script,
        grid: &Grid,
    ) -> Result<Layout, CalendarError> {
        let first_paid = self.first_paid(script, grid).unwrap_or(self.began);
        let align = match segment.billing_day {
            Some(day) => Align::BillingDay(day),
            None => plan.alignment.unwrap_or(script.terms.alignment),
        };
        let (alignment, anchor) = match align {
            Align::BillingDay(day) => (Alignment::BillingDay(day), first_paid),
            Align::FirstPaidDay => {
                (Alignment::BillingDay(grid.date(first_paid)?.day().unsigned_abs()), first_paid)
            }
            Align::Calendar => (Alignment::Calendar, first_paid),
            Align::Anniversary => (Alignment::Anchor(grid.date(self.began)?), self.began),
            Align::FirstPaidDate => (Alignment::Anchor(grid.date(first_paid)?), first_paid),
        };
        Ok(Layout { alignment, anchor })
    }

    fn billing_day_for(&self, from: Tick) -> Option<u8> {
        self.events.iter().rev().find_map(|event| match event.change {
            Change::BillingDay(day) if event.decided <= from => Some(day),
            _ => None,
        })
    }
}

/// The next date on or after one that is the billing day of its month.
pub(super) fn next_billing_day(date: Date, day: u8) -> Result<Date, ProrationError> {
    let monthly = Interval::new(IntervalUnit::Month, 1);
    Cycle::new(monthly, Alignment::BillingDay(day)).first_whole(date)
}

/// What of some spans others do not cover.
pub(super) fn subtract(spans: &[Span], covers: &[Span]) -> Vec<Span> {
    let mut left = spans.to_vec();
    for cover in covers {
        left = left
            .into_iter()
            .flat_map(|(from, to)| [(from, to.min(cover.0)), (from.max(cover.1), to)])
            .filter(|(from, to)| from < to)
            .collect();
    }
    left
}
