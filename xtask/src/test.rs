//! The one test command: every test of every crate, those that have books once more on PostgreSQL, the
//! numeric billing cases, the simulator on both.

use crate::run::{cargo, root, succeeds};
use crate::{clients, scenarios, statements};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, ExitCode, Stdio};

/// Runs everything, goes on after failures, and closes with one line that counts.
pub(crate) fn run(seeds: u32, years: u32) -> ExitCode {
    if !has_c_compiler() {
        eprintln!("A C compiler is needed to build SQLite: install gcc or clang (or set CC).");
        return ExitCode::FAILURE;
    }
    let Some(server) = postgres() else { return ExitCode::FAILURE };
    let address = server.address();
    println!("== Tests of all crates, with their examples in the documentation");
    let [noted, noted_again] = ["", "-again"].map(|which| {
        std::env::temp_dir().join(format!("quittance-statements{which}-{}", std::process::id()))
    });
    let mut first = cargo(&["test", "--workspace", "--no-fail-fast"]);
    first.env(testbed::STATEMENTS_VARIABLE, &noted);
    let mut tests = cargo_test(&mut first);
    println!("== Tests that have books, on PostgreSQL");
    let mut again = on_postgres(&address, &[USE_CASES, FACES].concat());
    again.env(testbed::STATEMENTS_VARIABLE, &noted_again);
    tests.add(cargo_test(&mut again));
    println!("== Whether what they executed looks into one partition");
    let mut looks = on_postgres(&address, &["partitions"]);
    tests.add(cargo_test(looks.env(testbed::STATEMENTS_ELSEWHERE_VARIABLE, &noted_again)));
    println!("== The same with 8 shards, on tables that are cut into 8 partitions");
    let mut apart = on_postgres(&address, &[USE_CASES, FACES].concat());
    apart.env(testbed::PARTITIONS_VARIABLE, "8").env(testbed::SHARDS_VARIABLE, "8");
    tests.add(cargo_test(&mut apart));
    println!("== Use cases on PostgreSQL through PgBouncer, which keeps nothing between two transactions");
    let mut pooled = on_postgres(&address, THROUGH_POOLER);
    tests.add(cargo_test(pooled.env(testbed::POOLER_VARIABLE, "1")));
    println!("== Whether every statement was executed on both databases");
    let noted = [noted, noted_again];
    let statements_pass = statements::all_were_executed(&noted);
    // What is left of them lies among temporary files.
    let _ = noted.map(std::fs::remove_file);
    println!("== Numeric billing cases");
    let cases_pass = scenarios::run(&root().join("crates/scenarios/scenarios.json")) == ExitCode::SUCCESS;
    println!("== The published clients of contract 002, on a file and on PostgreSQL");
    let clients_pass = clients::run(&address);
    println!("== Simulator: {seeds} fresh seeds, {years} years each");
    let seeds_pass = simulate(seeds, years, None);
    println!("== Simulator on PostgreSQL with 8 shards: {SEEDS_ON_POSTGRES} fresh seeds, one year each");
    let seeds_pass = simulate(SEEDS_ON_POSTGRES, 1, Some(&address)) && seeds_pass;
    let told = |good: bool| if good { "ok" } else { "FAILED" };
    println!(
        "== {} tests passed, {} failed, {} ignored; statements {}; billing cases {}; published clients {}; \
         {seeds} simulator seeds {}",
        tests.passed,
        tests.failed,
        tests.ignored,
        told(statements_pass),
        told(cases_pass),
        told(clients_pass),
        told(seeds_pass),
    );
    let all_pass = tests.good && statements_pass && cases_pass && clients_pass && seeds_pass;
    if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The tests of use cases whose books may be in either database.
const USE_CASES: &[&str] = &[
    "auditing",
    "bringing_back",
    "changing",
    "collecting",
    "conflicts",
    "correcting",
    "dunning",
    "falling_due",
    "settings",
    "stepping",
    "subscribing",
    "wall",
];
/// Those of faces, of the demo, of the program itself and of simulated worlds.
const FACES: &[&str] = &["commands", "demo", "faces", "faces_agree", "moving_books", "program", "seeds"];
/// Those that are run through a pooler too.
const THROUGH_POOLER: &[&str] = &["changing", "collecting", "conflicts", "postgres", "stepping"];
const SEEDS_ON_POSTGRES: u32 = 6;

/// The tests that have books, to be run on a server.
fn on_postgres(address: &str, tests: &[&str]) -> Command {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.args(tests.iter().flat_map(|name| ["--test", name])).env(testbed::VARIABLE, address);
    command
}

/// A server for the tests, with the programs that they start installed where they can be.
pub(crate) fn postgres() -> Option<testbed::Server> {
    let cluster = testbed::Cluster::missing().into_iter();
    let missing: Vec<&str> =
        cluster.chain(testbed::Pooler::program().err()).map(|missing| missing.0).collect();
    if !missing.is_empty() {
        println!("== Installing what tests need: apt-get install {}", missing.join(" "));
        let _quiet = NoServices::now();
        let update = Command::new("apt-get").args(["update", "-qq"]).status();
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing);
        let installed = install.env("DEBIAN_FRONTEND", "noninteractive").status();
        if !(succeeds("apt-get update", update) && succeeds("apt-get install", installed)) {
            return None;
        }
    }
    testbed::Server::start().map_err(|missing| eprintln!("{missing}")).ok()
}

