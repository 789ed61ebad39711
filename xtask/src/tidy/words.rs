//! Words that a folder may not name.

use super::source::Source;

struct Rule {
    folders: &'static [&'static str],
    words: &'static [&'static str],
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        folders: &["crates/billing/src/"],
        words: &[
            "async",
            "await",
            "SystemTime",
            "Instant",
            "f32",
            "f64",
            "HashMap",
            "HashSet",
            "std::env",
            "std::fs",
            "std::net",
            "std::thread",
        ],
        because: "the domain is pure, deterministic and exact",
    },
    Rule {
        folders: &["crates/store/src/", "crates/gateway/src/", "crates/engine/src/"],
        words: &["axum", "hyper", "http", "serde", "serde_json", "json", "html", "f32", "f64"],
        because: "only the server knows HTTP, JSON and HTML, and money is never a float",
    },
    Rule {
        folders: &["crates/billing/", "crates/store/", "crates/gateway/", "crates/engine/", "crates/server/"],
        words: &["todo", "unimplemented", "dbg", "ignore"],
        because: "nothing is left for later, and no test is passed over",
    },
    Rule {
        folders: &[
            "crates/billing/tests/",
            "crates/store/tests/",
            "crates/engine/tests/",
            "crates/server/tests/",
        ],
        words: &["sleep"],
        because: "a test waits for an event, never for time",
    },
];

/// Macros and attributes are told by what stands around the word.
fn is_breach(word: &str, before: &str, after: &str) -> bool {
    match word {
        "todo" | "unimplemented" | "dbg" => after.starts_with('!'),
        "ignore" => before.ends_with("#["),
        _ => true,
    }
}

const BANNED_FILE_NAMES: &[&str] =
    &["common", "utils", "util", "shared", "core", "helpers", "helper", "manager", "service", "dto"];

/// Holds every source to the rules of its folder.
pub(super) fn check(sources: &[Source], breaches: &mut Vec<String>) {
    for source in sources {
        for rule in RULES {
            if rule.folders.iter().any(|folder| source.path.starts_with(folder)) {
                check_rule(source, rule, breaches);
            }
        }
        check_faces(source, breaches);
        check_sql(source, breaches);
        check_head(source, breaches);
    }
}

fn check_rule(source: &Source, rule: &Rule, breaches: &mut Vec<String>) {
    for (number, line) in (1..).zip(source.code.lines()) {
        for word in rule.words {
            if names(line, word).any(|at| is_breach(word, &line[..at], &line[at + word.len()..])) {
                breaches.push(format!("{}:{number}: names `{word}`: {}", source.path, rule.because));
            }
        }
    }
}

/// Where a line names a word as a whole.
fn names<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !line[..*at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

const FACES: &[&str] = &["appexperts", "placio", "flowglad", "surecart", "unpod"];

/// No face imports another.
fn check_faces(source: &Source, breaches: &mut Vec<String>) {
    let Some(inside) = source.path.strip_prefix("crates/server/src/faces/") else { return };
    let Some(own) = FACES.iter().find(|face| inside.strip_prefix(**face).is_some_and(is_inside)) else {
        return;
    };
    for (number, line) in (1..).zip(source.code.lines()) {
        for other in FACES.iter().filter(|face| *face != own) {
            if names(line, other).next().is_some() {
                breaches.push(format!("{}:{number}: names the face `{other}`", source.path));
            }
        }
    }
}

fn is_inside(rest: &str) -> bool {
    rest.starts_with('/') || rest == ".rs"
}

/// Statements live in the store.
fn check_sql(source: &Source, breaches: &mut Vec<String>) {
    let may_write_sql = ["crates/store/", "crates/testbed/", "bench/", "xtask/"];
    if source.is_test() || may_write_sql.iter().any(|folder| source.path.starts_with(folder)) {
        return;
    }
    for literal in &source.strings {
        let text = literal.trim_start().to_ascii_lowercase();
        let is_sql = (text.starts_with("select ") && text.contains(" from "))
            || text.starts_with("insert into ")
            || text.starts_with("delete from ")
            || (text.starts_with("update ") && text.contains(" set "));
        if is_sql {
            breaches.push(format!("{}: holds SQL: {literal}", source.path));
        }
    }
}

fn check_head(source: &Source, breaches: &mut Vec<String>) {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let stem = name.trim_end_matches(".rs");
    if matches!(name, "lib.rs" | "main.rs") && !source.text.starts_with("//!") {
        breaches.push(format!("{}: does not begin with what it is (`//!`)", source.path));
    }
    let folder_is_banned = source.path.split('/').any(|part| BANNED_FILE_NAMES.contains(&part));
    if BANNED_FILE_NAMES.contains(&stem) || folder_is_banned {
        breaches.push(format!("{}: a name that says nothing", source.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(path: &str, text: &str) -> Vec<String> {
        let mut breaches = Vec::new();
        check(&[Source::new(path.to_owned(), text.to_owned())], &mut breaches);
        breaches
    }

    #[test]
    fn a_forbidden_word_is_told_with_its_line() {
        let found = breaches_of("crates/billing/src/money.rs", "//! f64\nfn a() -> f64 { 0.0 }");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/billing/src/money.rs:2: names `f64`"), "{found:?}");
        assert!(breaches_of("crates/billing/src/money.rs", "let not_f64_x = 1;").is_empty());
    }

    #[test]
    fn what_is_left_for_later_is_told() {
        assert_eq!(breaches_of("crates/engine/src/due.rs", "fn a() { todo!() }").len(), 1);
        assert_eq!(breaches_of("crates/engine/tests/a.rs", "#[ignore = \"slow\"]").len(), 1);
        assert!(breaches_of("crates/engine/src/due.rs", "let todo = ignore;").is_empty());
    }

    #[test]
    fn faces_and_statements_keep_to_themselves() {
        let path = "crates/server/src/faces/placio/payments.rs";
        assert_eq!(breaches_of(path, "use super::super::unpod::page;").len(), 1);
        assert!(breaches_of(path, "use crate::faces::placio::page;").is_empty());
        assert_eq!(breaches_of(path, "let a = \"select a from b\";").len(), 1);
        assert!(breaches_of("crates/store/src/a.rs", "let a = \"select a from b\";").is_empty());
    }
}
