//! What the other customers do: a few dozen habits, dealt out in turn.

use super::cast::{bill, subscribe};
use super::chance::Chance;
use super::people::{BERLIN, DOLLAR_PLACES, DUBLIN, KUWAIT, Location, MUMBAI, PARIS, Person, TOKYO, person};
use super::script::{Act, Charged, DAY, HOUR, Pick, Span, StoryLine, StoryRole, When, Writer};
use billing::catalog::Category;
use billing::catalog::Category::{AddOn, AiTools, Credits, Sms, Storage, Subscription};
use billing::currency::Currency;
use billing::payment::PaymentChannel;
use billing::payment::PaymentChannel::{BankTransfer, Card, Cash, Other};

/// A habit: where its customers live, and what they do.
struct Habit {
    places: &'static [Location],
    write: fn(&mut Writer),
}

const fn habit(places: &'static [Location], write: fn(&mut Writer)) -> Habit {
    Habit { places, write }
}

/// Dealt out from the top, so that even a small demo has the rarer things.
const HABITS: &[Habit] = &[
    habit(&[BERLIN, PARIS, DUBLIN], euros_with_tax_inside),
    habit(&[MUMBAI], rupees),
    habit(&[TOKYO], yen),
    habit(&[KUWAIT], dinars),
    habit(DOLLAR_PLACES, trial_that_convinces),
    habit(DOLLAR_PLACES, trial_that_does_not),
    habit(DOLLAR_PLACES, card_that_fails_first),
    habit(DOLLAR_PLACES, card_that_never_works),
    habit(DOLLAR_PLACES, pays_by_transfer),
    habit(DOLLAR_PLACES, day_by_day),
    habit(DOLLAR_PLACES, instalments),
    habit(DOLLAR_PLACES, leaves_when_the_period_ends),
    habit(DOLLAR_PLACES, leaves_at_once),
    habit(DOLLAR_PLACES, leaves_and_comes_back),
    habit(DOLLAR_PLACES, grows),
    habit(DOLLAR_PLACES, shrinks),
    habit(DOLLAR_PLACES, buys_once),
    habit(DOLLAR_PLACES, nothing_at_all),
    habit(DOLLAR_PLACES, odd_intervals),
    habit(DOLLAR_PLACES, wrong_and_corrected),
    habit(DOLLAR_PLACES, must_confirm),
    habit(DOLLAR_PLACES, silent_gateway),
    habit(DOLLAR_PLACES, with_a_coupon),
    habit(DOLLAR_PLACES, yearly),
    habit(DOLLAR_PLACES, large),
    habit(DOLLAR_PLACES, plain_monthly),
    habit(DOLLAR_PLACES, put_away),
    habit(DOLLAR_PLACES, week_by_week),
    habit(DOLLAR_PLACES, never_pays),
];

/// The customer of a place in the list, from 0. The first ones are the cast's.
pub(super) fn role(seed: u64, span: Span, index: i64) -> StoryRole {
    let mut chance = Chance::about(seed, 100 + index.unsigned_abs());
    let turn = usize::try_from(index).unwrap_or(0);
    let habit = &HABITS[turn % HABITS.len()];
    // A place after the other, so that every zone is there early.
    let place = habit.places[(turn / HABITS.len() + turn) % habit.places.len()];
    let who: Person = person(&mut chance, index, place);
    // Most come early, so that the story is long; none in the last tenth.
    let latest = span.seconds() * 9 / 10;
    let joined = chance.between(3 * HOUR, latest).min(chance.between(3 * HOUR, latest));
    let mut writer = Writer::new(chance, span, who, joined);
    (habit.write)(&mut writer);
    writer.role()
}

fn card(w: &mut Writer) {
    let token = w.chance.pick(&["tok_visa", "tok_mastercard", "tok_visa"]);
    w.after_seconds(40, Act::GiveCard(token, true));
}

