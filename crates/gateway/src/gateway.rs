//! What is asked of a gateway, and what it answers.

use billing::id::{PaymentId, RefundId};
use billing::money::Money;
use billing::payment::collect::Outcome;
use billing::payment::refund::RefundOutcome;
use std::future::Future;
use std::pin::Pin;

/// Asks for a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The key: what is charged, and which attempt at it this is.
    pub key: String,
    /// The payment of the books.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// The gateway's token of what is charged.
    pub token: String,
    /// Which attempt at the same debt it is, from 1.
    pub attempt: i64,
}

/// Asks for a charge to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The refund, whose id is the key.
    pub refund: RefundId,
    /// The gateway's own id of the charge.
    pub charge: String,
    /// How much.
    pub amount: Money,
}

/// Why a gateway gave no answer. Whether it did the work is then unknown: ask again with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoOutcome {
    /// It took too long.
    #[error("the gateway did not answer in time")]
    TimedOut,
    /// It could not be reached.
    #[error("the gateway cannot be reached")]
    Unreachable,
    /// The key has charged another sum before. Neither that nor this may be charged once more: it stays in
    /// doubt until somebody has looked.
    #[error("the gateway has charged another sum under this key")]
    AmountMismatch,
    /// The process was stopped in between; only the simulator does that.
    #[error("stopped before the answer")]
    Stopped,
}

/// An answer to wait for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, NoOutcome>> + Send + 'a>>;

/// A payment gateway.
pub trait Gateway: Send + Sync {
    /// Charges, once for every key.
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answer<'a, Outcome>;

    /// Gives back, once for every key.
    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answer<'a, RefundOutcome>;

    /// Whether the token can be a token of this gateway.
    fn accepts(&self, token: &str) -> bool;
}
