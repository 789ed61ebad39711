//! The cases that are kept here: which of them agree, and that a figure that is off is found.

use crate::driver::Product;
use crate::fields::{list, text};
use crate::verdict::Verdict;
use crate::{differences, judge, read};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

fn cases() -> Vec<Value> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios.json")).expect("the cases")
}

fn case(id: &str) -> Value {
    cases().into_iter().find(|case| text(case, "id") == id).expect("a case of that name")
}

/// The cases of amounts and dates that agree. What is built stays built: the list only grows.
const AGREE: [&str; 8] = ["kb-15", "kb-17", "kb-29", "lago-27", "lago-29", "met-01", "met-03", "met-05"];
/// How many cases agree that count periods or expect that dates are refused.
const PERIODS_AGREE: usize = 83;

#[tokio::test]
async fn what_agrees_goes_on_agreeing() {
    let product = Product::open().await;
    let (mut agree, mut periods) = (Vec::new(), 0);
    for case in cases() {
        if judge(&product, &case).await != Verdict::Agrees {
            continue;
        }
        match text(&case, "kind") {
            "amounts" | "dates" => agree.push(text(&case, "id").to_owned()),
            _ => periods += 1,
        }
    }
    assert_eq!((agree, periods), (AGREE.map(str::to_owned).to_vec(), PERIODS_AGREE));
}

#[test]
fn only_our_cases_are_on_the_list() {
    let ids: BTreeSet<String> = cases().iter().map(|case| text(case, "id").to_owned()).collect();
    for id in differences::known().expect("a list that can be read").keys() {
        assert!(ids.contains(*id), "{id} is none of the cases");
    }
}

/// An amount that is one off must not agree, wherever it stands.
#[tokio::test]
async fn a_wrong_figure_is_found() {
    let product = Product::open().await;
    let mut changed = 0;
    for case in AGREE.map(case) {
        for (entry, expected) in list(&case, "expected").iter().enumerate() {
            for line in 0..list(expected, "lines").len() {
                let mut wrong = case.clone();
                let amount = &mut wrong["expected"][entry]["lines"][line]["amount"];
                *amount = json!(amount.as_i64().expect("whole minor units") + 1);
                let verdict = judge(&product, &wrong).await;
                let told = format!("{} line {line} of {entry}: {verdict:?}", text(&case, "id"));
                assert!(matches!(verdict, Verdict::Differs { .. }), "{told}");
                changed += 1;
            }
        }
    }
    assert_eq!(changed, 36);
}

#[tokio::test]
async fn a_missing_line_a_wrong_day_and_a_wrong_total_are_found() {
    let mut short = case("met-01");
    short["expected"][0]["lines"].as_array_mut().expect("lines").remove(1);
    let mut late = case("kb-15");
    late["expected"][1]["on"] = json!("2022-12-28");
    let mut longer = case("kb-15");
    longer["expected"][1]["lines"][0]["to"] = json!("2023-01-28");
    let mut dearer = case("kb-17");
    dearer["expected"][0]["total"] = json!(350_138);
    let mut more = case("kb-29");
    more["expected"][1] = json!({"on": "2015-11-01", "no_invoice": true});
    let mut part = case("kbt-013");
    part["expected"]["parts"][0] = json!("30/31");
    let mut count = case("kbt-013");
    count["expected"]["cycles"] = json!("1.000000000");
    let mut possible = case("kbv-testTargetStart");
    possible["steps"][0]["bill_through"] = json!("2011-05-15");
    let mut days = case("lago-27");
    days["expected"][0]["billing_days"][1] = json!("2023-03-01");
    let product = Product::open().await;
    for wrong in [short, late, longer, dearer, more, part, count, possible, days] {
        let verdict = judge(&product, &wrong).await;
        assert!(matches!(verdict, Verdict::Differs { .. }), "{verdict:?} of {wrong}");
    }
}

#[tokio::test]
async fn what_comes_before_what_is_not_built_is_compared() {
    let product = Product::open().await;
    assert_eq!(judge(&product, &case("lago-11")).await, Verdict::not_yet("credit notes"));
    // The tax of the invoice before the credit note.
    let mut wrong = case("lago-11");
    wrong["expected"][0]["lines"][1]["amount"] = json!(701);
    assert!(matches!(judge(&product, &wrong).await, Verdict::Differs { .. }));
}

