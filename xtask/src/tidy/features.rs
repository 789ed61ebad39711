//! One crate alone is built with the features that the whole workspace has: else all that it depends on is
//! built a second time, whenever somebody changes between the two.

use crate::run::cargo;
use std::collections::BTreeSet;

/// What is built alone often enough.
const ALONE: &[&str] = &["engine", "simulator", "store", "xtask"];

/// Holds crates to the features of the workspace.
pub(super) fn check(breaches: &mut Vec<String>) {
    let together = match features(&["--workspace"]) {
        Ok(together) => together,
        Err(error) => return breaches.push(format!("cargo tree: {error}")),
    };
    for name in ALONE {
        match features(&["--package", name]) {
            Ok(alone) => breaches.extend(alone.difference(&together).map(|package| {
                format!(
                    "{name}: alone it has other features, `{package}`: name those of the workspace in \
                     crates/testbed/Cargo.toml"
                )
            })),
            Err(error) => breaches.push(format!("cargo tree: {error}")),
        }
    }
}

/// Every package with its features.
fn features(of: &[&str]) -> Result<BTreeSet<String>, String> {
    let mut tree = cargo(&["tree", "--offline", "--prefix", "none", "--format", "{p} {f}"]);
    let output = tree.args(of).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect())
}
