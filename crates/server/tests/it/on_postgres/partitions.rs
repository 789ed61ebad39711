//! A whole demo on tables that are cut into partitions by the shard, as a distributed engine would cut
//! them: every statement about such tables looks into one partition, or stands on a list that says why not.

use crate::fixtures::demo_server::DemoServer;
use std::collections::BTreeSet;
use testbed::{Books, Tables, as_written};

const PARTITIONS: u32 = 8;

/// The statements about all shards: why, and words of each that no other has.
const SWEEPS: &[(&str, &[&str])] = &[
    (
        "a page of a list of an environment",
        &[
            "from customers t where t.environment = $1 and t.id > $2",
            "from payment_methods t where t.environment = $1 and t.id > $2",
            "from subscriptions t where t.environment = $1 and t.id > $2",
            "from payments t where t.environment = $1 and t.id > $2",
            "from purchases t where t.environment = $1 and t.id > $2",
            "from invoice_lines t where t.environment = $1 and t.id > $2",
            "from invoices t where t.environment = $1 and t.ordinal > $2",
        ],
    ),
    ("a page of the periods of an environment, by their numbers", &["left join periods p on p.environment"]),
    (
        "the audit counts what an environment has a tally of",
        &[
            "select count(*) from customers where environment = $1",
            "select count(*) from payment_methods where environment = $1",
            "select count(*) from subscriptions where environment = $1",
            "select count(*) from periods where environment = $1",
            "select count(*) from payments where environment = $1",
            "select count(*) from refunds where environment = $1",
            "select count(*) from purchases where environment = $1",
            "select count(*) from invoices where environment = $1",
            "select count(*) from invoice_lines where environment = $1",
        ],
    ),
    (
        "the audit looks whether numbers of an environment are given twice",
        &[
            "from subscriptions where environment = $1 and number > 0",
            "from periods where environment = $1 and number > 0",
            "from invoices where environment = $1 group by number",
        ],
    ),
    (
        "the audit walks through a table by its key",
        &[
            "e.customer_id as by_external_id, h.customer_id as by_handle from customers c",
            "select c.shard, c.id from customers c where (c.shard, c.id) > ($1, $2)",
            "from invoices i where i.environment = $1 and i.ordinal > $2",
            "where (p.shard, p.id) > ($1, $2)",
            "from credits c left join payments p on p.shard = c.shard",
            "where (j.shard, j.id) > ($1, $2)",
            "where (p.shard, p.entry_id) > ($1, $2)",
        ],
    ),
    ("the audit looks which counted lists there are", &["from list_entries union select"]),
    ("simulated worlds look which customers have moved", &["select c.id, v.version from customers c join"]),
];

/// A look into a partition, and whether it is by a shard that is known before: then PostgreSQL opens none
/// but that one, even if the shard is that of a row outside and the plan names all of them.
struct Look {
    partition: u32,
    is_by_shard: bool,
    is_executed: bool,
}

fn looks(plan: &[String]) -> Vec<Look> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let of_line = |(at, line): (usize, &String)| {
        let scanned = line.split(" on ").nth(1).filter(|_| line.contains("Scan"))?;
        let partition = scanned.split(' ').next()?.rsplit_once('_')?.1.parse().ok()?;
        let about = plan[at + 1..].iter().take_while(|below| depth(below) > depth(line));
        let mut conditions = about.filter(|below| below.contains("Cond: ") || below.contains("Filter: "));
        let is_by_shard = conditions.any(|c| c.contains("(shard = ") || c.contains(" = shard)"));
        Some(Look { partition, is_by_shard, is_executed: !line.contains("never executed") })
    };
    plan.iter().enumerate().filter_map(of_line).collect()
}

/// The partitions that a plan looked into when it was executed, or would.
fn looked_into(plan: &[String]) -> BTreeSet<u32> {
    looks(plan).iter().filter(|look| look.is_executed).map(|look| look.partition).collect()
}

/// Whether a plan looks into partitions without a shard to go by.
fn sweeps(plan: &[String]) -> bool {
    let looks = looks(plan);
    let named: BTreeSet<u32> = looks.iter().map(|look| look.partition).collect();
    named.len() > 1 && looks.iter().any(|look| !look.is_by_shard)
}

/// The tables that are cut.
struct Cut(BTreeSet<String>);

impl Cut {
    async fn of(books: &Books) -> Cut {
        let names = books.texts("select relname::text from pg_class where relkind = 'p'").await;
        Cut(names.into_iter().map(|row| row[0].clone().unwrap()).collect())
    }

    /// The statements about them that this process executed.
    fn seen(&self, on: &str) -> BTreeSet<String> {
        testbed::seen(on).into_iter().filter(|sql| self.is_about(sql)).collect()
    }

    /// Those too that other tests executed, if the test command says where they are.
    fn known(&self, on: &str) -> BTreeSet<String> {
        let elsewhere = testbed::seen_elsewhere(on).into_iter().filter(|sql| self.is_about(sql));
        elsewhere.chain(self.seen(on)).collect()
    }

    fn is_about(&self, sql: &str) -> bool {
        let words: Vec<&str> = sql.split([' ', '(', ')', ',']).collect();
        let is_named =
            |pair: &[&str]| ["from", "join", "into", "update"].contains(&pair[0]) && self.0.contains(pair[1]);
        words.windows(2).any(is_named)
    }
}

