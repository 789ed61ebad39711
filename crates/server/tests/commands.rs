//! `init`, `token`, `bill` and `serve` as an operator types them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A folder with books that the commands are about.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("books.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QUITTANCE_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("QUITTANCE_DB", self.database());
        command
    }

    /// The standard output of a command that succeeds.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The last line of the standard error of a command that fails.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        said.lines().last().unwrap_or_default().to_owned()
    }

    fn serve(&self) -> Serving {
        let mut command = self.command(&["serve", "--addr", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit_once("http://").unwrap().1.to_owned();
        Serving { child, address }
    }
}

/// A server that runs; it is killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    /// The whole text of an answer.
    fn ask(&self, target: &str, headers: &str) -> String {
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

    fn status(&self, target: &str, token: &str) -> u16 {
        let answer = self.ask(target, &format!("authorization: Bearer {token}\r\n"));
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

#[test]
fn books_are_made_once_and_secrets_kept_for_their_owner() {
    let house = House::new();
    assert!(house.refused(&["token", "list"]).contains("there are no books at"));
    let made = house.run(&["init", "--organization", "Acme", "--staff-name", "Ada", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&line["environment"], &line["livemode"]), (&1.into(), &true.into()));
    assert!(line["apiKey"].as_str().unwrap().starts_with("qk_live_"));
    assert!(house.refused(&["init"]).contains("holds books already"));
    assert!(house.refused(&["init", "--add", "--zone", "Mars/Olympus"]).contains("IANA time zone"));
    let second = house.run(&["init", "--add", "--test", "--organization", "Other"]);
    assert!(second.contains("environment  2 (test)") && second.contains("qk_test_"), "{second}");
    assert!(house.refused(&["token", "list"]).contains("there are 2 environments"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let secret = house.folder.path().join("books.db.secret");
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn credentials_hold_from_their_making_to_their_revocation() {
    let house = House::new();
    house.run(&["init"]);
    let key = house.run(&["token", "key", "--scope", "periods", "--name", "reports"]);
    let staff = house.run(&["token", "staff", "--email", "eve@example.com", "--role", "viewer"]);
    assert!(house.refused(&["token", "staff", "--email", "x@example.com"]).contains("not found"));
    assert!(
        house.refused(&["token", "staff", "--email", "x@example.com", "--role", "king"]).contains("role")
    );
    assert!(house.refused(&["token", "customer", "--external-id", "nobody"]).contains("not found"));
    let server = house.serve();
    assert_eq!(server.status("/v1/periods", &key), 200);
    assert_eq!(server.status("/api/v1/admin/payments", &staff), 200);
    assert_eq!(server.status("/v1/periods", &staff), 401);
    let list = house.run(&["token", "list"]);
    let row = list.lines().find(|line| line.contains("reports")).unwrap();
    assert!(row.contains("periods") && row.contains(&key[..12]) && !row.contains(&key), "{row}");
    assert_eq!(house.run(&["token", "revoke", row.split(' ').next().unwrap()]), "revoked");
    assert!(house.refused(&["token", "revoke", row.split(' ').next().unwrap()]).contains("no credential"));
    assert!(house.refused(&["token", "revoke", "x"]).contains("is not an id"));
    // The server notices what another process has written.
    assert!((0..100_000).any(|_| server.status("/v1/periods", &key) == 401), "the key still holds");
    assert_eq!(server.status("/api/v1/admin/payments", &staff), 200);
}

#[test]
fn what_is_due_is_billed_once() {
    let house = House::new();
    house.run(&["init"]);
    house.run(&["init", "--add", "--test"]);
    let said = house.run(&["bill", "--until", "2099-01-01"]);
    let (live, rest) = said.split_once('\n').unwrap();
    assert!(live.starts_with("environment 1: live books are billed until now, 2"), "{live}");
    assert_eq!(
        rest,
        "environment 1: 0 steps of subscriptions, 0 payments tried again, 0 finished after silence\n\
         environment 2: 0 steps of subscriptions, 0 payments tried again, 0 finished after silence"
    );
    let again = house.run(&["bill", "--until", "2098-01-01T00:00:00Z", "--environment", "2"]);
    assert_eq!(again, "environment 2: its clock is past that, at 2099-01-01T00:00:00Z");
    assert!(
        house.refused(&["bill", "--until", "2099-01-01", "--environment", "3"]).contains("no environment 3")
    );
    let wrong = house.command(&["bill", "--until", "tomorrow"]).output().unwrap();
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("invalid value 'tomorrow'"));
}

#[test]
fn people_and_zones_are_checked_before_books_are_made() {
    let house = House::new();
    for (wrong, said) in [
        (["--organization", " "], "--organization must be"),
        (["--staff-name", ""], "--staff-name must be"),
        (["--staff-email", "nonsense"], "--staff-email must be"),
        (["--zone", "Mars"], "Mars"),
        (["--currency", "XXXX"], "XXXX"),
    ] {
        let output = house.command(&["init", wrong[0], wrong[1]]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(said), "{wrong:?}: {told}");
        assert_eq!(std::fs::read_dir(house.folder.path()).unwrap().count(), 0, "{wrong:?}");
    }
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let house = House::new();
    house.run(&["init"]);
    let server = house.serve();
    let long = format!("x-long: {}\r\n", "x".repeat(100_000));
    assert!(server.ask("/healthz", &long).starts_with("HTTP/1.1 431 "));
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    assert!(server.ask("/healthz", &many).starts_with("HTTP/1.1 431 "));
    assert!(server.ask("/healthz", "").ends_with("\r\n\r\nok\n"));
    // What is no HTTP at all ends its own connection only.
    TcpStream::connect(&server.address).unwrap().write_all(b"\x16\x03\x01 nonsense\r\n\r\n").unwrap();
    assert!(server.ask("/readyz", "").ends_with("\r\n\r\nready\n"));
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_stop_closes_the_books() {
    let house = House::new();
    house.run(&["init"]);
    let mut server = house.serve();
    assert!(server.ask("/healthz", "").starts_with("HTTP/1.1 200 "));
    // An idle connection does not hold it up.
    let _idle = TcpStream::connect(&server.address).unwrap();
    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(server.child.wait().unwrap().success());
    let log = house.folder.path().join("books.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |file| file.len()), 0, "the log was not moved into the file");
    // The lock is free again.
    assert!(house.serve().ask("/readyz", "").starts_with("HTTP/1.1 200 "));
}
