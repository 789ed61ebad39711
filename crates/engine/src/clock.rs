//! The clock of test books.

use crate::{Done, Engine, Error};
use billing::{Change, Changes, Refusal, Timestamp};

impl Engine {
    /// Moves the clock of test books forward, stopping wherever something falls due, so that every
    /// step is taken at its own time. What is due but cannot be done does not hold the clock.
    ///
    /// # Errors
    /// If the environment has no clock of its own or the time is before it.
    pub async fn advance_clock(&self, environment: i64, to: Timestamp) -> Result<Done, Error> {
        let turn = self.running.of(environment);
        let _one_at_a_time = turn.lock().await;
        let Some(mut clock) = self.environment(environment).await?.clock else {
            return Err(Refusal::State("only test books have a clock that can be moved".into()).into());
        };
        if to < clock {
            return Err(Refusal::invalid("now", format!("an instant that is not before {clock}")).into());
        }
        let mut done = self.run_due_unlocked(environment, clock).await?;
        while clock < to {
            let due = self.next_due(environment, clock).await?;
            clock = due.map_or(to, |due| due.min(to));
            self.set_clock(environment, clock).await?;
            done.add(self.run_due_unlocked(environment, clock).await?);
        }
        Ok(done)
    }

    /// Sets the clock of an environment, and makes one whose clock was the real one test books.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_clock(&self, environment: i64, to: Timestamp) -> Result<(), Error> {
        let mut changes = Changes::default();
        changes.push(Change::SetClock(environment, to));
        self.store.commit(changes).await?;
        Ok(())
    }
}
