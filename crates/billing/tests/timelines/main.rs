//! Scripts in, timelines out: a line per document, with its lines and what is left on the balance at the end.

#![allow(clippy::unwrap_used)]

mod properties;
mod script;

use billing::money::Rounding;
use billing::proration::{DayCount, DayOwner, ProrationUnit};
use billing::rate::Rate;
use billing::scenario::{Align, Corrections, Terms, run};

use script::{check, check_in, script};

/// Credit notes, calendar periods and a consumed last day.
fn notes() -> Terms {
    Terms {
        alignment: Align::Calendar,
        corrections: Corrections::CreditNotes,
        end_day: DayOwner::Before,
        tax: Rate::parse("20").unwrap(),
        ..Terms::default()
    }
}

#[test]
fn months_from_the_31st_come_back_to_it() {
    check(
        "plan basic 2900
         2024-01-31 subscribe basic
         2024-05-01 wait",
        "2024-01-31 invoice 29.00: charge 2024-01-31..2024-02-29 29.00
         2024-02-29 invoice 29.00: charge 2024-02-29..2024-03-31 29.00
         2024-03-31 invoice 29.00: charge 2024-03-31..2024-04-30 29.00
         2024-04-30 invoice 29.00: charge 2024-04-30..2024-05-31 29.00",
    );
}

#[test]
fn an_upgrade_credits_the_old_plan_and_a_downgrade_feeds_the_balance() {
    check(
        "plan basic 2900
         plan pro 9900
         2024-01-01 subscribe basic
         2024-01-16 change pro
         2024-01-21 change basic
         2024-02-01 wait",
        "2024-01-01 invoice 29.00: charge 2024-01-01..2024-02-01 29.00
         2024-01-16 invoice 36.13: charge 2024-01-16..2024-02-01 51.10, credit 2024-01-16..2024-02-01 -14.97
         2024-01-21 invoice 0.00: charge 2024-01-21..2024-02-01 10.29, credit 2024-01-21..2024-02-01 -35.13, balance 24.84
         2024-02-01 invoice 4.16: charge 2024-02-01..2024-03-01 29.00, balance -24.84",
    );
}

#[test]
fn a_change_at_the_end_of_the_period_costs_nothing_until_then() {
    check(
        "plan basic 2900
         plan pro 9900
         2024-01-01 subscribe pro
         2024-01-10 change basic at-period-end
         2024-01-20 change pro at-period-end
         2024-01-25 change basic at-period-end
         2024-02-01 wait",
        "2024-01-01 invoice 99.00: charge 2024-01-01..2024-02-01 99.00
         2024-02-01 invoice 29.00: charge 2024-02-01..2024-03-01 29.00",
    );
}

#[test]
fn a_change_made_on_a_day_to_come() {
    check(
        "plan basic 2900
         plan pro 9900
         2024-01-01 subscribe basic
         2024-01-02 change pro 2024-01-16
         2024-02-01 wait",
        "2024-01-01 invoice 29.00: charge 2024-01-01..2024-02-01 29.00
         2024-01-16 invoice 36.13: charge 2024-01-16..2024-02-01 51.10, credit 2024-01-16..2024-02-01 -14.97
         2024-02-01 invoice 99.00: charge 2024-02-01..2024-03-01 99.00",
    );
}

#[test]
fn a_trial_that_is_left_costs_nothing() {
    check(
        "plan basic 2900 trial-14
         2024-01-01 subscribe basic
         2024-01-10 cancel
         2024-03-01 wait",
        "2024-01-01 invoice 0.00: trial 2024-01-01..2024-01-15 0.00",
    );
}

#[test]
fn a_trial_is_counted_from_the_first_day_whatever_the_plan() {
    check(
        "plan basic 2900 trial-14
         plan pro 9900 trial-30
         2024-01-01 subscribe basic
         2024-01-20 change pro
         2024-01-31 wait",
        "2024-01-01 invoice 0.00: trial 2024-01-01..2024-01-15 0.00
         2024-01-15 invoice 29.00: charge 2024-01-15..2024-02-15 29.00
         2024-01-20 invoice 0.00: trial 2024-01-20..2024-01-31 0.00, credit 2024-01-20..2024-02-15 -24.32, balance 24.32
         2024-01-31 invoice 23.58: charge 2024-01-31..2024-02-15 47.90, balance -24.32",
    );
}

