//! The demo: one organization's trade, built by running the engine through simulated time.
//!
//! Reading order: `plan` and `story`; `cast` and `habits` (who does what), `stage` (each act as a
//! use case), `goods` and `people` (data).

mod cast;
mod chance;
mod goods;
mod habits;
pub mod passes;
mod people;
pub mod plan;
mod script;
mod shop;
mod stage;
pub mod story;
pub mod subjects;
