//! The program. Only this file reads the clock and the system's randomness; everything else is told.

use clap::Parser;
use server::app::Clock;
use server::cli::{Cli, World, run};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("quittance: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli, world())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quittance: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
fn world() -> World {
    let started = std::time::Instant::now();
    World {
        clock: Clock {
            now: Arc::new(|| {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
                billing::Timestamp::from_micros(micros)
            }),
            since: Arc::new(move || started.elapsed()),
        },
        entropy: Arc::new(|bytes: &mut [u8]| {
            #[expect(clippy::expect_used, reason = "without randomness no secret may be made")]
            getrandom::fill(bytes).expect("the system gives random bytes");
        }),
    }
}
