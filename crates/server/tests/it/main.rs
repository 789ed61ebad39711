//! The faces, the demo and the program itself, from the outside. Each file says what it protects.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod alone;
mod fixtures;
mod on_both;
mod on_postgres;
