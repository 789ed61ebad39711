//! Processor time, told apart by who used it: this process, and the database's.

use crate::report::Taken;
use std::time::Instant;

/// What was used until a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    postmaster: Option<u32>,
    start: Instant,
    own: f64,
    database: Option<f64>,
}

impl Meter {
    /// Begins to measure; of the database too, if its first process is known.
    pub(crate) fn begin(postmaster: Option<u32>) -> Meter {
        let database = postmaster.map(family_seconds);
        Meter { postmaster, own: seconds("self"), database, start: Instant::now() }
    }

    /// What so many operations took since it began, one after another or together.
    pub(crate) fn taken(&self, operations: usize) -> Taken {
        let elapsed = self.start.elapsed().as_secs_f64();
        self.cost(Taken { rate: operations as f64 / elapsed, ..Taken::default() }, operations)
    }

    /// Adds what so many operations cost.
    pub(crate) fn cost(&self, taken: Taken, operations: usize) -> Taken {
        let each = |seconds: f64| seconds * 1e6 / operations.max(1) as f64;
        let now = self.postmaster.map(family_seconds);
        let database = now.zip(self.database).map(|(now, before)| each((now - before).max(0.0)));
        Taken { cpu_us: Some(each(seconds("self") - self.own)), database_us: database, ..taken }
    }
}

/// The words of `/proc/PID/stat` after the name, which may hold anything.
fn words(process: &str) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    text.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Hundredths of seconds in some of the words.
fn hundredths(words: &[String], range: std::ops::Range<usize>) -> f64 {
    words.get(range).unwrap_or_default().iter().filter_map(|word| word.parse::<f64>().ok()).sum()
}

/// User and system time of a process; 0 where the system does not tell.
fn seconds(process: &str) -> f64 {
    hundredths(&words(process), 11..13) / 100.0
}

/// The time of PostgreSQL's first process, of all that it has now, and of those that have ended. Looked at
/// again if one has ended meanwhile, which would be counted twice or not at all.
fn family_seconds(postmaster: u32) -> f64 {
    let parent = postmaster.to_string();
    loop {
        let ended = hundredths(&words(&parent), 13..15);
        let living = children(&parent);
        let now = words(&parent);
        if hundredths(&now, 13..15) == ended {
            return (living + hundredths(&now, 11..15)) / 100.0;
        }
    }
}

/// The hundredths of seconds of all processes that a process has.
fn children(parent: &str) -> f64 {
    let mut all = 0.0;
    let Ok(processes) = std::fs::read_dir("/proc") else { return all };
    for process in processes.filter_map(Result::ok) {
        let name = process.file_name();
        let is_number = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
        let Some(name) = name.to_str().filter(is_number) else { continue };
        let words = words(name);
        if words.get(1).is_some_and(|of| of == parent) {
            all += hundredths(&words, 11..13);
        }
    }
    all
}