/// Copies the books into others.
async fn copy(from: &Books) {
    let (source, target) = (from.open().await, Books::partitioned(PARTITIONS).await.open().await);
    let compared = store::copy::run(&source, &target, &|_| {}).await.unwrap();
    assert!(compared.iter().all(store::copy::Compared::agrees));
    source.close().await.unwrap();
    target.close().await.unwrap();
}

/// The statement that begins to read a table, for one that goes on after a key.
fn first_of_its_table(sql: &str) -> String {
    let goes_on = sql.split_once(" where (").filter(|_| sql.ends_with(" limit 500"));
    let first = goes_on.and_then(|(all, after)| Some((all, after.split_once(" order by ")?.1)));
    first.map_or(sql.to_owned(), |(all, by)| format!("{all} order by {by}"))
}

/// What is wrong with the statements as they were written; `copying` reads whole tables.
async fn wrong_alone(books: &Books, cut: &Cut, copying: &BTreeSet<String>) -> Vec<String> {
    let (mut wrong, mut swept) = (Vec::new(), Vec::new());
    let over = testbed::OVER_ARRAYS.iter().flat_map(|on| cut.known(on)).map(|sql| as_written(&sql));
    let all: BTreeSet<String> = over.chain(cut.known("postgres")).collect();
    for sql in all {
        let plan = books.plan(&sql).await;
        match (sweeps(&plan), copying.contains(&first_of_its_table(&sql))) {
            (true, false) => swept.push((sql, plan)),
            (false, true) if !sql.starts_with("insert") => wrong.push(format!("no copy of a table: {sql}")),
            _ => {}
        }
    }
    for words in SWEEPS.iter().flat_map(|(_, words)| *words) {
        let found = swept.iter().filter(|(sql, _)| sql.contains(words)).count();
        if found != 1 {
            wrong.push(format!(
                "on the list, and {found} statements about all shards have these words: {words}"
            ));
        }
    }
    let listed = |sql: &str| SWEEPS.iter().flat_map(|(_, words)| *words).any(|words| sql.contains(words));
    let unlisted = swept.iter().filter(|(sql, _)| !listed(sql));
    wrong.extend(unlisted.map(|(sql, plan)| format!("{sql}\n  {}", plan.join("\n  "))));
    wrong
}

/// What is wrong with those that were made of others for many sets of parameters.
async fn wrong_over_arrays(books: &Books, cut: &Cut) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut look = |sql: &str, plan: Vec<String>| {
        if sweeps(&plan) || looked_into(&plan).len() > 1 {
            wrong.push(format!("{sql}\n  {}", plan.join("\n  ")));
        }
    };
    for sql in cut.known("postgres over arrays") {
        look(&sql, books.steps_for_two(&sql, &as_written(&sql), Tables::AsTheyAre).await);
    }
    for sql in cut.known("postgres written over arrays") {
        let of = as_written(&sql);
        // Each row finds its partition. What is there is not looked at.
        let plan = match sql.starts_with("insert") {
            true => books.plan_for_two(&sql, &of).await,
            // Where a table is so small that this costs less, it is read as a whole.
            false => books.steps_for_two(&sql, &of, Tables::Large).await,
        };
        look(&sql, plan);
    }
    wrong
}

/// A sweep is told from a look by the shard, in books that hold something.
async fn sees_what_it_looks_for(books: &Books) {
    let all = PARTITIONS as usize;
    let without = books.plan("select id from customers where id = $1").await;
    assert!(sweeps(&without) && looked_into(&without).len() == all, "{without:?}");
    let written = "update invoices set settled = 1 where id = $1";
    assert!(sweeps(&books.plan(written).await));
    let over = "update invoices set settled = 1 from unnest($1) as sets (p1) where id = sets.p1";
    assert_eq!(as_written(over), written);
    let over = books.steps_for_two(over, written, Tables::Large).await;
    assert!(sweeps(&over) && looked_into(&over).len() == all, "{over:?}");
    // The shard of a row outside: all partitions are planned for, and one is opened.
    let inside = "select c.id, (select v.version from customer_versions v where v.shard = c.shard
         and v.customer_id = c.id) from customers c where c.shard = 0";
    let (plan, steps) = (books.plan(inside).await, books.steps(inside).await);
    assert_eq!((sweeps(&plan), looked_into(&plan).len(), looked_into(&steps).len()), (false, all, 1));
    let forgotten = inside.replace("v.shard = c.shard", "v.version > 0");
    assert!(sweeps(&books.plan(&forgotten).await));
}

#[tokio::test]
async fn every_statement_looks_into_one_partition_or_says_why_not() {
    testbed::seen("postgres");
    let books = Books::partitioned(PARTITIONS).await;
    let cut = Cut::of(&books).await;
    let server = DemoServer::over(books.clone(), 4, 12, 3).await;
    assert!(server.answers().await.len() > 25);
    let engine = &server.app().engine;
    assert!(engine.audit(None, Box::new(|_| {})).await.unwrap().agrees());
    let moved = engine.store().read(|s| Box::pin(async move { store::audit::versions(s, 1).await }));
    assert!(!moved.await.unwrap().is_empty());
    let before = cut.seen("postgres");
    copy(&books).await;
    let copying = cut.seen("postgres").difference(&before).cloned().collect();

    for (on, least) in [("postgres", 120), ("postgres over arrays", 20), ("postgres written over arrays", 10)]
    {
        let seen = cut.seen(on).len();
        assert!(seen > least, "only {seen} statements on {on}");
    }
    let mut wrong = wrong_alone(&books, &cut, &copying).await;
    wrong.extend(wrong_over_arrays(&books, &cut).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    sees_what_it_looks_for(&books).await;
}
