//! The program as it is started from a shell: the few things that only show there.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A started program; it is killed when it is dropped.
struct Program {
    child: Child,
    /// The first line of its standard output.
    line: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, line: line.trim_end().to_owned() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
    command.args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QUITTANCE_")) {
        command.env_remove(name);
    }
    command
}

/// What a program that ends by itself says.
fn said(arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

fn demo(database: &Path, months: &str) -> Vec<String> {
    let database = database.to_str().unwrap();
    let plan = ["demo", "--customers", "2", "--seed", "5", "--json", "--addr", "127.0.0.1:0"];
    plan.into_iter().chain(["--months", months, "--db", database]).map(str::to_owned).collect()
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// The JSON of an answer with status 200.
fn get(url: &str, target: &str, headers: &[String]) -> Value {
    let address = url.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let mut request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    headers.iter().for_each(|header| request.push_str(&format!("{header}\r\n")));
    socket.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{target}: {answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Each contract has rows for the credentials that were printed.
fn check_five(url: &str, line: &Value) {
    let pass = |name: &str| line["credentials"][name].as_str().unwrap();
    let header = |scheme: &str, name: &str| vec![format!("Authorization: {scheme}{}", pass(name))];
    let own = get(url, "/api/v1/profile/payments", &header("bearer ", "customerToken"));
    assert!(own["data"]["total_items"].as_i64().unwrap() > 5, "{own}");
    for staff in ["staffToken", "readOnlyStaffToken"] {
        let all = get(url, "/api/v1/admin/payments", &header("Bearer ", staff));
        assert!(all["pagination"]["total"].as_i64().unwrap() > 5, "{all}");
    }
    let billing = format!("/api/v1/customers/{}/billing", pass("customerExternalId"));
    let billing = get(url, &billing, &header("", "merchantApiKey"));
    for list in ["subscriptions", "invoices", "paymentMethods", "purchases", "currentSubscriptions"] {
        assert!(!billing[list].as_array().unwrap().is_empty(), "{list}");
    }
    let periods = get(url, "/v1/periods", &header("Bearer ", "periodsToken"));
    assert!(periods["pagination"]["count"].as_i64().unwrap() > 5, "{periods}");
    let mut headers = header("jwt ", "memberToken");
    headers.push(format!("Org-Handle: {}", pass("orgHandle")));
    headers.push(format!("Product-Id: {}", pass("productId")));
    let issued = get(url, "/api/v2/platform/organisation/billing/", &headers);
    assert!(issued["count"].as_i64().unwrap() > 3, "{issued}");
    assert!(issued["data"].as_array().unwrap().iter().all(|row| row["currency"] == "INR"), "{issued}");
}

#[test]
fn the_demo_prints_one_line_and_its_credentials_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("demo.db");
    let arguments = demo(&database, "1");
    let first = Program::start(&borrowed(&arguments));
    let line: Value = serde_json::from_str(&first.line).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&line), ["url", "database", "credentials"]);
    assert_eq!(
        keys(&line["credentials"]).join(" "),
        "merchantApiKey customerExternalId customerToken staffToken readOnlyStaffToken \
         noPermissionStaffToken memberToken orgHandle productId periodsToken"
    );
    check_five(line["url"].as_str().unwrap(), &line);
    let (served, refusal) = said(&["serve", "--db", database.to_str().unwrap(), "--addr", "127.0.0.1:0"]);
    assert!(!served && refusal.contains("is in use by another server"), "{refusal}");
    drop(first);
    // Killed, not asked to stop; another command goes on with the same books.
    let second = Program::start(&["serve", "--db", database.to_str().unwrap(), "--addr", "127.0.0.1:0"]);
    let (_, url) = second.line.split_once(" on ").unwrap();
    check_five(url, &line);
    drop(second);
    let (audited, report) = said(&["audit", "--db", database.to_str().unwrap()]);
    assert!(audited && report.contains("the books agree"), "{report}");
}

#[test]
fn a_named_demo_is_served_again_and_nothing_else_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("demo.db");
    let arguments = demo(&database, "1");
    let first: Value = serde_json::from_str(&Program::start(&borrowed(&arguments)).line).unwrap();
    let again = Program::start(&borrowed(&arguments));
    let line: Value = serde_json::from_str(&again.line).unwrap();
    check_five(line["url"].as_str().unwrap(), &line);
    for name in ["customerExternalId", "orgHandle", "productId"] {
        assert_eq!(line["credentials"][name], first["credentials"][name]);
    }
    // Those of the first start hold, too.
    check_five(line["url"].as_str().unwrap(), &first);
    drop(again);
    let (served, refusal) = said(&borrowed(&demo(&database, "2")));
    assert!(!served && refusal.contains("does not hold the demo of 2 months"), "{refusal}");
    let books = folder.path().join("books.db");
    let (made, said_of_books) = said(&["init", "--db", books.to_str().unwrap()]);
    assert!(made, "{said_of_books}");
    let before = std::fs::read(&books).unwrap();
    let (served, refusal) = said(&borrowed(&demo(&books, "1")));
    assert!(!served && refusal.contains("does not hold the demo"), "{refusal}");
    assert_eq!(std::fs::read(&books).unwrap(), before);
}
