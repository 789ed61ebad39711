//! Contract 001, Placio: the payments of every workspace, for staff.

pub mod auth;
mod body;
pub mod error;
mod page;
pub mod payments;
mod render;
pub mod stats;
