//! A gateway inside the process: its test cards do what their names say, the same every time.

use crate::gateway::{Answer, ChargeRequest, Gateway, NoOutcome, RefundRequest};
use billing::payment::collect::Outcome;
use billing::payment::refund::RefundOutcome;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A card of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestCard {
    /// Its token.
    pub token: &'static str,
    /// What it does.
    pub does: Behavior,
}

/// What a test card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// Succeeds.
    Succeed,
    /// Is declined with this code.
    Decline(&'static str),
    /// Is declined so many times for the same debt, then succeeds.
    DeclineTimes(i64),
    /// Wants the customer to confirm.
    Authenticate,
    /// Gives no answer the first time and has not charged.
    TimeOutBefore,
    /// Charges, but gives no answer the first time.
    TimeOutAfter,
}

/// All test cards.
pub const CARDS: &[TestCard] = &[
    TestCard { token: "tok_visa", does: Behavior::Succeed },
    TestCard { token: "tok_mastercard", does: Behavior::Succeed },
    TestCard { token: "tok_sepa", does: Behavior::Succeed },
    TestCard { token: "tok_insufficient_funds", does: Behavior::Decline("insufficient_funds") },
    TestCard { token: "tok_card_declined", does: Behavior::Decline("card_declined") },
    TestCard { token: "tok_expired_card", does: Behavior::Decline("expired_card") },
    TestCard { token: "tok_fraudulent", does: Behavior::Decline("fraudulent") },
    TestCard { token: "tok_decline_once", does: Behavior::DeclineTimes(1) },
    TestCard { token: "tok_decline_twice", does: Behavior::DeclineTimes(2) },
    TestCard { token: "tok_authentication_required", does: Behavior::Authenticate },
    TestCard { token: "tok_time_out_before", does: Behavior::TimeOutBefore },
    TestCard { token: "tok_time_out_after", does: Behavior::TimeOutAfter },
];

/// The gateway inside the process. It remembers only which keys it has let time out.
#[derive(Debug, Default)]
pub struct Sandbox {
    timed_out: Mutex<BTreeSet<String>>,
}

impl Sandbox {
    fn times_out(&self, key: &str) -> bool {
        self.timed_out.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned())
    }

    fn answer(&self, request: &ChargeRequest) -> Result<Outcome, NoOutcome> {
        let key = request.key.as_str();
        let succeeded = || Outcome::Succeeded { reference: format!("ch_{key}") };
        let declined = |code: &str| Outcome::Declined {
            code: code.to_owned(),
            message: format!("The card was declined: {}.", code.replace('_', " ")),
        };
        let card = CARDS.iter().find(|card| card.token == request.token);
        Ok(match card.map(|card| card.does) {
            None => declined("invalid_token"),
            Some(Behavior::Succeed) => succeeded(),
            Some(Behavior::Decline(code)) => declined(code),
            Some(Behavior::DeclineTimes(times)) if request.attempt <= times => declined("card_declined"),
            Some(Behavior::DeclineTimes(_)) => succeeded(),
            Some(Behavior::Authenticate) => {
                Outcome::RequiresAction { message: "The customer must confirm the payment.".to_owned() }
            }
            Some(Behavior::TimeOutBefore | Behavior::TimeOutAfter) if self.times_out(key) => {
                return Err(NoOutcome::TimedOut);
            }
            Some(Behavior::TimeOutBefore | Behavior::TimeOutAfter) => succeeded(),
        })
    }
}

impl Gateway for Sandbox {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answer<'a, Outcome> {
        let answer = self.answer(request);
        Box::pin(async move { answer })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answer<'a, RefundOutcome> {
        let known = request.charge.starts_with("ch_");
        Box::pin(async move {
            Ok(match known {
                true => RefundOutcome::Succeeded,
                false => RefundOutcome::Failed("There is no such charge.".to_owned()),
            })
        })
    }

    fn accepts(&self, token: &str) -> bool {
        CARDS.iter().any(|card| card.token == token)
    }
}
