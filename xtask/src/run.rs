//! Running cargo on this repository.

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// Cargo, to be run in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command; says whether it succeeded, and on stderr why not.
pub(crate) fn succeeds(what: &str, status: io::Result<ExitStatus>) -> bool {
    match status {
        Ok(status) if status.success() => true,
        Ok(status) => {
            eprintln!("{what}: {status}");
            false
        }
        Err(error) => {
            eprintln!("{what} could not be run: {error}");
            false
        }
    }
}
