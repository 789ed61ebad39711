//! What is noted for those who watch statements.

/// The target of an event for each statement that a connection prepares.
pub const STATEMENTS: &str = "store::statements";
