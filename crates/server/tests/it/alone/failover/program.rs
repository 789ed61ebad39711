//! The program as it is started from a shell.

use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn command(folder: &Path, database: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QUITTANCE_")) {
        command.env_remove(name);
    }
    command.args(arguments).args(["--database", database, "--log-format", "json"]);
    command.arg("--secret-file").arg(folder.join("secret")).current_dir(folder).stdin(Stdio::null());
    command
}

/// The standard output of a command that succeeds.
pub(crate) fn run(folder: &Path, database: &str, arguments: &[&str]) -> String {
    let output = command(folder, database, arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said.trim_end().to_owned()
}

/// A server that runs; it is killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    log: PathBuf,
}

impl Serving {
    pub(crate) fn start(folder: &Path, database: &str, name: &str, more: &[&str]) -> Serving {
        let log = folder.join(format!("{name}.log"));
        let mut command = command(folder, database, &["serve", "--addr", "127.0.0.1:0", "--node", name]);
        command.args(more).stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let address = line.trim_end().rsplit_once("http://").unwrap_or_else(|| panic!("{}", said())).1;
        Serving { child, address: address.to_owned(), log }
    }

    /// Whether it is the process that was started.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How many of its rounds found something due.
    pub(crate) fn billed(&self) -> usize {
        self.said("billed")
    }

    /// How many commits it did not know the outcome of, and looked up.
    pub(crate) fn commits_in_doubt(&self) -> usize {
        self.said("the connection was lost at a commit: looking whether it stands")
    }

    fn said(&self, message: &str) -> usize {
        self.lines().iter().filter(|line| line["fields"]["message"] == message).count()
    }

    /// What it logged as an error.
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = self.lines().into_iter().filter(|line| line["level"] == "ERROR");
        errors.map(|line| line["fields"]["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn lines(&self) -> Vec<Value> {
        let log = fs::read_to_string(&self.log).unwrap();
        // The last line may be half written.
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
