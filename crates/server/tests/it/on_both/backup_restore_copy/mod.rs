//! Books that go from one place to another: `backup`, `restore` and `copy`.

mod on_postgres;

use billing::id::Ids;
use engine::Engine;
use gateway::Sandbox;
use server::demo::plan::DemoPlan;
use server::demo::story::build;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use store::copy::{Compared, Failure, Progress};
use tempfile::TempDir;
use testbed::Books;

const QUIET: &(dyn Fn(Progress) + Sync) = &|_| {};

/// Fills books with a demo.
async fn demo(books: &Books) {
    let plan = DemoPlan::new(4, 12, 7).unwrap();
    let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
    build(&engine, plan, &|_, _| {}).await.unwrap();
    engine.store().close().await.unwrap();
}

/// Fills every table of a file: a demo, and what only requests make.
async fn fill(books: &Books) {
    demo(books).await;
    let hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let credential = format!(
        "insert into credentials (id, environment, kind, name, hint, hash, scopes, created_at)
         select id, 1, 'key', 'a key', 'qk_test_', x'{hash}', 'merchant', 7 from customers limit 1"
    );
    assert_eq!(books.tamper(&credential).await, 1);
    // An answer that is as long as an id.
    let request = format!(
        "insert into idempotency (environment, key, fingerprint, resource, status, answer, created_at)
         select 1, 'a key', x'{hash}', id, 200, x'{}', 7 from customers limit 1",
        &hash[..32]
    );
    assert_eq!(books.tamper(&request).await, 1);
    assert_eq!(books.tamper("insert into settings (name, value) values ('a setting', 'x')").await, 1);
}

async fn copy(from: &Books, to: &Books) -> Result<Vec<Compared>, Failure> {
    let (source, target) = (from.open().await, to.open().await);
    let copied = store::copy::run(&source, &target, QUIET).await;
    source.close().await.unwrap();
    if copied.is_ok() {
        store::copy::finish(&target).await.unwrap();
    }
    target.close().await.unwrap();
    copied
}

fn same(compared: &[Compared]) -> bool {
    compared.iter().all(Compared::agrees)
}

async fn agree(books: &Books) -> bool {
    let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(1));
    let report = engine.audit(None, Box::new(|_| {})).await.unwrap();
    engine.store().close().await.unwrap();
    report.agrees()
}

#[tokio::test]
async fn other_books_are_not_written_to() {
    let (first, target, empty) = (Books::sqlite(), Books::new().await, Books::sqlite());
    assert!(matches!(copy(&first, &target).await, Err(Failure::NoBooks)));
    fill(&first).await;
    copy(&first, &target).await.unwrap();
    assert!(matches!(copy(&first, &target).await, Err(Failure::NotEmpty)));
    // A copy of other books was begun there.
    empty.open().await.close().await.unwrap();
    empty.tamper("create table unfinished_copy (source text not null primary key)").await;
    empty.tamper("insert into unfinished_copy values ('other books')").await;
    assert!(matches!(copy(&first, &empty).await, Err(Failure::OtherBooks)));
    assert!(matches!(copy(&empty, &target).await, Err(Failure::UnfinishedSource)));
    // A table that no plan knows.
    first.tamper("create table wines (name text primary key)").await;
    let refused = copy(&first, &Books::sqlite()).await.unwrap_err().to_string();
    assert!(refused.contains("wines is not a table of the books"), "{refused}");
}

#[tokio::test]
async fn what_changed_meanwhile_is_told() {
    let (first, target) = (Books::sqlite(), Books::new().await);
    fill(&first).await;
    let source = first.open().await;
    // The mark is not taken away: as if the copy had ended just before it compared.
    let target_store = target.open().await;
    store::copy::run(&source, &target_store, QUIET).await.unwrap();
    first.tamper("update customer_versions set version = version + 1").await;
    first.tamper("update staff set name = 'Somebody else'").await;
    let compared = store::copy::run(&source, &target_store, QUIET).await.unwrap();
    let of = |name: &str| compared.iter().find(|table| table.table == name).unwrap();
    assert_eq!(
        (of("customer_versions").sums.as_slice(), of("customer_versions").is_same),
        (&["version"][..], false)
    );
    assert_eq!((of("staff").sums.len(), of("staff").is_same), (0, false));
    assert!(of("invoices").is_same);
    target_store.close().await.unwrap();
    source.close().await.unwrap();
}

/// A folder with books, and the program.
struct House(TempDir);

