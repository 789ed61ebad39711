//! The program: it reads the clock and randomness, and hands them on.

use billing::timestamp::Timestamp;
use server::app::Clock;
use server::cli::host::Host;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    server::cli::main(host())
}

/// The only place where the clock and randomness are read.
#[allow(clippy::disallowed_methods)]
fn host() -> Host {
    let started = Instant::now();
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    };
    Host {
        clock: Clock { now: Arc::new(now), since: Arc::new(move || started.elapsed()) },
        entropy: Arc::new(|bytes: &mut [u8]| {
            if let Err(error) = getrandom::fill(bytes) {
                // Nothing safe can be done without randomness.
                eprintln!("quittance: no randomness: {error}");
                std::process::exit(1);
            }
        }),
    }
}
