//! Contract 001, Placio: the payments of every workspace, for staff.

pub mod auth;
pub mod error;