#[test]
fn ends_now_and_at_the_end_of_the_period() {
    check(
        "plan basic 3100
         2024-01-01 subscribe basic
         2024-01-11 cancel
         2024-02-11 subscribe basic
         2024-02-20 cancel at-period-end
         2024-05-01 wait",
        "2024-01-01 invoice 31.00: charge 2024-01-01..2024-02-01 31.00
         2024-01-11 invoice 0.00: credit 2024-01-11..2024-02-01 -21.00, balance 21.00
         2024-02-11 invoice 10.00: charge 2024-02-11..2024-03-11 31.00, balance -21.00",
    );
}

#[test]
fn a_pause_gives_back_and_comes_to_the_same_without_invoices_between() {
    let plan = "plan yearly 36500 year\n 2023-01-01 subscribe yearly\n";
    check(
        &format!("{plan} 2023-02-01 pause\n 2023-03-01 resume\n 2024-01-01 wait"),
        "2023-01-01 invoice 365.00: charge 2023-01-01..2024-01-01 365.00
         2023-02-01 invoice 0.00: credit 2023-02-01..2024-01-01 -334.00, balance 334.00
         2023-03-01 invoice 0.00: charge 2023-03-01..2024-01-01 306.00, balance -306.00
         2024-01-01 invoice 337.00: charge 2024-01-01..2025-01-01 365.00, balance -28.00",
    );
    check(
        &format!(
            "{plan} 2023-02-01 invoicing-off\n 2023-02-01 pause\n 2023-03-01 resume\n 2023-03-01 invoicing-on\n 2024-01-01 wait"
        ),
        "2023-01-01 invoice 365.00: charge 2023-01-01..2024-01-01 365.00
         2023-03-01 invoice 0.00: credit 2023-02-01..2023-03-01 -28.00, balance 28.00
         2024-01-01 invoice 337.00: charge 2024-01-01..2025-01-01 365.00, balance -28.00",
    );
}

#[test]
fn a_billing_day_that_moves_bridges_the_days_between() {
    let terms = Terms { alignment: Align::FirstPaidDay, ..Terms::default() };
    check_in(
        terms,
        "UTC",
        "plan basic 3000
         2024-04-01 subscribe basic
         2024-04-03 billing-day 10
         2024-06-10 wait",
        "2024-04-01 invoice 30.00: charge 2024-04-01..2024-05-01 30.00
         2024-04-10 invoice 9.00: charge 2024-05-01..2024-05-10 9.00
         2024-05-10 invoice 30.00: charge 2024-05-10..2024-06-10 30.00
         2024-06-10 invoice 30.00: charge 2024-06-10..2024-07-10 30.00",
    );
}

#[test]
fn quantities_change_now_and_later() {
    check(
        "plan seats tiers
         2024-04-01 subscribe seats 5
         2024-04-16 quantity 6
         2024-04-20 quantity 2 2024-05-01
         2024-05-01 wait",
        "2024-04-01 invoice 50.00: charge 2024-04-01..2024-05-01 50.00
         2024-04-16 invoice 0.00: charge 2024-04-16..2024-05-01 24.00, credit 2024-04-16..2024-05-01 -25.00, balance 1.00
         2024-05-01 invoice 19.00: charge 2024-05-01..2024-06-01 20.00, balance -1.00",
    );
}

#[test]
fn the_difference_of_a_quantity_waits_for_the_next_invoice() {
    let terms = Terms {
        unit: ProrationUnit::Second,
        corrections: Corrections::Difference,
        rounding: Rounding::Down,
        ..Terms::default()
    };
    check_in(
        terms,
        "America/New_York",
        "plan seats tiers
         2024-03-01T12:00:00Z subscribe seats 5
         2024-03-10T12:00:00Z quantity 6
         2024-03-20T18:30:00Z quantity 3
         2024-04-10 wait",
        "2024-03-01 invoice 50.00: charge 2024-03-01..2024-04-01 50.00
         2024-04-01 invoice 21.80: charge 2024-04-01..2024-05-01 30.00, difference 2024-03-10..2024-04-01 -1.41, difference 2024-03-20..2024-04-01 -6.79",
    );
}

