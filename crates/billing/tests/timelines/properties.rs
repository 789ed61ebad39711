//! What holds of every script.

use billing::calendar::Zone;
use billing::proration::{DayCount, DayOwner};
use billing::scenario::{Align, Corrections, DocumentKind, LineKind, Script, Step, Terms, Verb, run};
use billing::timestamp::Timestamp;
use proptest::prelude::*;

use super::script::script;

const PLANS: &str =
    "plan a 2900\n plan b 9900 trial-14\n plan c 36500 year\n plan d 700 week use-3\n plan e 5000 arrears\n";

fn terms() -> impl Strategy<Value = Terms> {
    let alignments = vec![Align::FirstPaidDate, Align::FirstPaidDay, Align::Calendar, Align::BillingDay(31)];
    let corrections = vec![Corrections::Lines, Corrections::CreditNotes];
    let owners = vec![DayOwner::Before, DayOwner::After];
    let settings = (
        prop::sample::select(alignments),
        prop::sample::select(corrections),
        prop::sample::select(owners.clone()),
        prop::sample::select(owners),
        prop::sample::select(vec![DayCount::Actual, DayCount::Thirty]),
    );
    settings.prop_map(|(alignment, corrections, change_day, end_day, day_count)| Terms {
        alignment,
        corrections,
        change_day,
        end_day,
        day_count,
        ..Terms::default()
    })
}

/// What happens after so many more days each, to a subscription to plan `a` on 2024-01-31.
fn happenings() -> impl Strategy<Value = Vec<(i64, &'static str)>> {
    let verbs = vec![
        "change a",
        "change b",
        "change c",
        "change d",
        "change e",
        "change a at-period-end",
        "change c at-period-end",
        "quantity 2",
        "quantity 1",
        "pause",
        "resume",
        "billing-day 15",
        "billing-day 30",
        "wait",
    ];
    prop::collection::vec((0_i64..50, prop::sample::select(verbs)), 1..8)
}

fn happening_script(terms: Terms, zone: &str, happenings: &[(i64, &'static str)]) -> Script {
    let mut text = format!("{PLANS}2024-01-31 subscribe a\n");
    let mut day = Timestamp::parse("2024-01-31").unwrap();
    for (days, verb) in happenings {
        day = day.plus_days(*days).unwrap();
        text += &format!("{} {verb}\n", Zone::utc().civil_date(day));
    }
    day = day.plus_days(70).unwrap();
    script(terms, zone, &format!("{text}{} wait", Zone::utc().civil_date(day)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Billing that catches up after any outage draws the same documents as billing that looks every day.
    #[test]
    fn looking_at_the_clock_changes_nothing(terms in terms(), happenings in happenings()) {
        let once = happening_script(terms, "America/Nuuk", &happenings);
        let mut daily = once.clone();
        let (first, last) = (once.steps[0].at, once.steps[once.steps.len() - 1].at);
        for day in 0..(last.seconds() - first.seconds()) / 86_400 {
            daily.steps.push(Step { at: first.plus_days(day).unwrap().plus_seconds(5 * 3_600).unwrap(), verb: Verb::Wait });
        }
        daily.steps.sort_by_key(|step| step.at);
        let documents = |script: &Script| {
            let outcome = run(script).unwrap();
            outcome.documents.into_iter().map(|it| (it.on, it.kind, it.lines, it.total)).collect::<Vec<_>>()
        };
        prop_assert_eq!(documents(&once), documents(&daily));
    }

    /// Nobody is asked for less than nothing, no balance is overdrawn, and no more is given back than was
    /// charged.
    #[test]
    fn the_books_of_any_script_are_sound(terms in terms(), happenings in happenings()) {
        let outcome = run(&happening_script(terms, "Europe/London", &happenings)).unwrap();
        let (mut charged, mut balance) = (0, 0);
        for document in &outcome.documents {
            prop_assert!(!document.total.is_negative());
            let lines = || document.lines.iter();
            let sum = |kind: LineKind| lines().filter(|line| line.kind == kind).map(|line| line.amount.minor()).sum::<i64>();
            prop_assert_eq!(lines().map(|line| line.amount.minor()).sum::<i64>(), document.total.minor());
            let note = document.kind == DocumentKind::CreditNote;
            charged += sum(LineKind::Charge) + if note { -sum(LineKind::Credit) } else { sum(LineKind::Credit) };
            prop_assert!(charged >= 0);
            balance += if note { document.total.minor() } else { 0 };
            balance += sum(LineKind::Balance) + sum(LineKind::CreditApplied);
            prop_assert!(balance >= 0);
        }
        prop_assert_eq!(balance, outcome.balance_minor);
    }

    /// What ends on the day on which its period began, the day given back, has cost nothing.
    #[test]
    fn subscribing_and_ending_on_one_day_costs_nothing(day in 0_i64..800, plan in prop::sample::select(vec!["a", "c", "d", "e"])) {
        let on = Zone::utc().civil_date(Timestamp::parse("2023-12-15").unwrap().plus_days(day).unwrap());
        let terms = Terms { alignment: Align::Calendar, ..Terms::default() };
        let outcome = run(&script(terms, "UTC", &format!("{PLANS}{on} subscribe {plan}\n{on} cancel"))).unwrap();
        let net: i64 = outcome.documents.iter().map(|it| it.total.minor()).sum();
        prop_assert_eq!(net, outcome.balance_minor);
    }
}
