//! The program: it reads the clock, randomness and the arguments, and hands them on.

use billing::Timestamp;
use clap::Parser;
use server::app::Clock;
use server::cli::{Cli, World, run};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(server::serve::worker_threads(cli.database()))
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("quittance: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli, world())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quittance: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The only place where the clock and randomness are read.
#[allow(clippy::disallowed_methods)]
fn world() -> World {
    let started = Instant::now();
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    };
    World {
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
