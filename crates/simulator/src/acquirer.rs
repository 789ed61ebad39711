//! The payment gateway of the simulated world: it remembers every key and every amount, decides once
//! what comes of it, and sometimes does not answer.

use crate::dice::Dice;
use billing::id::{Id, PaymentId, RefundId};
use billing::money::Money;
use billing::payment::collect::Outcome;
use billing::payment::refund::RefundOutcome;
use gateway::{Answer, ChargeRequest, Gateway, NoOutcome, RefundRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// What a card does. Its name is its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    /// Pays nearly always.
    Good,
    /// Never pays.
    Bad,
    /// Pays every other time.
    Shaky,
    /// Pays from the so many-th attempt at the same debt on.
    Late(i64),
    /// Wants to be confirmed.
    Guarded,
    /// Pays, but seldom says so the first time.
    Mute,
}

const CARDS: &[(&str, Card)] = &[
    ("good", Card::Good),
    ("better", Card::Good),
    ("bad", Card::Bad),
    ("shaky", Card::Shaky),
    ("late-2", Card::Late(2)),
    ("late-3", Card::Late(3)),
    ("guarded", Card::Guarded),
    ("mute", Card::Mute),
];

/// The tokens that the gateway knows.
pub fn tokens() -> impl Iterator<Item = &'static str> {
    CARDS.iter().map(|(token, _)| *token)
}

/// A charge that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// Under which key it was asked for.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// Of which card.
    pub token: String,
    /// What comes of it, each time that it is asked.
    pub outcome: Outcome,
    /// Whether the gateway has done it: a request that it never got is not done.
    pub is_done: bool,
}

impl Charge {
    /// Whether money has moved.
    pub fn has_moved_money(&self) -> bool {
        self.is_done && matches!(self.outcome, Outcome::Succeeded { .. })
    }
}

/// A refund that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenBack {
    /// Of which charge.
    pub charge: u128,
    /// How much.
    pub amount: Money,
    /// What comes of it.
    pub outcome: RefundOutcome,
    /// Whether the gateway has done it.
    pub is_done: bool,
}

/// Why the gateway holds an answer back until it is told to go on.
#[derive(Debug)]
pub enum Pause {
    /// The process stops here: nobody will ever get the answer.
    Stop,
    /// Something else happens before the answer arrives.
    Meanwhile(oneshot::Sender<()>),
}

/// What the gateway does to the next operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mischief {
    /// At which call the process stops, counted from 0, and whether the work is done by then.
    pub stop: Option<(u32, bool)>,
    /// At which call something else happens first.
    pub meanwhile: Option<u32>,
    /// Of how many calls in a hundred the answer is lost.
    pub silent_percent: u64,
}

struct State {
    dice: Dice,
    charges: BTreeMap<PaymentId, Charge>,
    /// Which payment each key is of.
    keys: BTreeMap<String, PaymentId>,
    refunds: BTreeMap<RefundId, GivenBack>,
    /// What was asked in the operation at hand and left without an answer.
    unanswered: BTreeSet<u128>,
    mischief: Mischief,
    calls: u32,
    breaches: Vec<String>,
}

/// The gateway.
pub struct Acquirer {
    state: Mutex<State>,
    pauses: mpsc::UnboundedSender<Pause>,
}

/// How one call goes.
enum Course {
    Answer,
    Silence { is_done: bool },
    Stop { is_done: bool },
    Meanwhile,
}

impl Acquirer {
    /// A gateway that tells through the channel when it holds an answer back.
    pub fn new(dice: Dice, pauses: mpsc::UnboundedSender<Pause>) -> Self {
        let state = State {
            dice,
            charges: BTreeMap::new(),
            keys: BTreeMap::new(),
            refunds: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            mischief: Mischief::default(),
            calls: 0,
            breaches: Vec::new(),
        };
        Self { state: Mutex::new(state), pauses }
    }

    /// Says what happens in the next operation.
    pub fn plan(&self, mischief: Mischief) {
        let mut state = self.lock();
        state.mischief = mischief;
        state.calls = 0;
        state.unanswered.clear();
    }

    /// The charge of a payment, if it was asked for.
    pub fn charge_of(&self, payment: PaymentId) -> Option<Charge> {
        self.lock().charges.get(&payment).cloned()
    }

    /// The refund, if it was asked for.
    pub fn refund_of(&self, refund: RefundId) -> Option<GivenBack> {
        self.lock().refunds.get(&refund).cloned()
    }

    /// Whether the last answer about this key was lost in the operation at hand.
    pub fn was_silent(&self, key: u128) -> bool {
        self.lock().unanswered.contains(&key)
    }

    /// The keys of all charges.
    pub fn charged(&self) -> Vec<PaymentId> {
        self.lock().charges.keys().copied().collect()
    }

    /// What the engine asked that it must not ask.
    pub fn breaches(&self) -> Vec<String> {
        self.lock().breaches.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds an answer back. The process that is to stop here never comes back from it.
    async fn pause(&self, stop: bool) {
        if stop {
            // The world drops this operation once it has heard of it.
            let _gone = self.pauses.send(Pause::Stop);
            std::future::pending::<()>().await;
        }
        let (resume, resumed) = oneshot::channel();
        if self.pauses.send(Pause::Meanwhile(resume)).is_ok() {
            let _resumed = resumed.await;
        }
    }
}

impl State {
    fn course(&mut self) -> Course {
        let call = self.calls;
        self.calls += 1;
        if let Some((_, is_done)) = self.mischief.stop.filter(|(at, _)| *at == call) {
            return Course::Stop { is_done };
        }
        let is_lost = self.mischief.silent_percent;
        if self.dice.percent(is_lost) {
            return Course::Silence { is_done: self.dice.percent(50) };
        }
        if self.mischief.meanwhile == Some(call) { Course::Meanwhile } else { Course::Answer }
    }

