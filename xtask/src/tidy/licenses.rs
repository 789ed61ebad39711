//! Whether what is depended on may be: its licences are among those that `deny.toml` allows.

use crate::run::cargo;
use std::collections::BTreeSet;
use std::path::Path;

/// Holds the licences of all dependencies, those of tests too, to the list of `deny.toml`.
pub(super) fn check(root: &Path, breaches: &mut Vec<String>) {
    let allowed = match std::fs::read_to_string(root.join("deny.toml")) {
        Ok(text) => allowed(&text),
        Err(error) => return breaches.push(format!("deny.toml: {error}")),
    };
    match used() {
        Ok(used) => {
            let not_allowed = used.iter().filter(|(_, license)| !is_allowed(license, &allowed));
            breaches.extend(
                not_allowed.map(|(package, license)| format!("{package}: {license:?} is not in deny.toml")),
            );
        }
        Err(error) => breaches.push(format!("cargo tree: {error}")),
    }
}

/// The list of licences that stands in the text of `deny.toml`.
fn allowed(text: &str) -> BTreeSet<String> {
    let list = text.lines().find_map(|line| line.strip_prefix("allow = ["));
    list.unwrap_or_default().split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every package with its licence.
fn used() -> Result<BTreeSet<(String, String)>, String> {
    let format = ["tree", "--workspace", "--offline", "--prefix", "none", "--format", "{p}|{l}"];
    let output = cargo(&format).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    Ok(lines
        .map(|(package, license)| (package.to_owned(), license.trim_end_matches(" (*)").to_owned()))
        .collect())
}

/// Whether an SPDX expression can be fulfilled with licences of the list.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // An old way to say that there is a choice.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut holds = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        holds |= all_of(words, allowed);
    }
    holds
}

fn all_of(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut holds = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        holds &= one(words, allowed);
    }
    holds
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let holds = any_of(words, allowed);
            *words = words.strip_prefix(&[")"]).unwrap_or(words);
            holds
        }
        [license, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(&format!("{license} WITH {exception}"))
        }
        [license, rest @ ..] => {
            *words = rest;
            allowed.contains(*license)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_read_as_it_is_meant() {
        let allowed = allowed("[licenses]\nallow = [\"MIT\", \"ISC\", \"Apache-2.0\"]\n");
        for fine in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR ISC AND MIT", "(GPL-3.0 OR MIT) AND ISC"] {
            assert!(is_allowed(fine, &allowed), "{fine}");
        }
        let others = [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "MIT AND (GPL-3.0 OR BSD-3-Clause)",
            "Apache-2.0 WITH LLVM-exception",
        ];
        for other in others {
            assert!(!is_allowed(other, &allowed), "{other}");
        }
    }
}
