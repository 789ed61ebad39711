//! One database for each test, copied from a template that has the schema.

use crate::pooler::Pooler;
use crate::server::Server;
use crate::variables::{POOLER_VARIABLE, SERVER_VARIABLE, VARIABLE, partitions};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use store::{Options, Store};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

/// The database with the schema that tests copy: plain, or in partitions.
fn template() -> String {
    match partitions() {
        None => "quittance_template".to_owned(),
        Some(n) => format!("quittance_template_{n}"),
    }
}

/// A database of a test.
pub(crate) struct Database {
    /// Its address, through a pooler if the tests go through one.
    pub(crate) address: String,
    /// Its address on the server itself.
    pub(crate) direct: String,
    name: String,
}

/// Databases whose tests are over; the next one that is made takes them away.
static OVER: Mutex<Vec<String>> = Mutex::new(Vec::new());
static MADE: AtomicU64 = AtomicU64::new(0);
static HAS_TEMPLATE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
static HAS_SWEPT: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();

impl Database {
    pub(crate) async fn from_template() -> Database {
        let admin = connect(server()).await;
        HAS_TEMPLATE.get_or_init(|| make_template(&admin)).await;
        Database::copied(&admin, &template()).await
    }

    pub(crate) async fn empty() -> Database {
        Database::copied(&connect(server()).await, "template1").await
    }

    /// Another database with the same rows. Nobody may be connected to this one.
    pub(crate) async fn copy(&self) -> Database {
        let admin = connect(server()).await;
        if self.address != self.direct {
            // A pooler keeps its connections when those who came through it have gone.
            let end = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1";
            admin.query(end, &[&self.name]).await.unwrap();
        }
        Database::copied(&admin, &self.name).await
    }

    async fn copied(admin: &Client, template: &str) -> Database {
        HAS_SWEPT.get_or_init(|| sweep(admin)).await;
        let over = std::mem::take(&mut *OVER.lock().unwrap());
        for name in over {
            admin.batch_execute(&format!("drop database if exists {name} with (force)")).await.unwrap();
        }
        let name = fresh_name("test");
        let create = format!("create database {name} template {template}");
        admin.batch_execute(&create).await.unwrap();
        let direct = address_of(&name);
        let address = if std::env::var_os(POOLER_VARIABLE).is_some() {
            pooler().through(&direct)
        } else {
            direct.clone()
        };
        Database { address, direct, name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        OVER.lock().unwrap().push(std::mem::take(&mut self.name));
    }
}

/// The server's own address.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    let named = |variable| std::env::var(variable).ok().filter(|address| address.contains("://"));
    SERVER.get_or_init(|| match named(VARIABLE).or_else(|| named(SERVER_VARIABLE)) {
        Some(address) => address,
        // Never dropped: it ends with the process.
        None => Box::leak(Box::new(Server::start().unwrap_or_else(|missing| panic!("{missing}")))).address(),
    })
}

/// The pooler of this process.
fn pooler() -> &'static Pooler {
    static POOLER: OnceLock<Pooler> = OnceLock::new();
    POOLER.get_or_init(|| Pooler::start(server()).unwrap_or_else(|missing| panic!("{missing}")))
}

/// Other test processes may be about to make it too: whoever is first gives it its name.
async fn make_template(admin: &Client) {
    let template = template();
    let there = admin.query("select 1 from pg_database where datname = $1", &[&template]).await.unwrap();
    if !there.is_empty() {
        return;
    }
    let name = fresh_name("template");
    admin.batch_execute(&format!("create database {name}")).await.unwrap();
    if let Some(partitions) = partitions() {
        Store::make_partitioned(&address_of(&name), partitions).await.unwrap();
    }
    let store = Store::connect(&address_of(&name), Options::default()).await.unwrap();
    store.close().await.unwrap();
    let renamed = admin.batch_execute(&format!("alter database {name} rename to {template}")).await;
    if let Err(error) = renamed {
        // What two of them meet in at the same moment is the index of names.
        let met = [&SqlState::DUPLICATE_DATABASE, &SqlState::UNIQUE_VIOLATION];
        assert!(error.code().is_some_and(|code| met.contains(&code)), "{error}");
        admin.batch_execute(&format!("drop database {name} with (force)")).await.unwrap();
    }
}

/// Takes away the databases of processes of this machine that have ended: where each test has a process of
/// its own, none of them is there to take away its last.
async fn sweep(admin: &Client) {
    let ours = format!("test_{}_", machine());
    let names = "select datname::text from pg_database where starts_with(datname, $1)";
    for row in admin.query(names, &[&ours]).await.unwrap() {
        let name: String = row.get(0);
        let owner = name[ours.len()..].split('_').next().unwrap_or_default();
        if Path::new("/proc/self").exists() && !Path::new("/proc").join(owner).exists() {
            // Another process may be about to do the same.
            let _ = admin.batch_execute(&format!("drop database if exists {name} with (force)")).await;
        }
    }
}

fn fresh_name(kind: &str) -> String {
    let count = MADE.fetch_add(1, Ordering::Relaxed);
    format!("{kind}_{}_{}_{count}", machine(), std::process::id())
}

/// What tells processes of this machine from those of others that use the same server.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).take(20).collect::<String>().to_ascii_lowercase()
}

/// The server's address with another database.
fn address_of(name: &str) -> String {
    let (place, query) = server().split_once('?').unwrap_or((server(), ""));
    let (host, _) = place.rsplit_once('/').unwrap();
    format!("{host}/{name}?{query}")
}

async fn connect(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    client
}

