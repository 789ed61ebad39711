//! The server: the only crate that knows HTTP, JSON and HTML.
//!
//! Reading order: [`router`] (the whole URL space), [`faces`] (the five contracts), [`app`] (what a
//! request is served with), [`middleware`] (what is around every request).

pub mod app;
pub mod auth;
pub mod base62;
pub mod body;
pub mod cli;
pub mod demo;
pub mod external_id_cache;
pub mod face;
pub mod faces;
pub mod idempotency;
pub mod json;
pub mod metrics;
pub mod middleware;
pub mod query;
pub mod response_cache;
pub mod router;
pub mod secrets;
pub mod serve;
pub mod spelling;
pub mod web;
