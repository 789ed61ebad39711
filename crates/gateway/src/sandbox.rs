//! A gateway inside the process: its test cards do what their names say, the same every time.

use crate::gateway::{Answer, ChargeRequest, Gateway, RefundRequest, Silence};
use billing::payment::{Outcome, RefundOutcome};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A card of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestCard {
    /// Its token.
    pub token: &'static str,
    /// What it does.
    pub does: Does,
}

/// What a test card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
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
    TestCard { token: "tok_visa", does: Does::Succeed },
    TestCard { token: "tok_mastercard", does: Does::Succeed },
    TestCard { token: "tok_sepa", does: Does::Succeed },
    TestCard { token: "tok_insufficient_funds", does: Does::Decline("insufficient_funds") },
    TestCard { token: "tok_card_declined", does: Does::Decline("card_declined") },
    TestCard { token: "tok_expired_card", does: Does::Decline("expired_card") },
    TestCard { token: "tok_fraudulent", does: Does::Decline("fraudulent") },
    TestCard { token: "tok_decline_once", does: Does::DeclineTimes(1) },
    TestCard { token: "tok_decline_twice", does: Does::DeclineTimes(2) },
    TestCard { token: "tok_authentication_required", does: Does::Authenticate },
    TestCard { token: "tok_time_out_before", does: Does::TimeOutBefore },
    TestCard { token: "tok_time_out_after", does: Does::TimeOutAfter },
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

    fn answer(&self, request: &ChargeRequest) -> Result<Outcome, Silence> {
        let key = request.key.as_str();
        let succeeded = || Outcome::Succeeded { reference: format!("ch_{key}") };
        let declined = |code: &str| Outcome::Declined {
            code: code.to_owned(),
            message: format!("The card was declined: {}.", code.replace('_', " ")),
        };
        let card = CARDS.iter().find(|card| card.token == request.token);
        Ok(match card.map(|card| card.does) {
            None => declined("invalid_token"),
            Some(Does::Succeed) => succeeded(),
            Some(Does::Decline(code)) => declined(code),
            Some(Does::DeclineTimes(times)) if request.attempt <= times => declined("card_declined"),
            Some(Does::DeclineTimes(_)) => succeeded(),
            Some(Does::Authenticate) => {
                Outcome::RequiresAction { message: "The customer must confirm the payment.".to_owned() }
            }
            Some(Does::TimeOutBefore | Does::TimeOutAfter) if self.times_out(key) => {
                return Err(Silence::TimedOut);
            }
            Some(Does::TimeOutBefore | Does::TimeOutAfter) => succeeded(),
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
