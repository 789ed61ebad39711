//! Pages and answers that belong to no contract.

pub mod operations;
