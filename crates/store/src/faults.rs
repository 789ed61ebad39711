//! Places where the simulator can make the store crash.

/// Where a crash can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// Everything is written but not committed: nothing of it is kept.
    BeforeCommit,
    /// Committed and durable, but nobody is told.
    AfterCommit,
}

/// Decides where crashes strike. At either point the callers get `Error::Crashed`.
pub trait Faults: Send + Sync {
    /// Whether to crash here, now.
    fn at(&self, point: FaultPoint) -> bool;
}