impl House {
    fn new() -> House {
        let house = House(tempfile::tempdir().unwrap());
        house.run(&["init"]);
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QUITTANCE_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("QUITTANCE_DB", self.path("books.db")).current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn serve(&self) -> Serving {
        let mut child = self
            .command(&["serve", "--addr", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("serves"), "{line}");
        Serving(child)
    }

    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A server that is killed when this is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn environments(path: &Path) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("select count(*) from environments", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_backup_of_served_books_is_restored_in_their_place() {
    let house = House::new();
    let server = house.serve();
    let said = house.run(&["backup", "--to", "first.db"]);
    assert!(said.contains("first.db is a backup of") && said.contains("the books agree"), "{said}");
    assert!(said.contains("books.db.secret"), "{said}");
    // The server writes on; the backup stays what it was.
    house.run(&["init", "--add", "--test", "--organization", "Other"]);
    assert!(house.refused(&["backup", "--to", "first.db"]).contains("exists: name another file"));
    assert!(house.refused(&["backup", "--to", "books.db", "--force"]).contains("are the same file"));
    house.run(&["backup", "--to", "second.db"]);
    assert_eq!((environments(&house.path("first.db")), environments(&house.path("second.db"))), (1, 2));
    let held = house.refused(&["restore", "--from", "first.db", "--force"]);
    assert!(held.contains("in use by another server"), "{held}");
    drop(server);
    // The server was killed: what it wrote last lies in its log.
    assert!(house.refused(&["restore", "--from", "first.db"]).contains("exists: name another file"));
    house.run(&["restore", "--from", "first.db", "--force"]);
    let list = house.run(&["token", "list"]);
    assert!(list.contains("first key"), "{list}");
    assert_eq!(environments(&house.path("books.db")), 1);
    house.run(&["backup", "--to", "first.db", "--force"]);
    let elsewhere = house.path("elsewhere.db");
    let said = house.run(&["restore", "--from", "second.db", "--db", elsewhere.to_str().unwrap()]);
    assert!(said.contains("elsewhere.db.secret: put it back"), "{said}");
    assert_eq!(environments(&elsewhere), 2);
    assert!(!house.files().iter().any(|name| name.contains("partial")), "{:?}", house.files());
}

#[cfg(unix)]
#[test]
fn restored_books_are_for_those_who_could_read_them_before() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    let mode = |name: &str| std::fs::metadata(house.path(name)).unwrap().permissions().mode() & 0o777;
    let set = |name: &str, mode: u32| {
        std::fs::set_permissions(house.path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    set("books.db", 0o640);
    house.run(&["backup", "--to", "backup.db"]);
    assert_eq!(mode("backup.db"), 0o640);
    set("backup.db", 0o644);
    house.run(&["restore", "--from", "backup.db", "--force"]);
    assert_eq!(mode("books.db"), 0o640);
    house.run(&["restore", "--from", "backup.db", "--db", house.path("new.db").to_str().unwrap()]);
    assert_eq!(mode("new.db"), 0o600);
}

#[test]
fn a_damaged_backup_is_refused_and_the_books_stay() {
    let house = House::new();
    house.run(&["backup", "--to", "backup.db"]);
    let whole = std::fs::read(house.path("backup.db")).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..].fill(0x5a);
    std::fs::write(house.path("damaged.db"), damaged).unwrap();
    std::fs::write(house.path("short.db"), &whole[..middle]).unwrap();
    std::fs::write(house.path("text.db"), "the books of Acme").unwrap();
    let before = (house.files(), std::fs::read(house.path("books.db")).unwrap());
    for name in ["damaged.db", "short.db", "text.db", "absent.db"] {
        house.refused(&["restore", "--from", name, "--force"]);
    }
    // Sound as a file, and yet not sound as books.
    let forged = rusqlite::Connection::open(house.path("backup.db")).unwrap();
    forged.execute("insert into tallies (environment, kind, n) values (1, 'customers', 5)", []).unwrap();
    drop(forged);
    let output = house.output(&["restore", "--from", "backup.db", "--force"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("the books disagree with themselves"));
    let mut after = (house.files(), std::fs::read(house.path("books.db")).unwrap());
    after.0.retain(|name| name != "books.db.lock");
    assert_eq!(before, after);
}

#[test]
fn a_copy_that_was_not_finished_is_not_served_but_finished() {
    let house = House::new();
    house.run(&["migrate", "--db", "half.db"]);
    let half = rusqlite::Connection::open(house.path("half.db")).unwrap();
    half.execute("attach ?1 as books", [house.path("books.db").to_str().unwrap()]).unwrap();
    half.execute_batch(
        "create table unfinished_copy (source text not null primary key);
         insert into unfinished_copy select lower(hex(id)) from books.organizations;
         insert into organizations select * from books.organizations",
    )
    .unwrap();
    drop(half);
    let refused = house.refused(&["audit", "--db", "half.db"]);
    assert!(refused.contains("is a copy that was not finished"), "{refused}");
    house.run(&["copy", "--from", "books.db", "--to", "half.db"]);
    assert!(house.run(&["audit", "--db", "half.db"]).contains("the books agree"));
}
