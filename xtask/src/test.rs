//! The one test command: every test of every crate, those that have books once more on PostgreSQL, the
//! numeric billing cases, the simulator on both. Which tests run where follows from the folder they lie in.

use crate::run::{cargo, root, succeeds};
use crate::runner::{Tests, nextest, of_documentation};
use crate::{clients, scenarios, statements, tools};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Tests whose books may be in either database.
const ON_BOTH: &str = "test(/(^|::)on_both::/)";
/// Tests that need a server, or the whole machine.
const NEEDS_A_SERVER: &str = "test(/(^|::)(on_postgres|alone)::/)";
/// The test that looks at what others have executed, after them.
const PARTITIONS: &str = "test(/^on_postgres::partitions::/)";
/// Those that are run through a pooler too.
const THROUGH_POOLER: &str =
    "package(engine) & test(/(^|::)on_both::/) | package(store) & test(/::processes::/)";

const SEEDS_ON_POSTGRES: u32 = 6;

/// How many worlds are simulated, and for how many years each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worlds {
    pub(crate) seeds: u32,
    pub(crate) years: u32,
}

/// Runs everything, goes on after failures, and closes with one line that counts.
pub(crate) fn run(worlds: Worlds) -> ExitCode {
    if !(tools::has_c_compiler() && tools::has_nextest()) {
        return ExitCode::FAILURE;
    }
    let Some(server) = tools::postgres() else { return ExitCode::FAILURE };
    let address = server.address();
    let [noted, noted_again] = ["", "-again"].map(|which| {
        std::env::temp_dir().join(format!("quittance-statements{which}-{}", std::process::id()))
    });
    let mut tests = every_test(&address, [&noted, &noted_again]);
    tests.add(of_documentation());
    println!("== Whether every statement was executed on both databases");
    let noted = [noted, noted_again];
    let statements_pass = statements::all_were_executed(&noted);
    // What is left of them lies among temporary files.
    let _ = noted.map(std::fs::remove_file);
    let cases_pass = numeric_cases();
    println!("== The published clients of contract 002, on a file and on PostgreSQL");
    let clients_pass = clients::run(&address);
    let seeds_pass = simulate(worlds, None);
    println!("== Simulator on PostgreSQL with 8 shards");
    let seeds_pass = simulate(Worlds { seeds: SEEDS_ON_POSTGRES, years: 1 }, Some(&address)) && seeds_pass;
    let parts = [
        ("statements", statements_pass),
        ("billing cases", cases_pass),
        ("published clients", clients_pass),
        ("simulator", seeds_pass),
    ];
    close(&tests, &parts)
}

/// Runs what needs no server: tests on SQLite and a handful of worlds.
pub(crate) fn run_quick(worlds: Worlds) -> ExitCode {
    if !(tools::has_c_compiler() && tools::has_nextest()) {
        return ExitCode::FAILURE;
    }
    println!("== Tests that need no server");
    let tests = nextest(&format!("not {NEEDS_A_SERVER}"), &[]);
    let parts = [("billing cases", numeric_cases()), ("simulator", simulate(worlds, None))];
    close(&tests, &parts)
}

/// The tests of all crates, in every place in which they can be run; notes the statements that they
/// execute in two files.
fn every_test(address: &str, [noted, noted_again]: [&PathBuf; 2]) -> Tests {
    let noted = noted.display().to_string();
    let noted_again = noted_again.display().to_string();
    let on_server = (testbed::VARIABLE, address);
    println!("== Tests of all crates");
    let here = [(testbed::SERVER_VARIABLE, address), (testbed::STATEMENTS_VARIABLE, &noted)];
    let mut tests = nextest(&format!("not {PARTITIONS}"), &here);
    println!("== Tests that have books, on PostgreSQL");
    tests.add(nextest(ON_BOTH, &[on_server, (testbed::STATEMENTS_VARIABLE, &noted_again)]));
    println!("== Whether what they executed looks into one partition");
    tests.add(nextest(PARTITIONS, &[on_server, (testbed::STATEMENTS_ELSEWHERE_VARIABLE, &noted_again)]));
    println!("== The same with 8 shards, on tables that are cut into 8 partitions");
    let apart = [on_server, (testbed::PARTITIONS_VARIABLE, "8"), (testbed::SHARDS_VARIABLE, "8")];
    tests.add(nextest(ON_BOTH, &apart));
    println!("== Use cases on PostgreSQL through PgBouncer, which keeps nothing between two transactions");
    tests.add(nextest(THROUGH_POOLER, &[on_server, (testbed::POOLER_VARIABLE, "1")]));
    // What one of these runs leaves out another has run.
    Tests { skipped: 0, ..tests }
}

fn numeric_cases() -> bool {
    println!("== Numeric billing cases");
    let cases = root().join("crates/scenarios/scenarios.json");
    scenarios::run(&cases) == ExitCode::SUCCESS
}

fn simulate(worlds: Worlds, database: Option<&str>) -> bool {
    println!("== Simulator: {} fresh seeds, {} years each", worlds.seeds, worlds.years);
    // With the features of the whole workspace, so that nothing is built again for it alone.
    let built = cargo(&["build", "--quiet", "--workspace", "--bins"]).status();
    let Ok(own) = std::env::current_exe() else { return false };
    if !succeeds("cargo build", built) {
        return false;
    }
    let mut command = Command::new(own.with_file_name("simulator"));
    // A seed that fails is printed with the command that plays it again.
    command.args(["--seeds", &worlds.seeds.to_string(), "--years", &worlds.years.to_string()]);
    if let Some(address) = database {
        command.env(testbed::VARIABLE, address).env(testbed::SHARDS_VARIABLE, "8");
    }
    succeeds("the simulator", command.current_dir(root()).status())
}

/// Says how each part came out, and in the last line how many tests.
fn close(tests: &Tests, parts: &[(&str, bool)]) -> ExitCode {
    let told = |good: bool| if good { "ok" } else { "FAILED" };
    let shown: Vec<String> = parts.iter().map(|(name, good)| format!("{name} {}", told(*good))).collect();
    println!("== {}", shown.join("; "));
    println!("{} passed, {} failed, {} skipped", tests.passed, tests.failed, tests.skipped);
    let all_pass = tests.good && parts.iter().all(|(_, good)| *good);
    if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
