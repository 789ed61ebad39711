//! The server: the only crate that knows HTTP, JSON and HTML.
//!
//! Reading order: [`router`] (the whole URL space), [`faces`] (the five contracts), [`app`] (what a
//! request is served with), [`respond`] (what is around every request).

pub mod answers;
pub mod app;
pub mod auth;
pub mod cli;
pub mod demo;
pub mod faces;
pub mod idempotency;
pub mod json;
pub mod metrics;
pub mod names;
pub mod query;
pub mod respond;
pub mod router;
pub mod secrets;
pub mod serve;
pub mod spelling;
pub mod web;
