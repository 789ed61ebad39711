//! The use cases, on books of a database. Each file says what it protects.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::too_many_lines, reason = "a test tells cases one after another")]

mod fixtures;
mod on_both;
mod on_postgres;
