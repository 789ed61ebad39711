//! Files are where they are looked for: each is a part of its crate, and where a test can be run follows
//! from the folder it lies in.

use super::source::Source;
use std::collections::BTreeMap;

/// What opens books on the database of the tests, whichever that is.
const ON_EITHER: &[&str] = &["Books::new()", "World::new(", "House::new()", "DemoServer::new(", "simulate("];
/// What needs a PostgreSQL.
const ON_POSTGRES: &[&str] = &[
    "Books::postgres()",
    "Books::empty()",
    "Books::partitioned(",
    "World::over_a_wire()",
    "Server::start",
    "Cluster::",
];

/// Holds every source to its place.
pub(super) fn check(sources: &[Source], breaches: &mut Vec<String>) {
    let by_path: BTreeMap<&str, &Source> =
        sources.iter().map(|source| (source.path.as_str(), source)).collect();
    for source in sources {
        check_declared(source, &by_path, breaches);
        if let Some((_, place)) = source.path.split_once("/tests/") {
            check_test(source, place, breaches);
        }
    }
}

/// A file that no other declares is not compiled, and what it tests is not tested.
fn check_declared(source: &Source, by_path: &BTreeMap<&str, &Source>, breaches: &mut Vec<String>) {
    let path = source.path.strip_suffix("/mod.rs").or_else(|| source.path.strip_suffix(".rs"));
    let Some((folder, name)) = path.and_then(|path| path.rsplit_once('/')) else { return };
    if matches!(name, "lib" | "main" | "build") {
        return;
    }
    let declared = format!("mod {name};");
    let parents = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"].map(|end| format!("{folder}{end}"));
    let is_declared = parents.iter().filter_map(|parent| by_path.get(parent.as_str())).any(|parent| {
        let mut lines = parent.code.lines();
        lines.any(|line| line.ends_with(&declared) && !line[..line.len() - declared.len()].ends_with('_'))
    });
    if !is_declared {
        breaches.push(format!("{}: nothing says `{declared}`, so it is not compiled", source.path));
    }
}

/// The tests of a crate are one program, `tests/it/main.rs`; folders in it say what a test needs.
fn check_test(source: &Source, place: &str, breaches: &mut Vec<String>) {
    if !place.starts_with("it/") {
        breaches.push(format!(
            "{}: a test program of its own has to be built with all that it uses: make it a module of `tests/it`",
            source.path
        ));
    }
    let lies_in =
        |folders: &[&str]| place.split(['/', '.']).any(|part| part == "fixtures" || folders.contains(&part));
    let names = |words: &'static [&'static str]| words.iter().find(|word| source.code.contains(**word));
    if let Some(word) = names(ON_EITHER).filter(|_| !lies_in(&["on_both"])) {
        breaches.push(format!(
            "{}: `{word}` opens books on either database: it belongs to `on_both`",
            source.path
        ));
    }
    if let Some(word) = names(ON_POSTGRES).filter(|_| !lies_in(&["on_postgres", "alone"])) {
        breaches.push(format!("{}: `{word}` needs PostgreSQL: it belongs to `on_postgres`", source.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(files: &[(&str, &str)]) -> Vec<String> {
        let new = |(path, text): &(&str, &str)| Source::new((*path).to_owned(), (*text).to_owned());
        let sources: Vec<Source> = files.iter().map(new).collect();
        let mut breaches = Vec::new();
        check(&sources, &mut breaches);
        breaches
    }

    #[test]
    fn a_file_that_is_not_compiled_is_told() {
        let main = ("crates/store/tests/it/main.rs", "mod on_both;\nmod on_tls;\n");
        let folder = ("crates/store/tests/it/on_both/mod.rs", "pub(crate) mod settings;\n");
        let settings = ("crates/store/tests/it/on_both/settings.rs", "");
        assert!(breaches_of(&[main, folder, settings]).is_empty());
        let found = breaches_of(&[main, folder, settings, ("crates/store/tests/it/tls.rs", "")]);
        assert_eq!(found, ["crates/store/tests/it/tls.rs: nothing says `mod tls;`, so it is not compiled"]);
        let lib = ("crates/store/src/lib.rs", "//! mod rows;\n");
        assert_eq!(breaches_of(&[lib, ("crates/store/src/rows.rs", "")]).len(), 1);
        assert!(
            breaches_of(&[
                ("a/src/rows.rs", "mod one;"),
                ("a/src/rows/one.rs", ""),
                ("a/src/lib.rs", "mod rows;")
            ])
            .is_empty()
        );
    }

    #[test]
    fn a_test_lies_where_it_can_be_run() {
        let both = "async fn a() { Books::new().await; }";
        let postgres = "async fn a() { Books::postgres().await; }";
        let told = |folder: &str, text: &str| {
            let (path, parent) = (format!("a/tests/it/{folder}x.rs"), format!("a/tests/it/{folder}main.rs"));
            breaches_of(&[(&path, text), (&parent, "mod x;")]).len()
        };
        assert_eq!((told("", both), told("on_both/", both), told("fixtures/", both)), (1, 0, 0));
        assert_eq!(
            (told("on_both/", postgres), told("on_postgres/", postgres), told("alone/", postgres)),
            (1, 0, 0)
        );
        assert_eq!(told("on_both/on_postgres/", postgres), 0);
        assert_eq!(breaches_of(&[("a/tests/x/main.rs", "")]).len(), 1);
    }
}
