//! The database is lost while two servers answer and bill: nothing that was acknowledged is lost, nothing
//! is done twice, and both go on by themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod books;
mod http;
mod load;
mod program;
mod shop;

use load::{Load, Seen, insist};
use program::{Serving, run};
use shop::{Kind, Shop};
use std::io::Write;
use std::sync::Arc;
use tempfile::TempDir;
use testbed::{Cluster, Timing, until};
use tokio::time::Instant;

/// Patroni advises a ttl of 20 seconds at least; a test has less time.
const TIMING: Timing = Timing { ttl: 10, loop_wait: 1, retry_timeout: 3 };
/// How many writes each server acknowledges between two blows.
const WRITES: usize = 60;

/// Both servers acknowledge more writes, and bill more.
async fn both_go_on(load: &Load, servers: &mut [Serving; 2]) {
    let (acked, billed) = (load.acked(), [servers[0].billed(), servers[1].billed()]);
    until("both servers go on", async || {
        assert!(!load.has_stopped(), "one of those who use the servers has stopped");
        let now = load.acked();
        (0..2).all(|n| now[n] >= acked[n] + WRITES && servers[n].billed() > billed[n])
    })
    .await;
    assert!(servers.iter_mut().all(Serving::runs), "a server has ended");
}

/// Says what came of one blow: past the capture of the test's output, because somebody wants to know.
fn tell(what: &str, seen: &Seen, from: Instant, to: Instant) {
    let acked: Vec<_> = seen.acked.iter().filter(|acked| acked.at >= from && acked.at < to).collect();
    let gap = |server: Option<usize>| {
        let some = acked.iter().filter(|acked| server.is_none_or(|server| acked.server == server));
        let mut times: Vec<Instant> = some.map(|acked| acked.at).chain([from]).collect();
        times.sort_unstable();
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap_or_default().as_secs_f32()
    };
    let in_doubt = acked.iter().filter(|acked| acked.in_doubt > 0);
    let (repeated, done) = (in_doubt.clone().count(), in_doubt.filter(|acked| acked.was_done).count());
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "failover: {what}: longest gap between acknowledged writes {:.1} s (several hosts {:.1} s, HAProxy \
         {:.1} s); {} acknowledged, {repeated} of them after they were in doubt, of which {done} had been done",
        gap(None),
        gap(Some(0)),
        gap(Some(1)),
        acked.len(),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_primary_is() {
    let mut cluster = Cluster::start(TIMING).await.unwrap_or_else(|missing| panic!("{missing}"));
    let folder = TempDir::new().unwrap();
    let address = cluster.address();
    let key = Shop::open(folder.path(), &address, "8");
    // One knows every host, the other what HAProxy knows; one waits, the other soon says "not now".
    let mut servers = [
        Serving::start(folder.path(), &address, "hosts", &["--tick-seconds", "1"]),
        Serving::start(
            folder.path(),
            &cluster.balanced(),
            "haproxy",
            &["--tick-seconds", "1", "--request-seconds", "2"],
        ),
    ];
    let addresses = [0, 1].map(|n: usize| servers[n].address.clone());
    let start = books::start_of_subscriptions(&cluster).await;
    let shop = Arc::new(Shop::new(folder.path(), &address, key, addresses, start).await);
    let load = Load::start(&shop);
    both_go_on(&load, &mut servers).await;

    let first_blow = Instant::now();
    let primary = cluster.primary().await.unwrap();
    cluster.kill_server(primary);
    until("another member leads", async || cluster.primary().await.is_some_and(|now| now != primary)).await;
    both_go_on(&load, &mut servers).await;
    cluster.whole().await;

    let second_blow = Instant::now();
    let primary = cluster.primary().await.unwrap();
    cluster.kill_machine(primary);
    until("another member leads", async || cluster.primary().await.is_some_and(|now| now != primary)).await;
    both_go_on(&load, &mut servers).await;

    let seen = load.stop().await;
    tell("the server of the primary was killed", &seen, first_blow, second_blow);
    tell("the machine of the primary was killed", &seen, second_blow, Instant::now());
    let commits = [0, 1].map(|n: usize| servers[n].commits_in_doubt());
    let _ = writeln!(
        std::io::stdout().lock(),
        "failover: {} commits were in doubt and looked up; reads by status: {:?}",
        commits[0] + commits[1],
        seen.reads
    );
    until("all is billed", async || books::nothing_is_due(&cluster).await).await;
    books::check(&cluster, &seen.acked).await;
    // Whoever asks again is told the same, by the other server too.
    for acked in seen.acked.iter().filter(|acked| acked.in_doubt > 0 || acked.ask.kind == Kind::Subscription)
    {
        let again = insist(&shop, &acked.ask, 1 - acked.server).await;
        assert!(again.was_done, "{} was done again", acked.ask.key);
        assert_eq!(books::id(&again.answer), books::id(&acked.answer), "{}", acked.ask.key);
    }
    assert_eq!(servers[0].errors(), [""; 0], "who waits has nothing to complain of");
    let others = servers[1].errors();
    assert!(others.iter().all(|error| error == "the request took too long"), "{others:?}");
    assert!(run(folder.path(), &address, &["audit"]).ends_with("the books agree"));
}
