//! A simulated world of subscription billing: a seed decides what customers ask, what the gateway
//! answers, when the process ends, and how time passes; what the books say is checked at every step.
//!
//! [`workload`] invents requests, [`world`] carries them out and crashes, [`auditor`] predicts what the
//! books must say, [`checks`] watches what must always hold, and [`life`] brings them together.

pub mod acquirer;
pub mod ask;
pub mod auditor;
pub mod checks;
pub mod crash;
pub mod dice;
pub mod life;
pub mod shop;
pub mod workload;
pub mod world;

pub use life::{Failure, Options, Tale, live};

/// Lives through one world on a runtime of its own.
///
/// # Errors
/// What does not hold in it, or that there is no runtime.
pub fn simulate(options: Options) -> Result<(Tale, world::World), Box<Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(live(options)),
        Err(error) => Err(Box::new(Failure {
            options,
            at: billing::timestamp::Timestamp::EPOCH,
            breaches: vec![error.to_string()],
            log: Vec::new(),
        })),
    }
}
