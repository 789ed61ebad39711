//! `simulator --seed N --years 5` lives through one world; `--seeds COUNT` through many fresh ones.

use clap::Parser;
use simulator::{Options, Tale, simulate};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Lives through simulated worlds and fails where the books say what they must not.
#[derive(Debug, Parser)]
struct Arguments {
    /// The seed of the first world; a fresh one if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How many worlds: of this seed and the ones that follow it.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many years each world lives.
    #[arg(long, default_value_t = 5)]
    years: i64,
    /// How many customers each world has.
    #[arg(long, default_value_t = 4)]
    customers: usize,
    /// How many lines are told of what happened before a failure.
    #[arg(long, default_value_t = 40)]
    log: usize,
    /// Keeps the books of a world that fails in this file.
    #[arg(long, value_name = "FILE")]
    keep: Option<std::path::PathBuf>,
    /// How many worlds live at a time; as many as there are processors if not given.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let first = arguments.seed.unwrap_or_else(fresh_seed);
    println!("{} worlds of {} years from seed {first}", arguments.seeds, arguments.years);
    let threads = arguments.threads.or_else(|| thread::available_parallelism().ok().map(usize::from));
    let (next, failures) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let total = Mutex::new(Tale::default());
    thread::scope(|scope| {
        for _ in 0..threads.unwrap_or(1).max(1) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let has_failed = failures.lock().is_ok_and(|failures| !failures.is_empty());
                    if n >= arguments.seeds || has_failed {
                        return;
                    }
                    let options = Options {
                        seed: first.wrapping_add(n),
                        years: arguments.years,
                        customers: arguments.customers,
                        log_lines: arguments.log,
                        keep: arguments.keep.clone(),
                    };
                    let outcome = simulate(options);
                    match (outcome, failures.lock(), total.lock()) {
                        (Ok((tale, _)), _, Ok(mut total)) => add(&mut total, tale),
                        (Err(failure), Ok(mut failures), _) => failures.push(failure),
                        _ => return,
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    for failure in &failures {
        println!("{failure}");
    }
    let told = total.into_inner().unwrap_or_default();
    println!("{told:?}");
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn add(total: &mut Tale, tale: Tale) {
    total.steps += tale.steps;
    total.requests += tale.requests;
    total.refusals += tale.refusals;
    total.crashes += tale.crashes;
    total.interruptions += tale.interruptions;
    total.invoices += tale.invoices;
}

/// A seed that nobody chose: the standard library seeds its hashers from the system's entropy.
fn fresh_seed() -> u64 {
    // Short enough to be typed.
    RandomState::new().build_hasher().finish() >> 24
}
