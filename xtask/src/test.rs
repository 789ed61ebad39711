//! The one test command: every test of every crate, the numeric billing cases, the simulator.

use crate::run::{cargo, root, succeeds};
use crate::scenarios;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

/// Runs everything, goes on after failures, and closes with one line that counts.
pub(crate) fn run(seeds: u32, years: u32) -> ExitCode {
    if !has_c_compiler() {
        eprintln!("A C compiler is needed to build SQLite: install gcc or clang (or set CC).");
        return ExitCode::FAILURE;
    }
    println!("== Tests of all crates, with their examples in the documentation");
    let tests = cargo_test();
    println!("== Numeric billing cases");
    let cases = root().join("crates/billing/tests/scenarios/scenarios.json");
    let cases_pass = scenarios::run(&cases) == ExitCode::SUCCESS;
    println!("== Simulator: {seeds} fresh seeds, {years} years each");
    let seeds_pass = simulate(seeds, years);
    let told = |good: bool| if good { "ok" } else { "FAILED" };
    println!(
        "== {} tests passed, {} failed, {} ignored; billing cases {}; {seeds} simulator seeds {}",
        tests.passed,
        tests.failed,
        tests.ignored,
        told(cases_pass),
        told(seeds_pass),
    );
    if tests.good && cases_pass && seeds_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
fn cargo_test() -> Tests {
    let mut tests = Tests::default();
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
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

fn simulate(seeds: u32, years: u32) -> bool {
    let (seeds, years) = (seeds.to_string(), years.to_string());
    let mut command = cargo(&["run", "--quiet", "--release", "--package", "simulator", "--"]);
    // A seed that fails is printed with the command that plays it again.
    command.args(["--seeds", &seeds, "--years", &years]);
    succeeds("the simulator", command.status())
}

#[cfg(test)]
mod tests {
    use super::Tests;

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
