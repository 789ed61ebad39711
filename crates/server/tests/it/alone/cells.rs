//! An organization moves from one PostgreSQL to another with the scripts of docs/cells, while it is billed.

use billing::id::Ids;
use billing::sharding::ShardPlacement;
use engine::Engine;
use gateway::Sandbox;
use server::demo::plan::DemoPlan;
use server::demo::story::build;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use store::{Options, Store};
use testbed::Server;

/// A PostgreSQL with one database of books.
struct Cell(Server);

impl Cell {
    fn new() -> Cell {
        let quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=logical"];
        Cell(Server::start_with(&quick).unwrap())
    }

    async fn engine(&self, seed: u64) -> Engine {
        let store = Store::connect(&self.0.address(), Options::default()).await.unwrap();
        Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(seed))
    }

    fn psql(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(Server::binaries().unwrap().join("psql"));
        let address = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", self.0.port());
        let output = command.args([&address, "-XqAt"]).args(arguments).output().unwrap();
        let said = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
        if output.status.success() { Ok(said(output.stdout)) } else { Err(said(output.stderr)) }
    }

    fn ask(&self, sql: &str) -> String {
        self.psql(&["-c", sql]).unwrap()
    }

    /// Asks until the answer is yes.
    fn wait_until(&self, sql: &str) {
        let waited = (0..2_000).any(|_| self.ask(&format!("select {sql} from pg_sleep(0.02)")) == "t");
        assert!(waited, "never: {sql}");
    }

    fn script(&self, name: &str, more: &[&str]) -> Result<String, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cells").join(name);
        let told = ["-v", "environment=2", "-f", path.to_str().unwrap()];
        self.psql(&[more, &told].concat())
    }
}

/// Bills a month more.
async fn go_on(engine: &Engine, environment: i64, days: i64) -> u64 {
    let clock = engine.environment(environment).await.unwrap().clock.unwrap();
    let done = engine.advance_clock(environment, clock.plus_days(days).unwrap()).await.unwrap();
    done.subscription_steps
}

async fn agrees(engine: &Engine) -> bool {
    let report = engine.audit(None, Box::new(|_| {})).await.unwrap();
    report.disagreements.iter().for_each(|found| eprintln!("{found}"));
    report.agrees()
}

const ROWS: &str =
    "select (select count(*) from invoices) || ' ' || (select count(*) from postings) || ' ' ||
     (select coalesce(sum(total), 0) from invoices) || ' ' || (select count(*) from list_entries)";

#[tokio::test]
async fn an_organization_moves_to_another_server_while_it_is_billed() {
    let (here, there) = (Cell::new(), Cell::new());
    let source = here.engine(1).await;
    source.store().spread(ShardPlacement::by_organization(4)).await.unwrap();
    for seed in [1, 2] {
        build(&source, DemoPlan::new(2, 6, seed).unwrap(), &|_, _| {}).await.unwrap();
    }
    Store::connect(&there.0.address(), Options::default()).await.unwrap().close().await.unwrap();
    here.script("publish.sql", &[]).unwrap();
    let place = format!("source=host=127.0.0.1 port={} user=postgres dbname=postgres", here.0.port());
    there.script("subscribe.sql", &["-v", "shards=4", "-v", &place]).unwrap();
    // It goes on being billed while its rows are copied, and after.
    let mut steps = go_on(&source, 2, 20).await;
    there.wait_until("not exists (select 1 from pg_subscription_rel where srsubstate <> 'r')");
    steps += go_on(&source, 2, 40).await;
    assert!(steps > 10, "{steps} steps");
    // Its servers are stopped, and what is under way arrives.
    source.store().close().await.unwrap();
    let end = here.ask("select pg_current_wal_lsn()");
    here.wait_until(&format!(
        "exists (select 1 from pg_stat_replication where application_name = 'move_2' and replay_lsn >= '{end}')"
    ));
    assert!(here.script("forget.sql", &[]).is_err(), "the other server would forget it too");
    there.ask("drop subscription move_2");
    let (ours, theirs) = (here.ask(ROWS), there.ask(ROWS));
    here.script("forget.sql", &[]).unwrap();
    let left = here.ask(ROWS);
    let numbers = |rows: &str| rows.split(' ').map(|n| n.parse::<i64>().unwrap()).collect::<Vec<_>>();
    for ((all, moved), left) in numbers(&ours).into_iter().zip(numbers(&theirs)).zip(numbers(&left)) {
        assert!(moved > 0 && left > 0 && all == moved + left, "{ours}: {theirs} and {left}");
    }
    // Each server has one organization, whole, and goes on with it.
    let (source, target) = (here.engine(2).await, there.engine(3).await);
    for (engine, number) in [(&source, 1), (&target, 2)] {
        let environments = engine.environments().await.unwrap();
        assert_eq!(environments.iter().map(|one| one.number).collect::<Vec<_>>(), [number]);
        assert!(agrees(engine).await, "environment {number}");
        assert!(go_on(engine, number, 30).await > 0);
        assert!(agrees(engine).await, "environment {number}");
    }
    assert_eq!(target.store().spreading(), ShardPlacement::by_organization(4));
}

#[tokio::test]
async fn an_organization_that_shares_its_shard_is_not_published() {
    let here = Cell::new();
    let engine = here.engine(1).await;
    for seed in [1, 2] {
        build(&engine, DemoPlan::new(1, 1, seed).unwrap(), &|_, _| {}).await.unwrap();
    }
    let refused = here.script("publish.sql", &[]).unwrap_err();
    assert!(refused.contains("share the shard"), "{refused}");
}
