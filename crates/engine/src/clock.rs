//! The clock of test books.

use crate::due::Done;
use crate::engine::{Engine, Fut};
use crate::load;
use billing::changes::Changes;
use billing::environment::Environment;
use billing::id::Request;
use billing::refusal::{Field, Refusal};
use billing::timestamp::Timestamp;

impl Engine {
    /// Moves the clock of test books forward, stopping wherever something falls due, so that every
    /// step is taken at its own time. What is due but cannot be done does not hold the clock.
    ///
    /// # Errors
    /// If the environment has no clock of its own or the time is before it, also because another process has
    /// moved it on meanwhile.
    pub fn advance_clock(&self, environment: i64, to: Timestamp) -> Fut<'_, Done> {
        Box::pin(async move {
            let turn = self.running.of(environment);
            let _one_at_a_time = turn.lock().await;
            let mut done = Done::default();
            loop {
                // Read at each step: another process may move the same clock.
                let Some(clock) = self.environment(environment).await?.clock else {
                    let problem = "only test books have a clock that can be moved";
                    return Err(Refusal::State(problem.into()).into());
                };
                if to < clock {
                    let wanted = format!("an instant that is not before {clock}");
                    return Err(Refusal::invalid(Field::ClockTime, wanted).into());
                }
                done.add(self.run_due_unlocked(environment, clock).await?);
                if clock == to {
                    return Ok(done);
                }
                let due = self.next_due(environment, clock).await?;
                let next = due.map_or(to, |due| due.min(to));
                match self.set_clock(environment, next).await {
                    Err(error) if error.is_conflict() => {}
                    set => set?,
                }
            }
        })
    }

    /// As [`Engine::advance_clock`], for a request that may be repeated: its key is kept when all is done,
    /// for what is done lies in many commits, each of which may be made again.
    ///
    /// # Errors
    /// As it, and if the request's key is kept already.
    pub fn advance_clock_for(
        &self,
        environment: i64,
        to: Timestamp,
        request: Option<Request>,
    ) -> Fut<'_, Done> {
        Box::pin(async move {
            let done = self.advance_clock(environment, to).await?;
            if let Some(request) = request {
                self.keep_request(request).await?;
            }
            Ok(done)
        })
    }

    /// Sets the clock of an environment, and makes one whose clock was the real one test books.
    ///
    /// # Errors
    /// A conflict if the clock is past that, and if the store fails.
    pub fn set_clock(&self, environment: i64, to: Timestamp) -> Fut<'_, ()> {
        Box::pin(async move {
            let rules =
                self.store.read(move |s| Box::pin(async move { load::rules(s, environment).await })).await?;
            let before = rules.environment;
            let after = Environment { clock: Some(to), ..before.clone() };
            let mut changes = Changes::default();
            changes.update(before, after);
            self.store.commit(changes).await?;
            Ok(())
        })
    }
}
