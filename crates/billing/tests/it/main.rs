//! The domain from the outside. Each file says what it holds the domain to.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod calendar;
mod money;
mod states;
mod tiling;
