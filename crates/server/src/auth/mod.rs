//! Who asks: API keys and signed tokens, checked once and remembered while nothing about credentials
//! changes, so that a request costs no look-up and a revocation holds at once.

pub mod authenticator;
pub mod header;
pub mod issue;
pub mod jwt;
pub mod keys;
pub mod principal;
pub mod refused;
