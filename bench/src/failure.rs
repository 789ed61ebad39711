//! What anything here may fail with.

/// Any error: whoever measures wants to read it, and nobody acts on it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
