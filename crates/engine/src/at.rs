//! When, where, by whom and for which request something is done.

use billing::id::{CredentialId, CustomerUserId, Request, StaffId};
use billing::timestamp::Timestamp;

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Nobody: what falls due, the command line, the demo.
    System,
    /// A program of the merchant, by its API key.
    Key(CredentialId),
    /// A person of the seller.
    Staff(StaffId),
    /// A person of a customer.
    CustomerUser(CustomerUserId),
}

/// What every use case that writes is told first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The time in the books. A decision is never made before what it was made on.
    pub now: Timestamp,
    /// The number of the environment.
    pub environment: i64,
    /// Who does it.
    pub actor: Actor,
    /// The request that asks for it, if it may be repeated.
    pub request: Option<Request>,
}

impl At {
    /// Done by the system, and for no request.
    pub fn new(now: Timestamp, environment: i64) -> Self {
        Self { now, environment, actor: Actor::System, request: None }
    }

    /// The same, done by somebody.
    #[must_use]
    pub fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// The same, done for a request.
    #[must_use]
    pub fn answering(self, request: impl Into<Option<Request>>) -> Self {
        Self { request: request.into(), ..self }
    }

    /// What follows from it in a commit of its own: the request's key is kept with the first one.
    pub(crate) fn follow_up(&self) -> Self {
        Self { request: None, ..self.clone() }
    }
}
