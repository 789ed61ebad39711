//! The program as it is started from a shell: the few things that only show there.

use crate::fixtures::shell::{self, House};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A started program; it is killed when it is dropped.
struct Program {
    child: Child,
    /// The first line of its standard output.
    line: String,
}

impl Program {
    fn start(house: &House, arguments: &[&str]) -> Self {
        let mut command = house.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
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

fn demo(months: &str) -> [&str; 10] {
    ["demo", "--customers", "2", "--seed", "5", "--json", "--addr", "127.0.0.1:0", "--months", months]
}

const SERVE: &[&str] = &["serve", "--addr", "127.0.0.1:0"];

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

#[tokio::test]
async fn the_demo_prints_one_line_and_its_credentials_outlive_it() {
    let house = House::new().await;
    let first = Program::start(&house, &demo("1"));
    let line: Value = serde_json::from_str(&first.line).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&line), ["url", "database", "credentials"]);
    assert_eq!(
        keys(&line["credentials"]).join(" "),
        "merchantApiKey customerExternalId customerToken staffToken readOnlyStaffToken \
         noPermissionStaffToken memberToken orgHandle productId periodsToken"
    );
    check_five(line["url"].as_str().unwrap(), &line);
    if testbed::is_url(house.books.address()) {
        // A database has several servers; this one answers beside the first.
        let second = Program::start(&house, SERVE);
        check_five(second.line.split_once(" on ").unwrap().1, &line);
    } else {
        let refusal = house.refused(SERVE);
        assert!(refusal.contains("is in use by another server"), "{refusal}");
    }
    drop(first);
    // Killed, not asked to stop; another command goes on with the same books.
    let second = Program::start(&house, SERVE);
    check_five(second.line.split_once(" on ").unwrap().1, &line);
    drop(second);
    assert!(house.run(&["audit"]).contains("the books agree"));
}

#[tokio::test]
async fn a_named_demo_is_served_again_and_nothing_else_is_touched() {
    let house = House::new().await;
    let first: Value = serde_json::from_str(&Program::start(&house, &demo("1")).line).unwrap();
    let again = Program::start(&house, &demo("1"));
    let line: Value = serde_json::from_str(&again.line).unwrap();
    check_five(line["url"].as_str().unwrap(), &line);
    for name in ["customerExternalId", "orgHandle", "productId"] {
        assert_eq!(line["credentials"][name], first["credentials"][name]);
    }
    // Those of the first start hold, too.
    check_five(line["url"].as_str().unwrap(), &first);
    drop(again);
    let refusal = house.refused(&demo("2"));
    assert!(refusal.contains("does not hold the demo of 2 months"), "{refusal}");
    let other = House::new().await;
    other.run(&["init"]);
    let before = other.books.dump().await;
    let refusal = other.refused(&demo("1"));
    assert!(refusal.contains("does not hold the demo"), "{refusal}");
    assert_eq!(other.books.dump().await, before);
}

#[tokio::test]
async fn what_is_no_url_of_a_database_is_refused_and_not_printed() {
    let house = House::new().await;
    for address in ["host=db password=geheim", "postgresq://q:geheim@db/books", "books.db"] {
        for arguments in [&["audit"][..], &["serve", "--addr", "127.0.0.1:0"], &["init"]] {
            let mut command = house.command(arguments);
            command.env_remove("QUITTANCE_DB").env("QUITTANCE_DATABASE", address);
            let said = shell::refusal(&mut command);
            assert!(said.contains("--database takes a URL"), "{said}");
            assert!(!said.contains("geheim"), "{said}");
        }
    }
    let made: Vec<_> = std::fs::read_dir(house.folder()).unwrap().map(|made| made.unwrap().path()).collect();
    assert_eq!(made, Vec::<std::path::PathBuf>::new(), "no file was made of it");
}
