//! The database is lost while two servers answer and bill: nothing that was acknowledged is lost, nothing
//! is done twice, and both go on by themselves.

mod books;
mod http;
mod load;
mod program;
mod shop;

use load::{Load, Seen, insist};
use program::{Serving, run};
use shop::{Ask, Kind, Shop};
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

/// While no follower can take a commit nobody is told that one stands.
async fn be_alone_and_strict(cluster: &mut Cluster, load: &Load) {
    cluster.be_strict(true).await;
    let leader = cluster.primary().await.unwrap();
    let followers: Vec<usize> = (0..3).filter(|member| *member != leader).collect();
    followers.iter().for_each(|follower| cluster.kill_machine(*follower));
    let more_are_refused = async |more: usize| {
        let refused = load.given_up() + more;
        until("writes are refused", async || load.given_up() >= refused).await;
    };
    // What a follower had taken may be answered yet.
    more_are_refused(2).await;
    let acked = load.acked();
    more_are_refused(2).await;
    assert_eq!(load.acked(), acked, "a commit on one disk was acknowledged");
    followers.iter().for_each(|follower| cluster.revive(*follower));
    cluster.whole().await;
    assert_eq!(cluster.primary().await, Some(leader));
}

/// Asks again, of both servers, for what somebody was left in doubt about: each is one thing.
async fn settle(shop: &Shop, given_up: Vec<Ask>, seen: &mut Seen) {
    let (all, mut had_been_done) = (given_up.len(), 0);
    for ask in given_up {
        let [first, second] = [insist(shop, &ask, 0).await, insist(shop, &ask, 1).await];
        had_been_done += usize::from(first.was_done);
        assert!(second.was_done, "{} was done again", ask.key);
        assert_eq!(books::id(&first.answer), books::id(&second.answer), "{}", ask.key);
        seen.acked.push(first);
    }
    let mut out = std::io::stdout().lock();
    let _ =
        writeln!(out, "failover: {all} writes were answered 503 and given up: {had_been_done} had been done");
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

    let handed_over = Instant::now();
    let primary = cluster.primary().await.unwrap();
    cluster.switch_over(primary).await;
    until("another member leads", async || cluster.primary().await.is_some_and(|now| now != primary)).await;
    both_go_on(&load, &mut servers).await;
    cluster.whole().await;

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

    cluster.revive(primary);
    cluster.whole().await;
    let alone = Instant::now();
    be_alone_and_strict(&mut cluster, &load).await;
    both_go_on(&load, &mut servers).await;

    let mut seen = load.stop().await;
    tell("the lead was handed over", &seen, handed_over, first_blow);
    tell("the server of the primary was killed", &seen, first_blow, second_blow);
    tell("the machine of the primary was killed", &seen, second_blow, alone);
    tell("both followers were away in strict mode", &seen, alone, Instant::now());
    let commits = [0, 1].map(|n: usize| servers[n].commits_in_doubt());
    let _ = writeln!(
        std::io::stdout().lock(),
        "failover: {} commits were in doubt and looked up; reads by status: {:?}",
        commits[0] + commits[1],
        seen.reads
    );
    until("all is billed", async || books::nothing_is_due(&cluster).await).await;
    let given_up = std::mem::take(&mut seen.given_up);
    books::check(&cluster, &seen.acked, &given_up).await;
    // A machine that dies takes longer to be missed than the one server gives a request.
    assert!(!given_up.is_empty(), "nobody was left in doubt");
    settle(&shop, given_up, &mut seen).await;
    until("all is billed", async || books::nothing_is_due(&cluster).await).await;
    books::check(&cluster, &seen.acked, &[]).await;
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