/// A transaction that goes on, with its locks, until this is dropped.
pub struct Held {
    driver: tokio::task::JoinHandle<()>,
    // The connection ends with it.
    _client: Client,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Begins a transaction with a statement.
pub(crate) async fn hold(address: &str, sql: &str) -> Held {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    let driver = tokio::spawn(async move { drop(connection.await) });
    client.batch_execute(&format!("begin; {sql}")).await.unwrap();
    Held { driver, _client: client }
}

/// Runs a statement.
pub(crate) async fn execute(address: &str, sql: &str) -> u64 {
    connect(address).await.execute(sql, &[]).await.unwrap()
}

/// Runs a statement that no trigger, reference or check of a value hinders.
pub(crate) async fn forge(address: &str, sql: &str) -> u64 {
    let client = connect(address).await;
    let checks = "select conrelid::regclass::text, conname::text from pg_constraint
         where contype = 'c' and coninhcount = 0 and connamespace = current_schema()::regnamespace";
    for row in client.query(checks, &[]).await.unwrap() {
        let (table, check): (String, String) = (row.get(0), row.get(1));
        client.batch_execute(&format!("alter table {table} drop constraint {check}")).await.unwrap();
    }
    client.batch_execute("set session_replication_role = replica").await.unwrap();
    client.execute(sql, &[]).await.unwrap()
}

/// Every row of every table as text, but for what the driver notes for itself.
pub(crate) async fn dump(address: &str) -> Vec<(String, Vec<String>)> {
    let client = connect(address).await;
    let names = "select table_name::text from information_schema.tables where table_schema = current_schema() \
         and table_name not in ('connections', 'scope_versions') order by 1";
    let mut tables = Vec::new();
    for row in client.query(names, &[]).await.unwrap() {
        let name: String = row.get(0);
        let rows = client.query(&format!("select t::text from {name} t order by 1"), &[]).await.unwrap();
        tables.push((name, rows.iter().map(|row| row.get(0)).collect()));
    }
    tables
}

/// The rows of an answer whose columns are texts.
pub(crate) async fn texts(address: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let rows = connect(address).await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
}

/// The generic plan of a statement; of its parameters those that may be a shard are 0.
pub(crate) async fn plan(address: &str, sql: &str) -> Vec<String> {
    let client = connect(address).await;
    let values = types(&client, sql).await.into_iter().map(|kind| match kind.as_str() {
        "smallint" => "0".to_owned(),
        _ => format!("null::{kind}"),
    });
    let values: Vec<String> = values.collect();
    let given = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    explain(&client, &format!("(costs off) execute asked{given}")).await
}

/// What is executed for a statement without parameters.
pub(crate) async fn steps(address: &str, sql: &str) -> Vec<String> {
    explain(&connect(address).await, &format!("{EXECUTED} {sql}")).await
}

/// Shows what was executed, and nothing that differs from one time to the next.
const EXECUTED: &str = "(analyze, costs off, timing off, summary off)";

/// How many rows tables have where a plan is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// So few, or so many, as they have.
    AsTheyAre,
    /// So many that no join reads one as a whole.
    Large,
}

/// What is executed for a statement over arrays, made of another, with two sets of parameters that are 0, 1
/// or empty; it is undone.
pub(crate) async fn steps_for_two(address: &str, sql: &str, of: &str, tables: Tables) -> Vec<String> {
    let client = connect(address).await;
    let sets = prepare_for_two(&client, sql, of).await;
    // The transaction ends with the connection.
    client.batch_execute("begin").await.unwrap();
    if tables == Tables::Large {
        let joins = "set local enable_hashjoin = off; set local enable_mergejoin = off";
        client.batch_execute(joins).await.unwrap();
    }
    explain(&client, &format!("{EXECUTED} execute arrays{sets}")).await
}

/// The generic plan of a statement over arrays, made of another.
pub(crate) async fn plan_for_two(address: &str, sql: &str, of: &str) -> Vec<String> {
    let client = connect(address).await;
    let sets = prepare_for_two(&client, sql, of).await;
    explain(&client, &format!("(costs off) execute arrays{sets}")).await
}

/// Prepares a statement over arrays; answers two sets of parameters.
async fn prepare_for_two(client: &Client, sql: &str, of: &str) -> String {
    let types = types(client, of).await;
    let arrays: Vec<String> = types.iter().map(|kind| format!("{kind}[]")).collect();
    client.batch_execute(&format!("prepare arrays({}) as {sql}", arrays.join(", "))).await.unwrap();
    let values = types.iter().map(|kind| {
        let value = match kind.as_str() {
            "smallint" => "0",
            // It may be a limit.
            "bigint" => "1",
            "boolean" => "false",
            "uuid" => "'00000000-0000-0000-0000-000000000000'",
            _ => "''",
        };
        format!("array[{value}, {value}]::{kind}[]")
    });
    let values: Vec<String> = values.collect();
    format!("({})", values.join(", "))
}

/// Prepares a statement, to be planned as the driver has it planned; answers the types of its parameters.
async fn types(client: &Client, sql: &str) -> Vec<String> {
    let asked = format!("set plan_cache_mode = force_generic_plan; prepare asked as {sql}");
    client.batch_execute(&asked).await.unwrap();
    let types = "select unnest(parameter_types)::text from pg_prepared_statements where name = 'asked'";
    let types = client.query(types, &[]).await.unwrap();
    types.iter().map(|row| row.get(0)).collect()
}

async fn explain(client: &Client, what: &str) -> Vec<String> {
    let lines = client.query(&format!("explain {what}"), &[]).await.unwrap();
    lines.iter().map(|row| row.get(0)).collect()
}
