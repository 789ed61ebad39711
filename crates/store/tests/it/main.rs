//! The books on disk. Each file says what it protects.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod on_both;
mod on_postgres;