fn join(w: &mut Writer, name: &'static str, items: &'static [Pick]) {
    card(w);
    let after = w.chance.between(300, 5 * HOUR);
    w.after_seconds(after, subscribe(name, items));
}

fn with_coupon(name: &'static str, items: &'static [Pick], coupon: &'static str) -> Act {
    Act::Subscribe { name, items, card: None, coupon: Some(coupon), days_ago: 0 }
}

fn buy(slug: &'static str, quantity: i64) -> Act {
    Act::Buy { what: (slug, quantity), coupon: None }
}

fn pay(means: PaymentChannel, category: Category, amount: Option<i64>) -> Act {
    Act::Pay { means, category, currency: Currency::USD, amount }
}

fn cancel(name: &'static str, when: When) -> Act {
    Act::Cancel { name, when }
}

fn change(name: &'static str, items: &'static [Pick], now: bool) -> Act {
    Act::Change { name, items, now }
}

fn euros_with_tax_inside(w: &mut Writer) {
    w.after_seconds(40, Act::GiveCard("tok_sepa", true));
    let items: &[Pick] = w.chance.pick::<&'static [Pick]>(&[
        &[("voice-eur", 1)],
        &[("voice-eur", 1), ("support-eur", 1), ("storage-eur", 3)],
        &[("voice-eur-yearly", 1)],
        &[("team-eur-trial", 5)],
    ]);
    w.after_seconds(900, subscribe("main", items));
    w.on_day(12, subscribe("onboarding", &[("onboarding-eur", 1)]));
    w.on_day(40, subscribe("assistant", &[("assistant-eur", 2)]));
    w.on_day(170, change("assistant", &[("assistant-eur", 3)], true));
}

fn rupees(w: &mut Writer) {
    card(w);
    w.after_seconds(600, with_coupon("main", &[("voice-inr", 1), ("support-inr", 1)], "DIWALI"));
    w.on_day(2, buy("credits-inr", 1));
    w.on_day(30, buy("sms-inr", 2));
    w.on_day(33, Act::Refund(Charged::Purchase, 50));
    w.on_day(200, subscribe("yearly", &[("voice-inr-yearly", 1)]));
}

fn yen(w: &mut Writer) {
    join(w, "main", &[("voice-jpy", 2)]);
    w.on_day(75, Act::Refund(Charged::Subscription("main"), 30));
}

fn dinars(w: &mut Writer) {
    join(w, "main", &[("voice-kwd", 1)]);
    w.on_day(3, buy("credits-kwd", 1));
    w.on_day(100, change("main", &[("voice-kwd", 3)], true));
}

fn trial_that_convinces(w: &mut Writer) {
    join(w, "main", &[("team-trial", 3), ("assistant", 1)]);
    w.on_day(90, change("main", &[("team-trial", 6), ("assistant", 2)], true));
}

fn trial_that_does_not(w: &mut Writer) {
    join(w, "main", &[("team-trial", 2)]);
    let day = w.chance.between(3, 9);
    let when = if day % 2 == 0 { When::Now } else { When::PeriodEnd };
    w.on_day(day, cancel("main", when));
    w.on_day(40, buy("sms-pack", 1));
}

fn card_that_fails_first(w: &mut Writer) {
    let token = w.chance.pick(&["tok_decline_once", "tok_decline_twice"]);
    w.after_seconds(40, Act::GiveCard(token, true));
    let items: &[Pick] =
        w.chance.pick::<&'static [Pick]>(&[&[("basic-weekly", 1)], &[("voice-monthly", 1)], &[("team", 2)]]);
    w.after_seconds(1_200, subscribe("main", items));
}

fn card_that_never_works(w: &mut Writer) {
    let token = w.chance.pick(&["tok_insufficient_funds", "tok_expired_card", "tok_card_declined"]);
    // It never did, or it did for a while.
    if w.chance.between(0, 1) == 0 {
        w.after_seconds(40, Act::GiveCard(token, true));
        w.after_seconds(800, subscribe("main", &[("basic-weekly", 1)]));
    } else {
        join(w, "main", &[("voice-monthly", 1), ("storage", 2)]);
        let day = w.chance.between(0, 90);
        w.on_day(day, Act::GiveCard(token, true));
    }
}

