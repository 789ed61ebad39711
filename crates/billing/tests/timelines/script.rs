//! Scripts and timelines as text.

use std::collections::BTreeMap;

use billing::calendar::{Interval, IntervalUnit, Zone};
use billing::currency::Currency;
use billing::money::Money;
use billing::pricing::{Pricing, Tier};
use billing::scenario::{
    Align, Billed, Component, DocumentKind, Line, LineKind, Outcome, Plan, Script, Step, Terms, Usage, Verb,
    When, run,
};
use billing::timestamp::Timestamp;

/// A plan by its words: a price in minor units, then any of `week`, `year`, `2-months`, `calendar`, `arrears`,
/// `trial-14`, `term-3` (years), `use-20`, `at-least-1000`, `from-5000` (a threshold) and `tiers`.
fn plan(words: &str) -> Plan {
    let mut plan = Plan {
        components: Vec::new(),
        interval: Interval::new(IntervalUnit::Month, 1),
        alignment: None,
        billed: Billed::Advance,
        trial_days: 0,
        term: None,
        usage: None,
        levels: Vec::new(),
    };
    let price = |minor: i64| Pricing::PerUnit(minor.into());
    let component = |pricing| Component { name: "price".into(), pricing, by_quantity: true };
    let mut usage = Usage { pricing: price(0), minimum: None, threshold: None };
    for word in words.split_whitespace() {
        let number = || word.split('-').find_map(|part| part.parse::<i64>().ok()).unwrap();
        match word.split('-').find(|part| part.parse::<i64>().is_err()).unwrap_or("") {
            "" => plan.components.push(component(price(number()))),
            "day" => plan.interval = Interval::new(IntervalUnit::Day, 1),
            "week" => plan.interval = Interval::new(IntervalUnit::Week, 1),
            "year" => plan.interval = Interval::new(IntervalUnit::Year, 1),
            "months" => plan.interval = Interval::new(IntervalUnit::Month, u32::try_from(number()).unwrap()),
            "calendar" => plan.alignment = Some(Align::Calendar),
            "arrears" => plan.billed = Billed::Arrears,
            "trial" => plan.trial_days = number(),
            "term" => plan.term = Some(Interval::new(IntervalUnit::Year, u32::try_from(number()).unwrap())),
            "use" => usage.pricing = price(number()),
            "at" => usage.minimum = Some(Money::new(number(), Currency::EUR)),
            "from" => usage.threshold = Some(Money::new(number(), Currency::EUR)),
            "tiers" => {
                let tier = |up_to, unit: i64| Tier { up_to, unit: unit.into(), flat: 0.into() };
                plan.components.push(component(Pricing::Volume(vec![tier(Some(5), 1_000), tier(None, 800)])));
            }
            other => panic!("{other:?} says nothing of a plan"),
        }
    }
    plan.usage = (usage.pricing != price(0)).then_some(usage);
    plan
}

fn verb(words: &[&str]) -> Verb {
    let when = |word: Option<&&str>| match word {
        None => When::Now,
        Some(&"at-period-end") => When::PeriodEnd,
        Some(day) => When::On(day.parse().unwrap()),
    };
    let number = |word: &str| word.parse().unwrap();
    match words {
        ["subscribe", plan] => Verb::Subscribe { plan: (*plan).into(), quantity: 1 },
        ["subscribe", plan, quantity] => Verb::Subscribe { plan: (*plan).into(), quantity: number(quantity) },
        ["change", to, rest @ ..] => {
            Verb::ChangePlan { to: (*to).into(), quantity: None, when: when(rest.first()) }
        }
        ["quantity", quantity, rest @ ..] => {
            Verb::SetQuantity { quantity: number(quantity), when: when(rest.first()) }
        }
        ["billing-day", day] => Verb::SetBillingDay(day.parse().unwrap()),
        ["cancel", rest @ ..] => Verb::Cancel { item: None, when: when(rest.first()) },
        ["pause"] => Verb::Pause,
        ["resume"] => Verb::Resume,
        ["invoicing-off"] => Verb::InvoicingOff,
        ["invoicing-on"] => Verb::InvoicingOn,
        ["use", quantity] => Verb::Use { item: None, quantity: number(quantity), on: None },
        ["use", quantity, on] => {
            Verb::Use { item: None, quantity: number(quantity), on: Some(on.parse().unwrap()) }
        }
        ["wait"] => Verb::Wait,
        ["bill"] => Verb::RunBilling,
        other => panic!("{other:?} is nothing that can happen"),
    }
}

/// Reads `plan NAME WORDS` lines and `TIME VERB` lines.
pub(crate) fn script(terms: Terms, zone: &str, text: &str) -> Script {
    let zone = Zone::parse(zone).unwrap();
    let mut script = Script {
        currency: Currency::EUR,
        zone: zone.clone(),
        terms,
        plans: BTreeMap::new(),
        opening: Vec::new(),
        steps: Vec::new(),
        until: None,
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some((name, words)) = line.strip_prefix("plan ").and_then(|rest| rest.split_once(' ')) {
            script.plans.insert(name.into(), plan(words));
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = match words[0].len() {
            10 => zone.start_of_day(words[0].parse().unwrap()).unwrap(),
            _ => Timestamp::parse(words[0]).unwrap(),
        };
        script.steps.push(Step { at, verb: verb(&words[1..]) });
    }
    script
}

fn show_line(line: &Line) -> String {
    let word = match line.kind {
        LineKind::Trial => "trial",
        LineKind::Charge => "charge",
        LineKind::Credit => "credit",
        LineKind::Difference => "difference",
        LineKind::Usage => "use",
        LineKind::TrueUp => "true-up",
        LineKind::BilledBefore => "billed before",
        LineKind::Tax => "tax",
        LineKind::CreditApplied => "credit applied",
        LineKind::Balance => "balance",
    };
    let days = line.days.map(|(from, to)| format!(" {from}..{to}")).unwrap_or_default();
    format!("{word}{days} {}", line.amount.to_major_string())
}

fn show(outcome: &Outcome) -> String {
    let mut shown = String::new();
    for document in &outcome.documents {
        let kind = match document.kind {
            DocumentKind::Invoice => "invoice",
            DocumentKind::CreditNote => "credit note",
        };
        let lines: Vec<String> = document.lines.iter().map(show_line).collect();
        shown +=
            &format!("{} {kind} {}: {}\n", document.on, document.total.to_major_string(), lines.join(", "));
    }
    if outcome.balance_minor != 0 {
        shown += &format!("balance {}\n", Money::new(outcome.balance_minor, Currency::EUR).to_major_string());
    }
    shown
}

/// Holds what a script comes to against a timeline.
pub(crate) fn check_in(terms: Terms, zone: &str, text: &str, timeline: &str) {
    let shown = show(&run(&script(terms, zone, text)).unwrap());
    let expected: String = timeline
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(shown, expected, "\n{shown}");
}

/// As [`check_in`], on the product's own terms in UTC.
pub(crate) fn check(text: &str, timeline: &str) {
    check_in(Terms::default(), "UTC", text, timeline);
}
