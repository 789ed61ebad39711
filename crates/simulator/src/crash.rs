//! Crashes of the store: planned for one commit of one operation.

use std::sync::{Mutex, MutexGuard, PoisonError};
use store::{FaultPoint, Faults};

/// Where the store will crash.
#[derive(Debug, Default)]
pub struct Crashes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    planned: Option<(FaultPoint, u32)>,
    has_struck: bool,
}

impl Crashes {
    /// Plans a crash at the n-th commit from now, counted from 0; none takes a plan back.
    pub fn plan(&self, planned: Option<(FaultPoint, u32)>) {
        *self.lock() = State { planned, has_struck: false };
    }

    /// Whether the planned crash has struck.
    pub fn has_struck(&self) -> bool {
        self.lock().has_struck
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults for Crashes {
    fn at(&self, point: FaultPoint) -> bool {
        let mut state = self.lock();
        match &mut state.planned {
            Some((planned, left)) if *planned == point && *left == 0 => {
                state.planned = None;
                state.has_struck = true;
                true
            }
            Some((planned, left)) if *planned == point => {
                *left -= 1;
                false
            }
            _ => false,
        }
    }
}
