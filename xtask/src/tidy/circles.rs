//! No circles: what a file of a crate uses must not use that file again, by whatever way.

use super::modules::Crate;
use super::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Files that may use each other, and why.
const ACCEPTED: &[(&[&str], &str)] = &[];

/// Holds the files of every crate to it.
pub(super) fn check(sources: &[Source], breaches: &mut Vec<String>) {
    for folder in folders(sources) {
        let Some(krate) = Crate::of(folder, sources) else { continue };
        let uses = krate.uses();
        for circle in circles(&uses) {
            let is_accepted =
                ACCEPTED.iter().any(|(files, _)| circle.iter().all(|file| files.contains(file)));
            if !is_accepted {
                breaches.push(describe(folder, &circle, &uses));
            }
        }
    }
}

/// The folders of sources, with a `/` at their end.
fn folders(sources: &[Source]) -> BTreeSet<&str> {
    sources.iter().filter_map(|source| source.path.find("/src/").map(|at| &source.path[..at + 5])).collect()
}

/// The sets of files of which each one leads to all others.
fn circles<'s>(uses: &BTreeMap<(&'s str, &'s str), String>) -> Vec<BTreeSet<&'s str>> {
    let mut all: BTreeSet<&str> = uses.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let mut found = Vec::new();
    while let Some(file) = all.pop_first() {
        let ahead =
            reached(file, |step| uses.keys().filter(move |(from, _)| *from == step).map(|(_, to)| *to));
        let behind =
            reached(file, |step| uses.keys().filter(move |(_, to)| *to == step).map(|(from, _)| *from));
        let mut circle: BTreeSet<&str> = ahead.intersection(&behind).copied().collect();
        circle.insert(file);
        all.retain(|other| !circle.contains(other));
        if circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

/// All files that steps lead to from one.
fn reached<'s, Steps: Iterator<Item = &'s str>>(
    file: &'s str,
    steps: impl Fn(&'s str) -> Steps,
) -> BTreeSet<&'s str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(next) = open.pop() {
        open.extend(steps(next).filter(|to| reached.insert(*to)));
    }
    reached
}

/// The files of a circle, and one path for every pair of them.
fn describe(folder: &str, circle: &BTreeSet<&str>, uses: &BTreeMap<(&str, &str), String>) -> String {
    let short = |file: &str| file.strip_prefix(folder).unwrap_or(file).to_owned();
    let files: Vec<String> = circle.iter().map(|file| short(file)).collect();
    let mut text =
        format!("{folder}: {} files use each other in a circle: {}", files.len(), files.join(", "));
    for ((from, to), path) in
        uses.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to))
    {
        text.push_str(&format!("\n    {} → {}  by {path}", short(from), short(to)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source::new(format!("crates/a/src/{path}"), (*text).to_owned()))
            .collect();
        let mut breaches = Vec::new();
        check(&sources, &mut breaches);
        breaches
    }

    #[test]
    fn a_circle_is_told_with_its_files_and_paths() {
        let found = breaches_of(&[
            ("lib.rs", "mod one; mod two; mod three;"),
            ("one.rs", "use crate::two::Two; pub struct One;"),
            ("two.rs", "use super::three::{self, Three as Other}; pub struct Two;"),
            ("three.rs", "pub struct Three; fn f() { crate::one::One; }"),
            ("four.rs", "use crate::one::One;"),
        ]);
        let wanted = "crates/a/src/: 3 files use each other in a circle: one.rs, three.rs, two.rs\n    \
                      one.rs → two.rs  by crate::two::Two\n    \
                      three.rs → one.rs  by crate::one::One\n    \
                      two.rs → three.rs  by super::three::Three";
        assert_eq!(found, [wanted]);
    }

    #[test]
    fn a_roof_hides_no_circle_and_makes_none() {
        let hidden = breaches_of(&[
            ("lib.rs", "mod one; mod two; pub use one::One; pub use two::*;"),
            ("one.rs", "use crate::Two; pub struct One;"),
            ("two.rs", "use crate::One; pub struct Two;"),
        ]);
        assert_eq!(hidden.len(), 1, "{hidden:?}");
        assert!(hidden[0].contains("2 files"), "{hidden:?}");
        let none = breaches_of(&[
            ("lib.rs", "mod one; mod two; pub use one::One; pub use two::Two;"),
            ("one.rs", "use crate::Two; pub struct One;"),
            ("two.rs", "pub struct Two;"),
        ]);
        assert_eq!(none, [""; 0]);
    }

    #[test]
    fn a_child_that_needs_its_parent_while_that_needs_it_is_a_circle() {
        let parent = ("lib.rs", "mod one;");
        let child = ("one/two.rs", "use super::One; pub fn two(_: One) {}");
        let calling = ("one/mod.rs", "mod two; pub struct One; fn f() { two::two(One) }");
        assert_eq!(breaches_of(&[parent, child, calling]).len(), 1);
        let declaring = ("one/mod.rs", "mod two; pub struct One;");
        assert_eq!(breaches_of(&[parent, child, declaring]), [""; 0]);
    }

    #[test]
    fn tests_and_the_names_of_modules_are_no_use() {
        let found = breaches_of(&[
            ("lib.rs", "mod one; mod two;"),
            ("one.rs", "use crate::two; pub(in crate::two) struct One;"),
            ("two.rs", "use crate::one::One; #[cfg(test)] mod tests { use crate::one::f; fn g() {} }"),
        ]);
        assert_eq!(found, [""; 0]);
        let through_the_name = breaches_of(&[
            ("lib.rs", "mod one; mod two;"),
            ("one.rs", "use crate::two; pub struct One(two::Two);"),
            ("two.rs", "use crate::one::One; pub struct Two;"),
        ]);
        assert_eq!(through_the_name.len(), 1);
    }
}