/// Invoices that nobody charges, each paid a few days later.
fn pays_by_transfer(w: &mut Writer) {
    w.after_seconds(700, subscribe("main", &[("voice-monthly", 1), ("storage", 1)]));
    let mut day = w.chance.between(2, 5);
    for _ in 0..w.days_left() / 31 + 1 {
        let means = w.chance.pick(&[BankTransfer, BankTransfer, Cash, Card]);
        w.on_day(day, pay(means, Subscription, None));
        day += w.chance.between(30, 31);
    }
    w.on_day(50, pay(BankTransfer, Storage, Some(8_000)));
}

fn day_by_day(w: &mut Writer) {
    join(w, "pass", &[("event-pass", 1)]);
    w.on_day(20, subscribe("daily", &[("event-daily", 1)]));
    let day = w.chance.between(35, 80);
    w.on_day(day, cancel("daily", When::InDays(3)));
    w.on_day(90, subscribe("decade", &[("event-decade", 2)]));
}

fn instalments(w: &mut Writer) {
    join(w, "onboarding", &[("onboarding", 1)]);
    w.on_day(5, subscribe("main", &[("voice-monthly", 1)]));
    w.on_day(6, Act::MoveRenewal { name: "main", days: 4 });
}

fn leaves_when_the_period_ends(w: &mut Writer) {
    join(w, "main", &[("team", 4)]);
    let day = w.chance.between(10, 300);
    w.on_day(day, cancel("main", When::PeriodEnd));
}

fn leaves_at_once(w: &mut Writer) {
    join(w, "main", &[("voice-monthly", 1), ("assistant", 1)]);
    let day = w.chance.between(10, 200);
    w.on_day(day, cancel("main", When::Now));
    w.on_day(day + 1, Act::Refund(Charged::Subscription("main"), 60));
}

fn leaves_and_comes_back(w: &mut Writer) {
    join(w, "main", &[("voice-monthly", 1)]);
    let day = w.chance.between(5, 60);
    w.on_day(day, cancel("main", When::PeriodEnd));
    w.on_day(day + 1, Act::KeepOn { name: "main" });
    w.on_day(day + 100, cancel("main", When::InDays(50)));
}

fn grows(w: &mut Writer) {
    join(w, "main", &[("team", 2)]);
    let day = w.chance.between(8, 50);
    w.on_day(day, change("main", &[("team", 5)], true));
    w.on_day(day + 60, change("main", &[("team-growth", 5), ("support", 1)], true));
}

fn shrinks(w: &mut Writer) {
    join(w, "main", &[("team-growth", 6)]);
    let day = w.chance.between(8, 50);
    w.on_day(day, change("main", &[("team", 3)], false));
    w.before_end(2 * DAY, change("main", &[("team", 2)], false));
}

fn buys_once(w: &mut Writer) {
    card(w);
    w.on_day(0, buy("credits", 2));
    w.on_day(4, buy("assistant-pack", 1));
    w.on_day(9, Act::Refund(Charged::Purchase, 25));
    w.on_day(25, Act::Buy { what: ("sms-pack", 3), coupon: Some("WELCOME20") });
    w.on_day(120, buy("storage-export", 1));
    w.on_day(121, Act::Refund(Charged::Purchase, 100));
}

fn nothing_at_all(_: &mut Writer) {}

fn odd_intervals(w: &mut Writer) {
    join(w, "fortnight", &[("support-fortnightly", 1)]);
    w.on_day(2, subscribe("basic", &[("basic-fortnightly", 1)]));
    w.on_day(3, subscribe("quarter", &[("team-quarterly", 4)]));
    w.on_day(10, subscribe("care", &[("support-quarterly", 1)]));
}

