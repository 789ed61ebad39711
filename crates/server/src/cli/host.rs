//! What the machine gives that nobody else may touch.

use crate::app::{Clock, Entropy};

/// What only `main` may touch: the clock and randomness.
#[derive(Clone)]
pub struct Host {
    /// The real clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Entropy,
}
