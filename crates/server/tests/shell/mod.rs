//! The program as an operator types it, over books of a test.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use testbed::Books;

/// A place without books yet that the commands are about, and a folder to run them in.
pub(crate) struct House {
    pub(crate) books: Books,
}

impl House {
    /// On the database of the tests.
    pub(crate) async fn new() -> Self {
        if testbed::is_postgres() { Self::of(Books::empty().await) } else { Self::of(Books::sqlite()) }
    }

    pub(crate) fn of(books: Books) -> Self {
        Self { books }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.books.folder()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QUITTANCE_")) {
            command.env_remove(name);
        }
        let address = self.books.address();
        command.env(if testbed::is_url(address) { "QUITTANCE_DATABASE" } else { "QUITTANCE_DB" }, address);
        command.env("QUITTANCE_SECRET_FILE", self.folder().join("books.secret"));
        command.args(arguments).current_dir(self.folder());
        command
    }

    /// The standard output of a command that succeeds.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        said(&mut self.command(arguments))
    }

    /// The last line of the standard error of a command that fails.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        refusal(&mut self.command(arguments))
    }

    pub(crate) fn serve(&self) -> Serving {
        Serving::start(&mut self.command(&["serve", "--addr", "127.0.0.1:0"]))
    }
}

/// The standard output of a command that succeeds.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The last line of the standard error of a command that fails.
pub(crate) fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    said.lines().last().unwrap_or_default().to_owned()
}

/// A server that runs; it is killed when it is dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    /// Starts one and waits until it says where it serves.
    pub(crate) fn start(command: &mut Command) -> Serving {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit_once("http://").unwrap().1.to_owned();
        Serving { child, address }
    }

    /// Asks it to stop, as an operator does, and waits until it has.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// The whole text of an answer.
    pub(crate) fn ask(&self, target: &str, headers: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        // A server that refuses a head need not read it to its end, and resets what it has not read.
        let _ = socket.write_all(head.as_bytes());
        let (mut answer, mut part) = (Vec::new(), [0; 4_096]);
        while let Ok(length @ 1..) = socket.read(&mut part) {
            answer.extend_from_slice(&part[..length]);
        }
        String::from_utf8(answer).unwrap()
    }

    pub(crate) fn status(&self, target: &str, token: &str) -> u16 {
        let answer = self.ask(target, &format!("authorization: Bearer {token}\r\n"));
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}
