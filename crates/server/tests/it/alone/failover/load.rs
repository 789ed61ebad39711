//! People who use two servers at once, and remember what they were promised.

use super::http::{Answer, ask};
use super::shop::{Ask, Shop};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};

const WRITERS: usize = 5;
/// The server that gives a request two seconds.
const HASTY: usize = 1;
/// How long a write is repeated until it is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a client asks at most: the database shall be busy, not the machine.
const PACE: Duration = Duration::from_millis(100);

/// A write that was acknowledged.
#[derive(Clone)]
pub(crate) struct Acked {
    pub(crate) ask: Ask,
    pub(crate) answer: Value,
    /// Which server acknowledged it, and when.
    pub(crate) server: usize,
    pub(crate) at: Instant,
    /// How many times it had been asked before without a word on whether it was done.
    pub(crate) in_doubt: u32,
    /// Whether it had been done by one of those.
    pub(crate) was_done: bool,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) acked: Vec<Acked>,
    /// Writes of which somebody was not told whether they were done, and who did not ask again.
    pub(crate) given_up: Vec<Ask>,
    /// Answers to reads, by status.
    pub(crate) reads: BTreeMap<u16, u32>,
}

/// Writers and readers at work.
pub(crate) struct Load {
    pub(crate) seen: Arc<Mutex<Seen>>,
    is_over: Arc<AtomicBool>,
    people: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(shop: &Arc<Shop>) -> Load {
        let (seen, is_over) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let mut people = Vec::new();
        for writer in 0..WRITERS {
            people.push(tokio::spawn(write(shop.clone(), seen.clone(), is_over.clone(), writer)));
        }
        people.push(tokio::spawn(write_and_give_up(shop.clone(), seen.clone(), is_over.clone())));
        for face in 0..shop.reads.len() {
            people.push(tokio::spawn(read(shop.clone(), seen.clone(), is_over.clone(), face)));
        }
        Load { seen, is_over, people }
    }

    /// How many writes each server has acknowledged.
    pub(crate) fn acked(&self) -> [usize; 2] {
        let seen = self.seen.lock().unwrap();
        [0, 1].map(|server| seen.acked.iter().filter(|acked| acked.server == server).count())
    }

    /// How many writes somebody gave up.
    pub(crate) fn given_up(&self) -> usize {
        self.seen.lock().unwrap().given_up.len()
    }

    /// Whether somebody found something wrong.
    pub(crate) fn has_stopped(&self) -> bool {
        self.people.iter().any(JoinHandle::is_finished)
    }

    /// Lets everybody finish what they have begun.
    pub(crate) async fn stop(self) -> Seen {
        self.is_over.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await.unwrap();
        }
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

/// Signs up one customer after another.
async fn write(shop: Arc<Shop>, seen: Arc<Mutex<Seen>>, is_over: Arc<AtomicBool>, writer: usize) {
    let (mut number, mut pace) = (0, interval(PACE));
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        for (n, ask) in shop.sign_up(writer, number).into_iter().enumerate() {
            pace.tick().await;
            let acked = insist(&shop, &ask, writer + number + n).await;
            seen.lock().unwrap().acked.push(acked);
        }
    }
}

/// Signs up customers by way of the server that soon says "not now", and leaves one when it does.
async fn write_and_give_up(shop: Arc<Shop>, seen: Arc<Mutex<Seen>>, is_over: Arc<AtomicBool>) {
    let (mut number, mut pace) = (0, interval(PACE));
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        for ask in shop.sign_up(WRITERS, number) {
            pace.tick().await;
            let Ok(answer) = once(&shop, &ask, HASTY).await else { panic!("{} is not answered", ask.key) };
            match answer.status {
                200..300 => {
                    let (answer, at) = (answer.json(), Instant::now());
                    let acked = Acked { ask, answer, server: HASTY, at, in_doubt: 0, was_done: false };
                    seen.lock().unwrap().acked.push(acked);
                }
                503 => {
                    shop.check_refusal(&ask.target, &answer);
                    seen.lock().unwrap().given_up.push(ask);
                    break;
                }
                status => panic!("{} {}: {status} {}", ask.target, ask.body, answer.body),
            }
        }
    }
}

/// Asks for one write, of one server and then the other, until it is acknowledged.
pub(crate) async fn insist(shop: &Shop, wanted: &Ask, first: usize) -> Acked {
    let until = Instant::now() + PATIENCE;
    let (mut server, mut in_doubt) = (first % 2, 0);
    let mut pace = interval(PACE);
    loop {
        pace.tick().await;
        match once(shop, wanted, server).await {
            Ok(answer) if answer.status < 300 => {
                let was_done = answer.header("idempotency-replayed") == "true";
                let ask = wanted.clone();
                return Acked { ask, answer: answer.json(), server, at: Instant::now(), in_doubt, was_done };
            }
            Ok(answer) if answer.status == 503 => {
                shop.check_refusal(&wanted.target, &answer);
                in_doubt += 1;
            }
            // The first request is still under way: this one knows no more than before.
            Ok(answer) if answer.status == 409 && answer.header("x-should-retry") == "true" => {}
            Ok(answer) => panic!("{} {}: {} {}", wanted.target, wanted.body, answer.status, answer.body),
            Err(_) => in_doubt += 1,
        }
        assert!(Instant::now() < until, "{} is not acknowledged", wanted.key);
        server = 1 - server;
    }
}

async fn once(shop: &Shop, wanted: &Ask, server: usize) -> std::io::Result<Answer> {
    let headers = [("authorization", wanted.authorization.as_str()), ("idempotency-key", &wanted.key)];
    ask(&shop.servers[server], "POST", &wanted.target, &headers, &wanted.body).await
}

/// Reads one face again and again, on one server and then the other.
async fn read(shop: Arc<Shop>, seen: Arc<Mutex<Seen>>, is_over: Arc<AtomicBool>, face: usize) {
    let (target, headers) = &shop.reads[face];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (mut n, mut pace) = (face, interval(PACE));
    while !is_over.load(Ordering::Relaxed) {
        pace.tick().await;
        n += 1;
        let answer = ask(&shop.servers[n % 2], "GET", target, &headers, "").await.unwrap();
        match answer.status {
            200 => assert!(answer.json().is_object(), "{target}: {}", answer.body),
            503 => shop.check_refusal(target, &answer),
            status => panic!("{target}: {status} {}", answer.body),
        }
        *seen.lock().unwrap().reads.entry(answer.status).or_default() += 1;
    }
}

/// A body with the words that a face has for "not now".
pub(crate) fn words(target: &str) -> Value {
    if target.starts_with("/api/v1/profile") {
        json!({"code": 503})
    } else if target.starts_with("/api/v1/admin") {
        json!({"error": "Service Unavailable", "statusCode": 503})
    } else if target.starts_with("/api/v1") {
        json!({"code": "SERVICE_UNAVAILABLE"})
    } else if target.starts_with("/v1") {
        json!({"http_status": "service_unavailable", "code": "service_unavailable"})
    } else {
        json!({"status_code": 503})
    }
}
