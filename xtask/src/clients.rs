//! The published clients of contract 002, against a server of this build with demo books, in a file and in
//! PostgreSQL.

use crate::run::{cargo, root, succeeds};
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// As a command of its own, with a server of its own, if there can be one.
pub(crate) fn run_alone(server: Option<testbed::Server>) -> ExitCode {
    let Some(server) = server else { return ExitCode::FAILURE };
    if run(&server.address()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Installs what is missing, serves a demo from a file and then from an empty database, and runs the clients
/// against it; says whether all is well.
pub(crate) fn run(database: &str) -> bool {
    if !has_node() {
        return false;
    }
    let checked = prepare().and_then(|folder| Ok(check(&folder, None)? & check(&folder, Some(database))?));
    match checked {
        Ok(good) => good,
        Err(error) => {
            eprintln!("the published clients could not be run: {error}");
            false
        }
    }
}

/// Whether Node.js and npm are there, after they were installed if they were not.
fn has_node() -> bool {
    let found = |program: &str| {
        let mut command = Command::new(program);
        let command = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if found("node") && found("npm") {
        return true;
    }
    println!("Node.js is missing; installing it: apt-get install nodejs npm");
    let install = ["install", "--yes", "--no-install-recommends", "nodejs", "npm"];
    let installed = succeeds("apt-get update", Command::new("apt-get").arg("update").status())
        && succeeds("apt-get install", Command::new("apt-get").args(install).status());
    if !installed {
        eprintln!("Node.js and npm are needed for the published clients: install them and try again.");
    }
    installed
}

/// A folder of its own with the clients in it, so that nothing is installed among the sources.
fn prepare() -> io::Result<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name("real-clients");
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "flowglad.mjs"] {
        fs::copy(root().join("tests/real-clients").join(name), folder.join(name))?;
    }
    println!("Installing the clients that tests/real-clients/package.json names, with npm");
    let install = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    let status = Command::new("npm").args(install).current_dir(&folder).stdin(Stdio::null()).status();
    if succeeds("npm install", status) { Ok(folder) } else { Err(io::Error::other("npm install failed")) }
}

fn check(folder: &Path, database: Option<&str>) -> io::Result<bool> {
    if !succeeds("cargo build", cargo(&["build", "--quiet", "--workspace", "--bins"]).status()) {
        return Ok(false);
    }
    let books = folder.join("demo.db");
    let books = books.to_str().ok_or_else(|| io::Error::other("the folder's name is not UTF-8"))?;
    for suffix in ["", "-wal", "-shm"] {
        match fs::remove_file(format!("{books}{suffix}")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    println!("The demo is served from {}", if database.is_some() { "PostgreSQL" } else { "a file" });
    let (flag, place) = database.map_or(("--db", books), |address| ("--database", address));
    let small = ["--customers", "40", "--months", "6", flag, place, "--addr", "127.0.0.1:0", "--json"];
    let mut server = Command::new(std::env::current_exe()?.with_file_name("quittance"))
        .arg("demo")
        .args(small)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let checked = ask(folder, &mut server);
    server.kill()?;
    server.wait()?;
    checked
}

fn ask(folder: &Path, server: &mut Child) -> io::Result<bool> {
    let output = server.stdout.take().ok_or_else(|| io::Error::other("the server says nothing"))?;
    let mut ready = String::new();
    BufReader::new(output).read_line(&mut ready)?;
    if ready.is_empty() {
        return Err(io::Error::other("the demo ended before it was ready"));
    }
    fs::write(folder.join("demo.json"), ready)?;
    let clients = Command::new("node").args(["flowglad.mjs", "demo.json"]).current_dir(folder).status();
    Ok(succeeds("the published clients", clients))
}
