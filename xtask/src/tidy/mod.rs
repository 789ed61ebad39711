//! `cargo xtask tidy`: the rules of the house as a test.

mod circles;
mod documents;
mod features;
mod layers;
mod modules;
mod placement;
mod sizes;
mod source;
mod words;

use crate::run::root;
pub(crate) use source::Source;
use std::path::Path;
use std::process::ExitCode;

/// Prints every breach; fails if there is one.
pub(crate) fn run() -> ExitCode {
    let breaches = breaches(&root());
    for breach in &breaches {
        eprintln!("{breach}");
    }
    match breaches.len() {
        0 => {
            println!("tidy");
            ExitCode::SUCCESS
        }
        n => {
            eprintln!("{n} breaches of the rules of the house");
            ExitCode::FAILURE
        }
    }
}

/// Everything that is against the rules, as `place: what is wrong`.
fn breaches(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    match Source::all(root) {
        Ok(sources) => {
            words::check(&sources, &mut found);
            sizes::check(&sources, &mut found);
            placement::check(&sources, &mut found);
            circles::check(&sources, &mut found);
        }
        Err(error) => found.push(format!("the sources cannot be read: {error}")),
    }
    layers::check(&mut found);
    features::check(&mut found);
    documents::check(root, &mut found);
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let breaches = super::breaches(&crate::run::root());
        assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    }
}
