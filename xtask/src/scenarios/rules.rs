//! The rule that a case states, read clause by clause into terms.

use billing::money::Rounding;
use billing::proration::{DayCount, DayOwner, ProrationUnit};
use billing::scenario::{Align, Corrections, Script, Terms};

/// What a rule came to.
pub(super) struct Rule {
    pub(super) terms: Terms,
    /// Clauses that nothing here knows.
    pub(super) unread: Vec<String>,
    /// A rule of theirs that is on purpose not ours, and what ours is.
    pub(super) other: Option<&'static str>,
}

/// How tax is rounded here, where a case rounds otherwise.
const TAX_RULE: &str = "tax is rounded once per rate, on the sum of rounded line nets (EN 16931)";

/// Reads a rule. What it does not say is as the product has it.
pub(super) fn read(rule: &str) -> Rule {
    let mut read = Rule { terms: Terms::default(), unread: Vec::new(), other: None };
    for clause in rule.split(';').map(str::trim).filter(|clause| !clause.is_empty()) {
        let before = read.terms.clone();
        let known = read_clause(clause, &mut read);
        if !known && read.terms == before {
            read.unread.push(format!("the rule {clause:?}"));
        }
    }
    read
}

fn read_clause(clause: &str, rule: &mut Rule) -> bool {
    let terms = &mut rule.terms;
    let mut known = CONFIRMING.iter().any(|words| clause.contains(words));
    let mut says = |words: &str| {
        let says = clause.contains(words);
        known |= says;
        says
    };
    if says("day-granular") || says("days counted inclusively") || says("share = days left / days in period")
    {
        terms.unit = ProrationUnit::Day;
    }
    if says("by the second") {
        terms.unit = ProrationUnit::Second;
    }
    if says("30-day month") {
        terms.day_count = DayCount::Thirty;
    }
    if says("billing-cycle day") {
        terms.alignment = Align::FirstPaidDay;
    }
    if says("days counted inclusively") {
        terms.alignment = Align::Calendar;
    }
    if says("upgrade day belongs to the old plan") {
        terms.change_day = DayOwner::Before;
    }
    if says("termination day is consumed") {
        terms.end_day = DayOwner::Before;
    }
    if says("credit notes") {
        terms.corrections = Corrections::CreditNotes;
    }
    if says("share of the whole subscription price difference") {
        terms.corrections = Corrections::Difference;
    }
    if says("truncated to the minor unit") {
        terms.rounding = Rounding::Down;
    }
    if says("half-even") {
        terms.rounding = Rounding::HalfEven;
    }
    if says("look-back of") {
        let digits: String = clause.chars().filter(char::is_ascii_digit).collect();
        terms.late_periods = digits.parse().unwrap_or(0);
    }
    if says("sum unrounded taxes") || says("round each line's tax") {
        rule.other = Some(TAX_RULE);
    }
    known
}

/// Clauses that say what is so here anyway.
const CONFIRMING: [&str; 12] = [
    "lead-in = price*days/days of the BCD-to-BCD period it falls in",
    "on change the unused part of the old charge is repaired (credited)",
    "half-up to the minor unit",
    "half-up per line",
    "customer balance (CBA) consumed on the next invoice",
    "share of the period = days/period days",
    "upgrade day belongs to the new plan",
    "termination day is given back",
    "each component rounded on its own",
    "pending entries billed on the next cycle",
    "volume seat tiers",
    "graduated seat tiers",
];

/// Tries a script with the other owner of the day of an end or of a change. If the figures come out then,
/// says which rule is ours and which theirs.
pub(super) fn other_day(
    script: &Script,
    passes: impl Fn(&Script) -> bool,
) -> Option<(&'static str, &'static str)> {
    let flipped = |owner: DayOwner| match owner {
        DayOwner::Before => DayOwner::After,
        DayOwner::After => DayOwner::Before,
    };
    let with = |change_day, end_day| {
        let terms = Terms { change_day, end_day, ..script.terms.clone() };
        passes(&Script { terms, ..script.clone() })
    };
    let (change_day, end_day) = (script.terms.change_day, script.terms.end_day);
    if with(change_day, flipped(end_day)) {
        return Some(match end_day {
            DayOwner::Before => ("the day of the end is used up", "it is given back"),
            DayOwner::After => ("the day of the end is given back", "it is used up"),
        });
    }
    if with(flipped(change_day), end_day) {
        return Some(match change_day {
            DayOwner::Before => ("the day of a change is the old plan's", "it is the new one's"),
            DayOwner::After => ("the day of a change is the new plan's", "it is the old one's"),
        });
    }
    None
}
