//! Documents: links that lead somewhere, migrations in pairs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Holds the documents and migrations to the rules.
pub(super) fn check(root: &Path, breaches: &mut Vec<String>) {
    for path in documents(root) {
        match fs::read_to_string(&path) {
            Ok(text) => check_links(root, &path, &text, breaches),
            Err(error) => breaches.push(format!("{}: {error}", path.display())),
        }
    }
    check_migrations(root, breaches);
}

/// The Markdown files of the root and of `docs`.
fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = [root.to_owned(), root.join("docs")]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.filter_map(Result::ok))
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    found.sort();
    found
}

fn check_links(root: &Path, path: &Path, text: &str, breaches: &mut Vec<String>) {
    let shown = path.strip_prefix(root).unwrap_or(path).display();
    for target in links(text) {
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        if file.contains("://") || file.starts_with("mailto:") {
            continue;
        }
        let to = if file.is_empty() { path.to_owned() } else { path.parent().unwrap_or(root).join(file) };
        if !to.exists() {
            breaches.push(format!("{shown}: the link to {target} leads nowhere"));
        } else if !anchor.is_empty() && to.extension().is_some_and(|extension| extension == "md") {
            let there = fs::read_to_string(&to).unwrap_or_default();
            if !anchors(&there).contains(anchor) {
                breaches.push(format!("{shown}: {target} names a heading that is not there"));
            }
        }
    }
}

/// The targets of `[text](target)`, outside of code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for (number, part) in line.split('`').enumerate() {
            if number % 2 == 0 {
                let targets = part.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
                found.extend(targets.map(|(target, _)| target.split(' ').next().unwrap_or(target)));
            }
        }
    }
    found
}

/// The names under which a document's headings can be linked to.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code || !line.starts_with('#') {
            continue;
        }
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        found.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    found
}

/// Once a second database has migrations, each number and name is there for both.
fn check_migrations(root: &Path, breaches: &mut Vec<String>) {
    let names = |folder: &str| -> BTreeSet<String> {
        fs::read_dir(root.join("migrations").join(folder))
            .map(|entries| {
                entries
                    .filter_map(Result::ok)
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect()
            })
            .unwrap_or_default()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    if sqlite.is_empty() {
        breaches.push("migrations/sqlite: no migrations".to_owned());
    }
    if !postgres.is_empty() {
        for name in sqlite.symmetric_difference(&postgres) {
            breaches.push(format!("migrations: {name} is there for one database only"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_outside_of_code_are_followed() {
        let text = "[a](b.md#c) `[x](y)` and [d](https://e/f)\n```\n[g](h)\n```\n![i](j.png \"title\")";
        assert_eq!(links(text), ["b.md#c", "https://e/f", "j.png"]);
    }

    #[test]
    fn headings_become_anchors() {
        assert!(anchors("# Why SQLite?\n").contains("why-sqlite"));
        assert!(anchors("## `run_due` at 09:00\n").contains("run_due-at-0900"));
    }
}
