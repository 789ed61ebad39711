//! The domain of subscription billing: pure, deterministic, synchronous, without IO.

#![deny(clippy::float_arithmetic)]

pub mod calendar;
pub mod currency;
pub mod money;
pub mod rate;
pub mod timestamp;
