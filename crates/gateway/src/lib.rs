//! Payment gateways: what is asked of them, what they answer, and one that lives in this process.
//!
//! Every request carries a key. A gateway that is asked twice with the same key does the work once
//! and gives the same answer, so that a request whose answer was lost can be made again, and books that
//! were brought back to an earlier time charge nobody twice.

mod gateway;
mod sandbox;

pub use gateway::{Answer, ChargeRequest, Gateway, NoOutcome, RefundRequest};
pub use sandbox::{Behavior, CARDS, Sandbox, TestCard};
