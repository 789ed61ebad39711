//! Which crate may depend on which: `billing ← store, gateway ← engine ← server, simulator, scenarios`.

use crate::run::cargo;
use serde_json::Value;

/// All that a crate may depend on, and all that its tests may use beside.
const ALLOWED: &[(&str, &[&str], &[&str])] = &[
    ("billing", &["jiff", "rust_decimal", "thiserror"], &["proptest"]),
    (
        "store",
        &[
            "async-recursion",
            "billing",
            "bytes",
            "futures-util",
            "rusqlite",
            "sha2",
            "thiserror",
            "tokio",
            "tokio-postgres",
            "tokio-postgres-rustls",
            "tokio-rustls",
            "tracing",
        ],
        &["proptest", "tempfile", "testbed", "tokio"],
    ),
    ("gateway", &["billing", "thiserror"], &["tokio"]),
    (
        "engine",
        &["billing", "store", "gateway", "thiserror", "tokio", "tracing"],
        &["futures-util", "proptest", "tempfile", "testbed", "tokio"],
    ),
];

/// What a crate must not depend on.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("server", &["rusqlite", "tokio-postgres", "simulator", "scenarios", "bench", "testbed"]),
    ("simulator", &["rusqlite", "tokio-postgres", "axum", "bench"]),
    ("scenarios", &["rusqlite", "tokio-postgres", "axum", "server", "simulator", "bench"]),
];

/// Holds the manifests to the layers.
pub(super) fn check(breaches: &mut Vec<String>) {
    match packages() {
        Ok(packages) => packages.iter().for_each(|package| check_package(package, breaches)),
        Err(error) => breaches.push(format!("cargo metadata: {error}")),
    }
}

fn packages() -> Result<Vec<Value>, String> {
    let mut command = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => Err("no packages".to_owned()),
    }
}

fn check_package(package: &Value, breaches: &mut Vec<String>) {
    let name = package["name"].as_str().unwrap_or_default();
    let allowed = ALLOWED.iter().find(|(crate_name, ..)| *crate_name == name);
    let forbidden = FORBIDDEN.iter().find(|(crate_name, _)| *crate_name == name);
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let on = dependency["name"].as_str().unwrap_or_default();
        let is_for_tests = dependency["kind"] == "dev";
        if let Some((_, normal, tests)) = allowed
            && !normal.contains(&on)
            && !(is_for_tests && tests.contains(&on))
        {
            breaches.push(format!("{name}: may not depend on {on} (see xtask/src/tidy/layers.rs)"));
        }
        if !is_for_tests && forbidden.is_some_and(|(_, crates)| crates.contains(&on)) {
            breaches.push(format!("{name}: must not depend on {on}"));
        }
    }
}