    /// Takes a charge in; says how the call goes.
    fn charge(&mut self, request: &ChargeRequest) -> Course {
        let card =
            CARDS.iter().find(|(token, _)| *token == request.token).map_or(Card::Bad, |(_, card)| *card);
        let is_first = !self.charges.contains_key(&request.payment);
        if is_first {
            let outcome = self.decide(card, request);
            let ChargeRequest { key, amount, token, .. } = request.clone();
            self.charges.insert(request.payment, Charge { key, amount, token, outcome, is_done: false });
        }
        let known = &self.charges[&request.payment];
        if known.key != request.key || known.amount != request.amount || known.token != request.token {
            let told =
                format!("charge {:?} is asked again as {request:?}, known as {known:?}", request.payment);
            self.breaches.push(told);
        }
        let of = *self.keys.entry(request.key.clone()).or_insert(request.payment);
        if of != request.payment {
            self.breaches.push(format!("the key of {of:?} is used once more: {request:?}"));
        }
        if !request.amount.is_positive() {
            self.breaches.push(format!("a charge of nothing: {request:?}"));
        }
        let mut course = self.course();
        if card == Card::Mute && is_first && matches!(course, Course::Answer) && self.dice.percent(70) {
            course = Course::Silence { is_done: true };
        }
        course
    }

    fn decide(&mut self, card: Card, request: &ChargeRequest) -> Outcome {
        let pays = match card {
            Card::Good | Card::Mute => !self.dice.percent(6),
            Card::Bad => false,
            Card::Shaky => self.dice.percent(50),
            Card::Late(attempt) => request.attempt >= attempt,
            Card::Guarded if self.dice.percent(40) => {
                return Outcome::RequiresAction { message: "To be confirmed.".to_owned() };
            }
            Card::Guarded => true,
        };
        match pays {
            true => Outcome::Succeeded { reference: format!("{:032x}", request.payment.raw()) },
            false => Outcome::Declined { code: "card_declined".to_owned(), message: "No.".to_owned() },
        }
    }

    /// Takes a refund in; says how the call goes.
    fn refund(&mut self, request: &RefundRequest) -> Course {
        let charge = u128::from_str_radix(&request.charge, 16).unwrap_or(0);
        if !self.refunds.contains_key(&request.refund) {
            let fails = self.dice.percent(8);
            let outcome =
                if fails { RefundOutcome::Failed("No.".to_owned()) } else { RefundOutcome::Succeeded };
            let amount = request.amount;
            self.refunds.insert(request.refund, GivenBack { charge, amount, outcome, is_done: false });
        }
        let known = &self.refunds[&request.refund];
        if known.amount != request.amount || known.charge != charge {
            self.breaches.push(format!("refund {:?} is asked again as {request:?}", request.refund));
        }
        let came = self.charges.get(&PaymentId::from_raw(charge)).filter(|c| c.has_moved_money());
        let asked = self.refunds.values().filter(|r| r.charge == charge);
        let gone: i64 = asked
            .filter(|refund| refund.outcome == RefundOutcome::Succeeded)
            .map(|refund| refund.amount.minor())
            .sum();
        if came.is_none_or(|charge| charge.amount.minor() < gone) {
            self.breaches
                .push(format!("{gone} is given back of a charge that did not bring it: {request:?}"));
        }
        self.course()
    }
}

impl Gateway for Acquirer {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answer<'a, Outcome> {
        Box::pin(async move {
            let course = self.lock().charge(request);
            let is_done =
                !matches!(course, Course::Silence { is_done: false } | Course::Stop { is_done: false });
            let outcome = {
                let mut state = self.lock();
                let Some(charge) = state.charges.get_mut(&request.payment) else {
                    return Err(NoOutcome::Unreachable);
                };
                charge.is_done |= is_done;
                charge.outcome.clone()
            };
            match course {
                Course::Answer => {}
                Course::Silence { is_done } => {
                    self.lock().unanswered.insert(request.payment.raw());
                    return Err(if is_done { NoOutcome::TimedOut } else { NoOutcome::Unreachable });
                }
                Course::Stop { .. } => self.pause(true).await,
                Course::Meanwhile => self.pause(false).await,
            }
            self.lock().unanswered.remove(&request.payment.raw());
            Ok(outcome)
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answer<'a, RefundOutcome> {
        Box::pin(async move {
            let course = self.lock().refund(request);
            let is_done =
                !matches!(course, Course::Silence { is_done: false } | Course::Stop { is_done: false });
            let outcome = {
                let mut state = self.lock();
                let Some(refund) = state.refunds.get_mut(&request.refund) else {
                    return Err(NoOutcome::Unreachable);
                };
                refund.is_done |= is_done;
                refund.outcome.clone()
            };
            match course {
                Course::Answer => {}
                Course::Silence { .. } => {
                    self.lock().unanswered.insert(request.refund.raw());
                    return Err(NoOutcome::TimedOut);
                }
                Course::Stop { .. } => self.pause(true).await,
                Course::Meanwhile => self.pause(false).await,
            }
            self.lock().unanswered.remove(&request.refund.raw());
            Ok(outcome)
        })
    }

    fn accepts(&self, token: &str) -> bool {
        tokens().any(|known| known == token)
    }
}
