//! Writes that may be repeated: the same `Idempotency-Key` and the same request give the same answer.
//!
//! The key stands in the commit of the effect, so that no crash can part them. The answer is kept in
//! memory until a second, small write has it; should a crash lose it, it is rendered again from what
//! the request made. A request that was refused has no effect and keeps no key.

pub mod answer;
pub mod error;
pub mod registry;
pub mod request;
pub mod run_once;
