//! The clock of test books.

use crate::{Done, Engine, Error};
use billing::{Refusal, Timestamp};

impl Engine {
    /// Moves the clock of test books forward, stopping wherever something falls due, so that every
    /// step is taken at its own time.
    ///
    /// # Errors
    /// If the environment has no clock of its own or the time is before it.
    pub async fn advance_clock(&self, environment: i64, to: Timestamp) -> Result<Done, Error> {
        let _one_at_a_time = self.running.lock().await;
        let mut books = self.environment(environment).await?;
        let Some(mut clock) = books.clock else {
            return Err(Refusal::State("only test books have a clock that can be moved".into()).into());
        };
        if to < clock {
            return Err(Refusal::invalid("now", format!("an instant that is not before {clock}")).into());
        }
        let mut done = Done::default();
        while let Some(due) = self.next_due(environment).await?.filter(|due| *due <= to) {
            clock = clock.max(due);
            books.clock = Some(clock);
            self.update_environment(books.clone()).await?;
            let step = self.run_due_unlocked(environment, clock).await?;
            // What is due but cannot be done must not hold the clock.
            if step.is_nothing() {
                break;
            }
            done.add(step);
        }
        self.run_due_unlocked(environment, to).await?;
        books.clock = Some(to);
        self.update_environment(books).await?;
        Ok(done)
    }
}