#[test]
fn arrears_bill_what_is_over_and_what_is_ended() {
    check(
        "plan basic 3000 arrears
         plan pro 6000 arrears
         2024-04-01 subscribe basic
         2024-05-01 wait
         2024-05-11 change pro
         2024-06-15 cancel
         2024-09-01 wait",
        "2024-05-01 invoice 30.00: charge 2024-04-01..2024-05-01 30.00
         2024-05-11 invoice 9.68: charge 2024-05-01..2024-05-11 9.68
         2024-06-01 invoice 40.65: charge 2024-05-11..2024-06-01 40.65
         2024-06-15 invoice 28.00: charge 2024-06-01..2024-06-15 28.00",
    );
}

#[test]
fn months_of_thirty_days() {
    let terms = Terms { day_count: DayCount::Thirty, alignment: Align::BillingDay(23), ..Terms::default() };
    check_in(
        terms,
        "UTC",
        "plan basic 3000
         2024-02-15 subscribe basic
         2024-03-03 cancel",
        "2024-02-15 invoice 8.00: charge 2024-02-15..2024-02-23 8.00
         2024-02-23 invoice 30.00: charge 2024-02-23..2024-03-23 30.00
         2024-03-03 invoice 0.00: credit 2024-03-03..2024-03-23 -20.00, balance 20.00
         balance 20.00",
    );
}

#[test]
fn a_term_ends_in_the_middle_of_a_period() {
    check(
        "plan lasting 70000 9-months term-1
         2023-03-01 subscribe lasting
         2026-01-01 wait",
        "2023-03-01 invoice 700.00: charge 2023-03-01..2023-12-01 700.00
         2023-12-01 invoice 231.64: charge 2023-12-01..2024-03-01 231.64",
    );
}

#[test]
fn credit_notes_with_tax_pay_for_the_next_invoice() {
    check_in(
        notes(),
        "Europe/Paris",
        "plan basic 3100 calendar
         plan pro 6200 calendar
         2024-01-11T23:30:00Z subscribe basic
         2024-01-22 change pro
         2024-01-30T09:00:00Z cancel",
        "2024-01-12 invoice 24.00: charge 2024-01-12..2024-02-01 20.00, tax 4.00
         2024-01-22 credit note 12.00: credit 2024-01-22..2024-02-01 10.00, tax 2.00
         2024-01-22 invoice 12.00: charge 2024-01-22..2024-02-01 20.00, tax 4.00, credit applied -12.00
         2024-01-30 credit note 2.40: credit 2024-01-31..2024-02-01 2.00, tax 0.40
         balance 2.40",
    );
}

#[test]
fn use_is_billed_when_the_period_is_over_and_at_least_so_much() {
    check_in(
        notes(),
        "UTC",
        "plan metered 3100 calendar use-20 at-least-1000
         2024-01-17 subscribe metered
         2024-01-20 use 30
         2024-02-05 use 10
         2024-02-29 use 70
         2024-03-10 use 1
         2024-03-10 cancel",
        "2024-01-17 invoice 18.00: charge 2024-01-17..2024-02-01 15.00, tax 3.00
         2024-02-01 invoice 44.40: charge 2024-02-01..2024-03-01 31.00, use 2024-01-17..2024-02-01 6.00, tax 7.40
         2024-03-01 invoice 56.40: charge 2024-03-01..2024-04-01 31.00, use 2024-02-01..2024-03-01 16.00, tax 9.40
         2024-03-10 credit note 25.20: credit 2024-03-11..2024-04-01 21.00, tax 4.20
         2024-03-10 invoice 0.00: use 2024-03-01..2024-03-11 0.20, true-up 2024-03-01..2024-03-11 3.03, tax 0.65, credit applied -3.88
         balance 21.32",
    );
}

#[test]
fn use_over_a_threshold_is_billed_at_once() {
    check(
        "plan metered use-20 from-5000
         2024-01-01 subscribe metered
         2024-01-10 use 200
         2024-01-11 use 60
         2024-01-12 use 60
         2024-02-01 wait
         2024-02-02 use 250
         2024-03-01 wait",
        "2024-01-11 invoice 52.00: use 2024-01-01..2024-01-11 52.00
         2024-02-01 invoice 12.00: use 2024-01-01..2024-02-01 64.00, billed before 2024-01-01..2024-02-01 -52.00
         2024-02-02 invoice 50.00: use 2024-02-01..2024-02-02 50.00
         2024-03-01 invoice 0.00: use 2024-02-01..2024-03-01 50.00, billed before 2024-02-01..2024-03-01 -50.00",
    );
}

