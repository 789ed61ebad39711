//! Our copy of the cases: none differs, and those that are not supported are these, for these reasons.

use std::path::Path;

use serde_json::{Value, json};

use super::{Verdict, judge, read, text};

fn cases() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/billing/tests/scenarios/scenarios.json");
    read(&file).expect("our copy of the cases")
}

fn case(id: &str) -> Value {
    cases().into_iter().find(|case| text(case, "id") == id).expect("a case of that name")
}

#[test]
fn every_case_comes_out_or_says_why_not() {
    let mut told = Vec::new();
    for case in cases() {
        match judge(&case) {
            Verdict::Pass => {}
            Verdict::Differs { expected, got } => {
                told.push(format!("{} differs: expected {expected} got {got}", text(&case, "id")));
            }
            Verdict::NotSupported(reason) => told.push(format!("{}: {reason}", text(&case, "id"))),
        }
    }
    assert_eq!(
        told,
        [
            "kb-27: overdue states, which block billing while an invoice is unpaid",
            "kb-33: use that is told in words, not as events",
            "lago-02: our rule differs: the day of the end is used up, the figures are right if it is given back \
             (expected credit_note of 2024-03-11: credit 2371, ours credit_note of 2024-03-11: credit 2258 total 2258)",
            "lago-23: our rule differs: tax is rounded once per rate, on the sum of rounded line nets (EN 16931) \
             (expected tax 1889, ours lines 20000, coupons -3500, tax 1890, total 18390)",
        ]
    );
    assert_eq!(cases().len(), 192);
}

/// An amount that is one off must not pass, wherever it stands.
#[test]
fn a_wrong_figure_is_found() {
    let mut changed = 0;
    for case in cases().iter().filter(|case| judge(case) == Verdict::Pass) {
        for (entry, expected) in super::fields::list(case, "expected").iter().enumerate() {
            for line in 0..super::fields::list(expected, "lines").len() {
                let mut wrong = case.clone();
                let amount = &mut wrong["expected"][entry]["lines"][line]["amount"];
                *amount = json!(amount.as_i64().expect("whole minor units") + 1);
                assert_ne!(judge(&wrong), Verdict::Pass, "{} line {line} of {entry}", text(case, "id"));
                changed += 1;
            }
        }
    }
    assert!(changed > 100, "only {changed} amounts were tried");
}

#[test]
fn a_missing_line_a_wrong_day_and_a_wrong_total_are_found() {
    let mut short = case("kb-05");
    short["expected"][0]["lines"].as_array_mut().expect("lines").remove(1);
    let mut late = case("kb-05");
    late["expected"][1]["on"] = json!("2016-05-11");
    let mut longer = case("kb-05");
    longer["expected"][1]["lines"][0]["to"] = json!("2016-06-11");
    let mut dearer = case("kb-05");
    dearer["expected"][1]["total"] = json!(48_225);
    let mut more = case("kb-13");
    more["expected"][2]["on"] = json!("2020-02-15");
    more["expected"].as_array_mut().expect("entries").remove(1);
    more["expected"][1] = json!({"on": "2020-05-01", "no_more_invoices": true});
    for wrong in [short, late, longer, dearer, more] {
        assert!(matches!(judge(&wrong), Verdict::Differs { .. }), "{wrong}");
    }
}

#[test]
fn periods_and_billing_days_that_are_off_are_found() {
    let mut cycles = case("kbt-025");
    cycles["expected"]["parts"][0] = json!("7/28");
    let mut validation = case("kbv-testTargetStart");
    validation["steps"][0]["bill_through"] = json!("2011-05-15");
    let mut dates = case("lago-27");
    dates["expected"][0]["billing_days"][1] = json!("2023-03-01");
    for wrong in [cycles, validation, dates] {
        assert!(matches!(judge(&wrong), Verdict::Differs { .. }), "{wrong}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    let mut verb = case("kb-05");
    verb["steps"][1]["do"] = json!("set_on_fire");
    assert_eq!(judge(&verb), Verdict::NotSupported("the step \"set_on_fire\"".into()));
    let mut kind = case("kb-05");
    kind["expected"][0]["lines"][0]["kind"] = json!("surcharge");
    assert_eq!(judge(&kind), Verdict::NotSupported("lines of the kind \"surcharge\"".into()));
    // A word that is not understood is forgiven only where the figures come out all the same.
    let mut given = case("kb-05");
    given["given"]["moon"] = json!("full");
    assert_eq!(judge(&given), Verdict::Pass);
    given["expected"][1]["lines"][0]["amount"] = json!(1);
    assert!(
        matches!(judge(&given), Verdict::NotSupported(reason) if reason.starts_with("\"moon\" of the given"))
    );
}
