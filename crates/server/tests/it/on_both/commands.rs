//! `init`, `token`, `bill` and `serve` as an operator types them.

use crate::fixtures::shell::{self, House, refusal, said};
use std::io::Write;
use std::net::TcpStream;

#[tokio::test]
async fn books_are_made_once_and_secrets_kept_for_their_owner() {
    let house = House::new().await;
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
        let secret = house.folder().join("books.secret");
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn credentials_hold_from_their_making_to_their_revocation() {
    let house = House::new().await;
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

#[tokio::test]
async fn what_is_due_is_billed_once() {
    let house = House::new().await;
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

#[tokio::test]
async fn people_and_zones_are_checked_before_books_are_made() {
    let house = House::new().await;
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
        assert_eq!(std::fs::read_dir(house.folder()).unwrap().count(), 0, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let house = House::new().await;
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
#[tokio::test]
async fn a_server_that_is_asked_to_stop_closes_the_books() {
    let house = House::new().await;
    house.run(&["init"]);
    let server = house.serve();
    assert!(server.ask("/healthz", "").starts_with("HTTP/1.1 200 "));
    // An idle connection does not hold it up.
    let _idle = TcpStream::connect(&server.address).unwrap();
    server.stop();
    let log = house.folder().join("books.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |file| file.len()), 0, "the log was not moved into the file");
    // The lock is free again.
    assert!(house.serve().ask("/readyz", "").starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn keys_are_made_and_checked_with_one_set_of_secrets() {
    let house = House::new().await;
    house.run(&["init"]);
    let key = house.run(&["token", "key"]);
    let elsewhere = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.env("QUITTANCE_SECRET_FILE", house.folder().join("elsewhere.secret"));
        command
    };
    let refused = refusal(&mut elsewhere(&["serve", "--addr", "127.0.0.1:0"]));
    assert!(refused.contains("the secrets of") && refused.contains("elsewhere.secret back"), "{refused}");
    assert!(said(&mut elsewhere(&["token", "list"])).contains("first key"));
    assert!(!house.folder().join("elsewhere.secret").exists(), "none are made in the place of theirs");
    let others = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command
            .env("QUITTANCE_JWT_KEY", "another signing key")
            .env("QUITTANCE_PEPPER", "another pepper's salt");
        command
    };
    for arguments in [&["serve", "--addr", "127.0.0.1:0"][..], &["token", "key"], &["init", "--add"]] {
        let refused = refusal(&mut others(arguments));
        assert!(refused.contains("these are not the secrets"), "{arguments:?}: {refused}");
    }
    // What needs none of them goes on, and so do the servers that have them.
    let list = said(&mut others(&["token", "list"]));
    assert!(said(&mut others(&["audit"])).contains("the books agree"));
    assert_eq!(house.serve().status("/v1/periods", &key), 200);
    let id = list.lines().next().unwrap().split(' ').next().unwrap();
    assert_eq!(said(&mut others(&["token", "revoke", id])), "revoked");
    // Whoever has lost them goes on with others.
    assert!(said(&mut others(&["token", "new-secrets"])).contains("now goes by these secrets"));
    assert!(house.refused(&["token", "key"]).contains("these are not the secrets"));
    let new = said(&mut others(&["token", "key"]));
    let server = shell::Serving::start(&mut others(&["serve", "--addr", "127.0.0.1:0"]));
    assert_eq!((server.status("/v1/periods", &key), server.status("/v1/periods", &new)), (401, 200));
}