/// Keeps packages from starting what is in them, while they are installed: tests start servers of their
/// own. Where the machine says already what may start, that is left alone.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn now() -> NoServices {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(NoServices::POLICY);
        let written = file.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
        NoServices { is_ours: written.is_ok() }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = std::fs::remove_file(NoServices::POLICY)
        {
            eprintln!("{} is left: {error}", NoServices::POLICY);
        }
    }
}

fn has_c_compiler() -> bool {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    // `CC` may carry arguments; whether they fit is for the build to say.
    let program = compiler.split_whitespace().next().unwrap_or("cc");
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

#[derive(Default)]
struct Tests {
    good: bool,
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Runs `cargo test`, shows what it prints, and sums up its closing lines.
fn cargo_test(command: &mut Command) -> Tests {
    let mut tests = Tests::default();
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cargo test could not be run: {error}");
            return tests;
        }
    };
    if let Some(output) = child.stdout.take() {
        let mut shown = std::io::stdout().lock();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // A reader who has gone away is no reason to stop testing.
            let _ = writeln!(shown, "{line}");
            tests.count(&line);
        }
    }
    tests.good = succeeds("cargo test", child.wait());
    tests
}

impl Tests {
    fn add(&mut self, other: Tests) {
        self.good &= other.good;
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Adds what a line like `test result: ok. 12 passed; 0 failed; 0 ignored; …` counts.
    fn count(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let words: Vec<&str> = counts.split([' ', ';', '.']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(n) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += n,
                "failed" => self.failed += n,
                "ignored" => self.ignored += n,
                _ => {}
            }
        }
    }
}

fn simulate(seeds: u32, years: u32, database: Option<&str>) -> bool {
    let (seeds, years) = (seeds.to_string(), years.to_string());
    let mut command = cargo(&["run", "--quiet", "--release", "--package", "simulator", "--"]);
    // A seed that fails is printed with the command that plays it again.
    command.args(["--seeds", &seeds, "--years", &years]);
    if let Some(address) = database {
        command.env(testbed::VARIABLE, address).env(testbed::SHARDS_VARIABLE, "8");
    }
    succeeds("the simulator", command.status())
}

#[cfg(test)]
mod tests {
    use super::{FACES, Tests, USE_CASES};
    use crate::run::root;
    use crate::tidy::Source;
    use std::collections::BTreeSet;

    /// What opens books on the database of the tests.
    const ON_EITHER: [&str; 5] =
        ["Books::new()", "World::new(", "House::new()", "DemoServer::new(", "simulate("];

    #[test]
    fn every_test_that_may_run_on_both_databases_does() {
        let sources = Source::all(&root()).unwrap();
        let mut found = BTreeSet::new();
        for source in sources {
            let Some((_, file)) = source.path.split_once("/tests/") else { continue };
            // What several tests share is a folder with a mod.rs only, and belongs to those who use it.
            if source.path.starts_with("crates/")
                && !file.ends_with("/mod.rs")
                && ON_EITHER.iter().any(|word| source.text.contains(word))
            {
                found.insert(file.split(['/', '.']).next().unwrap().to_owned());
            }
        }
        let listed: BTreeSet<String> = [USE_CASES, FACES].concat().into_iter().map(str::to_owned).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn closing_lines_are_summed_up() {
        let mut tests = Tests::default();
        tests.count(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.05s",
        );
        tests.count("test billing::adds ... ok");
        tests.count("test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.05s");
        assert_eq!((tests.passed, tests.failed, tests.ignored), (17, 2, 1));
    }
}