#[test]
fn use_that_comes_late_is_billed_with_the_next_period() {
    let terms = Terms { late_periods: 1, ..Terms::default() };
    check_in(
        terms,
        "UTC",
        "plan metered use-20
         2024-01-01 subscribe metered
         2024-01-10 use 100
         2024-02-03 use 5 2024-01-31
         2024-03-03 use 7 2024-01-31
         2024-03-03 use 9 2024-02-01
         2024-04-01 wait",
        "2024-02-01 invoice 20.00: use 2024-01-01..2024-02-01 20.00
         2024-03-01 invoice 1.00: use 2024-01-01..2024-02-01 1.00
         2024-04-01 invoice 1.80: use 2024-02-01..2024-03-01 1.80",
    );
}

#[test]
fn billing_that_is_run_by_hand_looks_ahead() {
    let terms = Terms { runs: billing::scenario::Runs::OnRequest, ..Terms::default() };
    check_in(
        terms,
        "UTC",
        "plan basic 2900
         2024-01-13 subscribe basic
         2024-02-20 bill
         2024-02-23 cancel",
        "2024-02-20 invoice 58.00: charge 2024-01-13..2024-02-13 29.00, charge 2024-02-13..2024-03-13 29.00
         2024-02-23 invoice 0.00: credit 2024-02-23..2024-03-13 -19.00, balance 19.00
         balance 19.00",
    );
}

#[test]
fn local_days_over_daylight_saving_and_a_day_left_out() {
    let days = "plan daily 100 day\n 2024-03-30T22:30:00Z subscribe daily\n 2024-04-01T12:00:00Z cancel";
    check_in(
        Terms::default(),
        "Europe/Berlin",
        days,
        "2024-03-30 invoice 1.00: charge 2024-03-30..2024-03-31 1.00
         2024-03-31 invoice 1.00: charge 2024-03-31..2024-04-01 1.00
         2024-04-01 invoice 1.00: charge 2024-04-01..2024-04-02 1.00
         2024-04-01 invoice 0.00: credit 2024-04-01..2024-04-02 -1.00, balance 1.00
         balance 1.00",
    );
    let seconds = Terms { unit: ProrationUnit::Second, ..Terms::default() };
    check_in(
        seconds.clone(),
        "Europe/Berlin",
        "plan daily 2300 day
         2024-03-30T23:00:00Z subscribe daily
         2024-03-31T21:00:00Z cancel",
        "2024-03-31 invoice 23.00: charge 2024-03-31..2024-04-01 23.00
         2024-03-31 invoice 0.00: credit 2024-03-31..2024-04-01 -1.00, balance 1.00
         balance 1.00",
    );
    let apia = "plan daily 100 day\n 2011-12-29 subscribe daily\n 2011-12-31T12:00:00Z cancel";
    check_in(
        Terms::default(),
        "Pacific/Apia",
        apia,
        "2011-12-29 invoice 1.00: charge 2011-12-29..2011-12-30 1.00
         2011-12-31 invoice 1.00: charge 2011-12-31..2012-01-01 1.00
         2012-01-01 invoice 1.00: charge 2012-01-01..2012-01-02 1.00
         2012-01-01 invoice 0.00: credit 2012-01-01..2012-01-02 -1.00, balance 1.00
         balance 1.00",
    );
    check_in(
        seconds,
        "Pacific/Apia",
        apia,
        "2011-12-29 invoice 1.00: charge 2011-12-29..2011-12-31 1.00
         2011-12-31 invoice 1.00: charge 2011-12-31..2012-01-01 1.00
         2012-01-01 invoice 1.00: charge 2012-01-01..2012-01-02 1.00
         2012-01-01 invoice 0.00: credit 2012-01-01..2012-01-02 -0.92, balance 0.92
         balance 0.92",
    );
}

#[test]
fn a_step_that_needs_what_is_not_there_is_an_error() {
    for text in [
        "plan basic 100\n 2024-01-01 cancel",
        "plan basic 100\n 2024-01-01 change basic",
        "plan basic 100\n 2024-01-01 pause",
        "plan basic 100\n 2024-01-01 subscribe basic\n 2024-01-02 use 5",
        "plan basic 9223372036854775807 trial-1\n 2024-01-01 subscribe basic 2\n 2024-02-01 wait",
    ] {
        assert!(run(&script(Terms::default(), "UTC", text)).is_err(), "{text}");
    }
    let unknown = run(&script(Terms::default(), "UTC", "2024-01-01 subscribe gold")).unwrap();
    assert_eq!((unknown.documents.len(), unknown.undescribed.contains("gold")), (0, true));
}
