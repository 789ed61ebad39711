//! Writes down which statements the tests execute, so that somebody can look whether it was all of them.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, Once};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Names the file to which they are added: database, tab, statement in one line.
pub const VARIABLE: &str = "QUITTANCE_TEST_STATEMENTS";

/// Names such a file, of tests that ran before, to be looked at.
pub const ELSEWHERE_VARIABLE: &str = "QUITTANCE_TEST_STATEMENTS_ELSEWHERE";

/// What was executed by this process: database, tab, statement in one line.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Begins to note, if a file is named.
pub(crate) fn note() {
    if let Ok(path) = std::env::var(VARIABLE) {
        watch(Some(path.as_ref()));
    }
}

/// The statements that this process has executed since this was first asked, those of one database.
pub fn seen(on: &str) -> Vec<String> {
    watch(None);
    let seen = SEEN.lock().unwrap();
    seen.iter().filter_map(|line| line.strip_prefix(on)?.strip_prefix('\t')).map(str::to_owned).collect()
}

/// The statements that other tests have executed on one database, if a file with them is named.
///
/// # Panics
/// If the file cannot be read.
pub fn seen_elsewhere(on: &str) -> Vec<String> {
    let Some(path) = std::env::var_os(ELSEWHERE_VARIABLE) else { return Vec::new() };
    let noted = std::fs::read_to_string(path).unwrap();
    let of_one = noted.lines().filter_map(|line| line.strip_prefix(on)?.strip_prefix('\t'));
    of_one.map(str::to_owned).collect()
}

fn watch(path: Option<&Path>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let file = path.map(|path| OpenOptions::new().create(true).append(true).open(path).unwrap());
        // A test that has a log of its own notes nothing.
        let _ = tracing::subscriber::set_global_default(Notes { file: file.map(Mutex::new) });
    });
}

struct Notes {
    file: Option<Mutex<File>>,
}

#[derive(Default)]
struct Said {
    on: String,
    sql: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "on" => self.on = value.to_owned(),
            "sql" => self.sql = value.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == store::STATEMENTS
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        let line = format!("{}\t{}", said.on, said.sql);
        if SEEN.lock().unwrap().insert(line.clone())
            && let Some(file) = &self.file
        {
            file.lock().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