#[tokio::test]
async fn what_is_not_known_is_said() {
    let product = Product::open().await;
    let mut verb = case("kb-15");
    verb["steps"][1]["do"] = json!("set_on_fire");
    assert_eq!(judge(&product, &verb).await, Verdict::not_yet("the step \"set_on_fire\""));
    let mut kind = case("kb-15");
    kind["expected"][0]["lines"][0]["kind"] = json!("surcharge");
    assert_eq!(judge(&product, &kind).await, Verdict::not_yet("lines of the kind \"surcharge\""));
    let mut given = case("kb-15");
    given["given"]["moon"] = json!("full");
    assert_eq!(judge(&product, &given).await, Verdict::not_yet("\"moon\" of the given"));
}

/// Nothing that the product refuses passes for something that is not built, but what is named as such.
#[tokio::test]
async fn a_refusal_is_a_difference() {
    let product = Product::open().await;
    let mut none = case("kb-15");
    none["steps"][1]["quantity"] = json!(0);
    let verdict = judge(&product, &none).await;
    assert!(
        matches!(&verdict, Verdict::Differs { got, .. } if got.starts_with("a refusal: ")),
        "{verdict:?}"
    );
    let mut fewer = case("met-05");
    fewer["steps"][1]["seats"] = json!(1);
    fewer["given"]["plans"]["starter"]["platform"] = json!(100);
    assert_eq!(judge(&product, &fewer).await, Verdict::not_yet("changes that leave a credit"));
}

/// A case in euros and UTC, and what came of it.
async fn play(plans: Value, steps: Value, expected: Value) -> Verdict {
    let case = json!({
        "kind": "amounts", "currency": "EUR", "given": {"plans": plans}, "steps": steps, "expected": expected,
    });
    judge(&Product::open().await, &case).await
}

fn invoice(on: &str, to: &str, amount: i64) -> Value {
    json!({"on": on, "type": "invoice", "lines": [{"kind": "charge", "amount": amount, "from": on, "to": to}]})
}

#[tokio::test]
async fn months_from_the_31st_come_back_to_it() {
    let expected = json!([
        invoice("2024-01-31", "2024-02-29", 2900),
        invoice("2024-02-29", "2024-03-31", 2900),
        invoice("2024-03-31", "2024-04-30", 2900),
        invoice("2024-04-30", "2024-05-31", 2900),
    ]);
    let steps = json!([{"at": "2024-01-31", "do": "subscribe"}]);
    assert_eq!(play(json!({"basic": {"price": 2900}}), steps, expected).await, Verdict::Agrees);
}

#[tokio::test]
async fn a_change_at_the_end_of_the_period_costs_nothing_until_then_and_can_be_replaced() {
    let change = |at: &str, to: &str| json!({"at": at, "do": "change_plan", "to": to, "when": "period_end"});
    let steps = json!([
        {"at": "2024-01-01", "do": "subscribe", "plan": "pro"},
        change("2024-01-10", "basic"),
        change("2024-01-20", "pro"),
        change("2024-01-25", "basic"),
    ]);
    let expected = json!([
        invoice("2024-01-01", "2024-02-01", 9900),
        {"on": "2024-01-31", "no_more_invoices": true},
        invoice("2024-02-01", "2024-03-01", 2900),
    ]);
    let plans = json!({"basic": {"price": 2900}, "pro": {"price": 9900}});
    assert_eq!(play(plans, steps, expected).await, Verdict::Agrees);
}

#[tokio::test]
async fn a_trial_that_is_left_costs_nothing() {
    let steps = json!([
        {"at": "2024-01-01", "do": "subscribe"},
        {"at": "2024-01-10", "do": "cancel"},
    ]);
    let expected = json!([{"on": "2024-03-01", "no_more_invoices": true}]);
    let plans = json!({"basic": {"price": 2900, "trial_days": 14}});
    assert_eq!(play(plans, steps, expected).await, Verdict::Agrees);
}

#[tokio::test]
async fn a_term_of_whole_periods_is_over_after_the_last() {
    let steps = json!([{"at": "2023-03-01", "do": "subscribe"}]);
    let expected = json!([
        invoice("2023-03-01", "2023-09-01", 70_000),
        invoice("2023-09-01", "2024-03-01", 70_000),
        {"on": "2025-01-01", "no_more_invoices": true},
    ]);
    let plans = json!({"lasting": {"price": 70_000, "period_months": 6, "fixed_term_years": 1}});
    assert_eq!(play(plans, steps, expected).await, Verdict::Agrees);
}
