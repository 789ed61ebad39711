//! What tests need on the machine, installed where it can be.

use crate::run::{cargo, succeeds};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

/// A server for the tests, with the programs that they start installed where they can be.
pub(crate) fn postgres() -> Option<testbed::Server> {
    let cluster = testbed::Cluster::missing().into_iter();
    let missing: Vec<&str> =
        cluster.chain(testbed::Pooler::program().err()).map(|missing| missing.0).collect();
    if !missing.is_empty() {
        println!("== Installing what tests need: apt-get install {}", missing.join(" "));
        let _quiet = NoServices::now();
        let update = Command::new("apt-get").args(["update", "-qq"]).status();
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing);
        let installed = install.env("DEBIAN_FRONTEND", "noninteractive").status();
        if !(succeeds("apt-get update", update) && succeeds("apt-get install", installed)) {
            return None;
        }
    }
    testbed::Server::start().map_err(|missing| eprintln!("{missing}")).ok()
}

/// Keeps packages from starting what is in them, while they are installed: tests start servers of their
/// own. Where the machine says already what may start, that is left alone.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn now() -> NoServices {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(NoServices::POLICY);
        let written = file.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
        NoServices { is_ours: written.is_ok() }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = std::fs::remove_file(NoServices::POLICY)
        {
            eprintln!("{} is left: {error}", NoServices::POLICY);
        }
    }
}

/// Whether SQLite can be built; says what is missing.
pub(crate) fn has_c_compiler() -> bool {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    // `CC` may carry arguments; whether they fit is for the build to say.
    let program = compiler.split_whitespace().next().unwrap_or("cc");
    let is_there = is_answered(Command::new(program).arg("--version"));
    if !is_there {
        eprintln!("A C compiler is needed to build SQLite: install gcc or clang (or set CC).");
    }
    is_there
}

/// Whether the runner of tests is there, after it was installed if it was not.
pub(crate) fn has_nextest() -> bool {
    if is_answered(&mut cargo(&["nextest", "--version"])) {
        return true;
    }
    println!("== Installing what runs tests: cargo install cargo-nextest --locked");
    let mut install = cargo(&["install", "cargo-nextest", "--locked"]);
    // It goes to where cargo keeps programs, and shares nothing with what is built here.
    succeeds("cargo install", install.env_remove("CARGO_TARGET_DIR").status())
}

/// Whether a program can be run and succeeds; nothing that it says is shown.
fn is_answered(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