const FIELD_WORK: &[StoryLine] = &[
    StoryLine { text: "Day on site", category: AddOn, quantity: 2, amount: 64_000, product: None },
    StoryLine { text: "Travel", category: AddOn, quantity: 1, amount: 18_735, product: None },
];
const TRANSCRIPTS: &[StoryLine] =
    &[StoryLine { text: "Transcripts", category: AiTools, quantity: 250, amount: 12, product: None }];

/// Manual payments that were mistyped, taken back, or came too soon.
fn wrong_and_corrected(w: &mut Writer) {
    w.on_day(1, bill(FIELD_WORK, Currency::USD));
    w.on_day(6, pay(BankTransfer, AddOn, Some(147_635)));
    w.on_day(8, Act::CorrectPayment(146_735));
    w.on_day(12, bill(TRANSCRIPTS, Currency::USD));
    w.on_day(14, pay(Cash, AiTools, None));
    w.on_day(15, Act::TakeBackPayment);
    w.on_day(18, pay(Other, AiTools, None));
    w.on_day(25, bill(FIELD_WORK, Currency::USD));
    w.on_day(27, Act::Withdraw);
    w.on_day(40, pay(BankTransfer, Credits, Some(10_000)));
    w.on_day(45, bill(TRANSCRIPTS, Currency::USD));
    w.on_day(60, pay(BankTransfer, Sms, Some(5_500)));
}

fn must_confirm(w: &mut Writer) {
    w.after_seconds(40, Act::GiveCard("tok_authentication_required", true));
    w.after_seconds(500, subscribe("main", &[("voice-monthly", 1)]));
    w.on_day(1, Act::GiveCard("tok_mastercard", true));
    w.on_day(2, Act::ChargeAgain);
}

fn silent_gateway(w: &mut Writer) {
    let token = w.chance.pick(&["tok_time_out_after", "tok_time_out_before"]);
    w.after_seconds(40, Act::GiveCard(token, true));
    w.after_seconds(500, subscribe("main", &[("voice-monthly", 1)]));
}

fn with_a_coupon(w: &mut Writer) {
    card(w);
    let code = w.chance.pick(&["WELCOME20", "LOYAL10", "FIRST3", "FIVEOFF", "LAUNCH"]);
    w.after_seconds(500, with_coupon("main", &[("voice-monthly", 1), ("team", 2)], code));
    w.on_day(15, with_coupon("sms", &[("sms", 2)], "LOYAL10"));
}

fn yearly(w: &mut Writer) {
    join(w, "main", &[("voice-yearly", 1)]);
    w.on_day(1, subscribe("storage", &[("storage-yearly", 2)]));
}

fn large(w: &mut Writer) {
    w.is_large();
    card(w);
    let items: &[Pick] =
        w.chance.pick::<&'static [Pick]>(&[&[("enterprise", 1)], &[("enterprise-yearly", 1)]]);
    // They began before the seller kept these books.
    let began = Act::Subscribe { name: "main", items, card: None, coupon: None, days_ago: 45 };
    w.after_seconds(900, began);
    w.on_day(20, bill(FIELD_WORK, Currency::USD));
}

fn plain_monthly(w: &mut Writer) {
    join(w, "main", &[("voice-monthly", 1)]);
    w.on_day(60, subscribe("assistant", &[("assistant", 1)]));
    w.before_end(5 * DAY, cancel("main", When::PeriodEnd));
}

fn put_away(w: &mut Writer) {
    join(w, "main", &[("voice-monthly", 1)]);
    let day = w.chance.between(15, 90);
    w.on_day(day, cancel("main", When::Now));
    w.on_day(day + 2, Act::Archive);
}

fn week_by_week(w: &mut Writer) {
    join(w, "main", &[("basic-weekly", 1)]);
    let day = w.chance.between(60, 400);
    w.on_day(day, cancel("main", When::PeriodEnd));
}

/// A subscription that never begins: there is nothing to charge, and no money comes.
fn never_pays(w: &mut Writer) {
    w.after_seconds(500, subscribe("main", &[("voice-monthly", 1)]));
}
