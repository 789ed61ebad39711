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
    // Each test has a process of its own, which notes what others have noted.
    let once: BTreeSet<&str> = noted.lines().collect();
    let of_one = once.into_iter().filter_map(|line| line.strip_prefix(on)?.strip_prefix('\t'));
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
            // One write, so that lines of several processes stay whole.
            file.lock().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What statements on PostgreSQL are noted as that were made of others for many sets of parameters.
pub const OVER_ARRAYS: [&str; 2] = ["postgres over arrays", "postgres written over arrays"];

/// A statement over arrays as it was written for one set.
///
/// # Panics
/// If it was not made of another.
pub fn as_written(sql: &str) -> String {
    let asked = sql.split_once(" cross join lateral (select * from (");
    let written = match asked {
        Some((_, asked)) => asked.strip_suffix(") as one offset 0) as answer").unwrap().to_owned(),
        None => {
            let begin = [" from unnest(", " using unnest("].iter().find_map(|word| sql.find(word)).unwrap();
            let end = begin + sql[begin..].find(") as sets (").unwrap();
            let end = end + 11 + sql[end + 11..].find(')').unwrap();
            match sql.split_once(" select ").filter(|_| sql.starts_with("insert")) {
                Some((into, _)) => format!("{into} values ({})", &sql[into.len() + 8..begin]),
                None => format!("{}{}", &sql[..begin], &sql[end + 1..]),
            }
        }
    };
    written.replace("sets.p", "$")
}

#[cfg(test)]
mod tests {
    use super::as_written;

    #[test]
    fn what_was_made_of_a_statement_leads_back_to_it() {
        for (over, written) in [
            (
                "insert into t (a, b) select sets.p1, 1 from unnest($1) as sets (p1)",
                "insert into t (a, b) values ($1, 1)",
            ),
            (
                "delete from t using unnest($1, $2) as sets (p1, p2) where a = sets.p1 and b = sets.p2",
                "delete from t where a = $1 and b = $2",
            ),
        ] {
            assert_eq!(as_written(over), written);
        }
    }
}
