//! Contract 003, SureCart: billing periods.

pub mod auth;
pub mod error;
mod page;
pub mod periods;
