//! Contract 000, AppExperts: what a customer's person sees of its payments.

pub mod auth;
pub mod error;
mod page;
pub mod payments;
