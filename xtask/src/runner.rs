//! Running tests, and counting how they come out.

use crate::run::{cargo, succeeds};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

/// How tests came out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    /// Whether all of them could be built and run, and none failed.
    pub(crate) good: bool,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tests {
    pub(crate) fn add(&mut self, other: Tests) {
        self.good &= other.good;
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Adds what a closing line counts, which begins with what its writer begins it with: of nextest
    /// `Summary [   1.234s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped`, of the
    /// examples of documentation `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
    fn count(&mut self, line: &str, begin: &str) {
        // What tests have said is shown with more space before it.
        let Some(counts) = line.strip_prefix(begin) else { return };
        let words = counts.split([' ', ',', ';', '.', '(', ')']).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.collect();
        for pair in words.windows(2) {
            let Ok(n) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += n,
                // Of `timed out` and `exec failed`.
                "failed" | "timed" | "exec" => self.failed += n,
                "skipped" | "ignored" => self.skipped += n,
                _ => {}
            }
        }
    }
}

/// How nextest begins its closing line.
const SUMMARY: &str = "     Summary [";
/// How the examples of one crate end.
const RESULT: &str = "test result: ";

/// Runs the tests that a filter of nextest selects, with variables for them.
pub(crate) fn nextest(filter: &str, variables: &[(&str, &str)]) -> Tests {
    let mut command = cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "-E", filter]);
    command.envs(variables.iter().copied());
    // It says everything on standard error.
    let mut child = match command.stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return could_not_be_run(&error),
    };
    let mut tests = child.stderr.take().map(|said| shown(said, SUMMARY)).unwrap_or_default();
    tests.good = succeeds("cargo nextest", child.wait());
    tests
}

/// Runs the examples of the documentation, which nextest does not know.
pub(crate) fn of_documentation() -> Tests {
    println!("== Examples in the documentation");
    let mut command: Command = cargo(&["test", "--quiet", "--workspace", "--doc", "--no-fail-fast"]);
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return could_not_be_run(&error),
    };
    let mut tests = child.stdout.take().map(|said| shown(said, RESULT)).unwrap_or_default();
    tests.good = succeeds("cargo test --doc", child.wait());
    tests
}

fn could_not_be_run(error: &std::io::Error) -> Tests {
    eprintln!("the tests could not be run: {error}");
    Tests::default()
}

/// Shows what is said, and sums up its closing lines.
fn shown(said: impl Read, begin: &str) -> Tests {
    let mut tests = Tests::default();
    let mut shown = std::io::stdout().lock();
    for line in BufReader::new(said).lines().map_while(Result::ok) {
        // A reader who has gone away is no reason to stop testing.
        let _ = writeln!(shown, "{line}");
        tests.count(&line, begin);
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::{RESULT, SUMMARY, Tests};

    fn counted(lines: &[&str], begin: &str) -> (u64, u64, u64) {
        let mut tests = Tests::default();
        lines.iter().for_each(|line| tests.count(line, begin));
        (tests.passed, tests.failed, tests.skipped)
    }

    #[test]
    fn closing_lines_of_nextest_are_summed_up() {
        let lines = [
            "     Summary [   0.012s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped",
            "        PASS [   0.005s] (12/12) billing money::adds",
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 92 filtered out",
            "     Summary [   0.012s] 5/7 tests run: 4 passed, 1 exec failed, 0 skipped",
            "     Summary [   0.012s] 1 test run: 1 passed, 20 skipped",
        ];
        assert_eq!(counted(&lines, SUMMARY), (14, 4, 23));
    }

    #[test]
    fn closing_lines_of_examples_are_summed_up() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.05s",
            "test billing::adds ... ok",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.05s",
        ];
        assert_eq!(counted(&lines, RESULT), (17, 2, 1));
    }
}
