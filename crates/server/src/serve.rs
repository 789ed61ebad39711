//! The socket: connections in, answers out, until somebody says stop; and what runs beside them.

use crate::app::App;
use crate::middleware::Service;
use crate::router;
use billing::timestamp::Timestamp;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::Node;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval};

/// How a server serves.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// How often it looks for what is due; none if something else does.
    pub tick: Option<Duration>,
    /// How long requests that have begun may go on after a stop.
    pub grace: Duration,
    /// How long the end may take after them: what cannot be saved by then is left.
    pub parting: Duration,
    /// Connections at a time; further ones wait.
    pub connections_max: usize,
    /// What this process is called among those that share the work; its address and number if not said.
    pub node: Option<String>,
    /// How long the head of a request may take, and a connection be idle.
    pub head_time: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            tick: Some(Duration::from_secs(5)),
            grace: Duration::from_secs(20),
            parting: Duration::from_secs(10),
            connections_max: 10_000,
            node: None,
            head_time: Duration::from_secs(30),
        }
    }
}

/// Bytes of the head of a request that are kept waiting for more; hyper reads up to twice as many at
/// once, and answers a longer head with 431.
const HEAD_BYTES: usize = 32 << 10;
/// Header lines of a request; more are answered with 431.
const HEADERS_MAX: usize = 100;
/// How long a shard is leased at a time: what a process that died had leased passes on after that.
pub(crate) const LEASE_SECONDS: i64 = 8;
/// How often its lease is renewed, and one that bills nothing says that it is there.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// How often answers to repeatable writes are saved.
const SAVE_EVERY: Duration = Duration::from_millis(250);
/// How often the uses of credentials are noted.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// A server that has its address.
pub struct Server {
    listener: TcpListener,
    service: Service,
    options: ServeOptions,
}

/// How many threads read requests and render answers. With books in a file one core is left to the
/// store's own threads: one thread more on two cores costs a write that comes alone a tenth of its time
/// in wake-ups. With books in a database there are no other threads.
pub fn worker_threads(database: Option<&str>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if database.is_some_and(store::is_url) { cores } else { (cores - 1).max(1) }
}

impl Server {
    /// Takes an address; port 0 lets the kernel pick one.
    ///
    /// # Errors
    /// If it is taken or not ours.
    pub async fn bind(app: App, address: SocketAddr, options: ServeOptions) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, service: router::service(app), options })
    }

    /// The address that it has.
    ///
    /// # Errors
    /// If the kernel does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then finishes what has begun, within the grace, and closes the books, within the
    /// time that there is for it: a database that is away holds up nobody who wants to stop.
    ///
    /// # Errors
    /// If the books cannot be closed.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), store::Error> {
        let app = self.service.app().clone();
        let (node, held, ends) = (self.node(&app), LeaseWatch::default(), Arc::new(Notify::new()));
        let there = match self.options.tick {
            Some(_) => tokio::spawn(keep_leases(app.clone(), node.clone(), held.clone(), ends.clone())),
            None => tokio::spawn(say_who_answers(app.clone(), node.clone(), ends.clone())),
        };
        let beside = [
            self.options
                .tick
                .map(|every| tokio::spawn(bill_what_falls_due(app.clone(), every, held.clone()))),
            Some(tokio::spawn(save_answers(app.clone()))),
            Some(tokio::spawn(note_uses(app.clone()))),
        ];
        let connections = GracefulShutdown::new();
        tokio::select! {
            () = self.accept(&connections) => {}
            () = stop => {}
        }
        tracing::info!("stopping");
        let ServeOptions { grace, parting, .. } = self.options;
        drop(self);
        if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
            tracing::warn!("requests were cut off after {} seconds", grace.as_secs());
        }
        beside.into_iter().flatten().for_each(|task: JoinHandle<()>| task.abort());
        let end = Instant::now() + parting;
        tokio::join!(
            by(end, "saving answers to requests", save_all(&app)),
            by(end, "noting the uses of credentials", note_all(&app)),
            by(end, "giving back the leases, which pass on when they are over", async {
                // A claim that is under way would be written after the leases are given back. If its task
                // panicked there is none.
                ends.notify_one();
                let _ = there.await;
                release(&app, &node).await;
            }),
        );
        by(end, "closing the books", app.engine.store().close()).await.unwrap_or(Ok(()))
    }

    /// What this process is called among those that share the work.
    fn node(&self, app: &App) -> Node {
        let mut id = [0; 16];
        (app.entropy)(&mut id);
        let address = self.address().map(|address| address.to_string()).unwrap_or_default();
        let name = self.options.node.clone().unwrap_or_else(|| format!("{address} ({})", std::process::id()));
        Node { id: u128::from_be_bytes(id), name }
    }

    async fn accept(&self, connections: &GracefulShutdown) {
        let places = Arc::new(Semaphore::new(self.options.connections_max));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let socket = match self.listener.accept().await {
                Ok((socket, _)) => socket,
                Err(error) => {
                    // Out of file descriptors, mostly: it passes when connections end.
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let connection = connections.watch(self.connection(socket));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "connection");
                }
                drop(place);
            });
        }
    }

    fn connection(
        &self,
        socket: TcpStream,
    ) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + 'static {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "nodelay");
        }
        let service = self.service.clone();
        let service = service_fn(move |request| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.respond(request).await) }
        });
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.head_time)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(socket), service)
    }
}

/// Finishes what is due in live books. Test books move by their own clocks only.
async fn bill_what_falls_due(app: App, every: Duration, held: LeaseWatch) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = Vec::new();
    loop {
        ticks.tick().await;
        loop {
            match bill_once(&app, &held, &mut known).await {
                Ok(Round::Whole) => break,
                Ok(Round::Part) => {}
                Err(error) => {
                    tracing::error!(%error, "billing failed; it is tried again at the next tick");
                    break;
                }
            }
        }
    }
}

/// How much was billed.
enum Round {
    /// All shards that are held.
    Whole,
    /// Some of them: the others are next.
    Part,
}

/// The shards that this process has leased, until when.
#[derive(Debug, Clone, Default)]
struct Lease {
    shards: Vec<i64>,
    until: Option<Timestamp>,
    /// How often shards were leased that had not been before.
    gains: u64,
}

type LeaseWatch = Arc<watch::Sender<Lease>>;

/// Leases this process's part of the shards again and again, until the process ends. Those that it cannot
/// renew are others' when their lease is over.
async fn keep_leases(app: App, node: Node, held: LeaseWatch, ends: Arc<Notify>) {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while goes_on(&mut ticks, &ends).await {
        let clock = app.clock.now.clone();
        match app.engine.store().claim_shards(&node, LEASE_SECONDS, move || clock()).await {
            Ok((shards, until)) => held.send_modify(|lease| {
                let has_gained = shards.iter().any(|shard| !lease.shards.contains(shard));
                let gains = lease.gains + u64::from(has_gained);
                *lease = Lease { shards, until: Some(until), gains };
            }),
            Err(error) => tracing::warn!(%error, "the leases of shards cannot be renewed"),
        }
    }
}

/// Says again and again that this process is there, though it does not bill, until it ends.
async fn say_who_answers(app: App, node: Node, ends: Arc<Notify>) {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while goes_on(&mut ticks, &ends).await {
        let clock = app.clock.now.clone();
        if let Err(error) = app.engine.store().heartbeat(&node, move || clock()).await {
            tracing::warn!(%error, "nobody can be told that this server is there");
        }
    }
}

/// Waits for the next tick; false if the process ends before.
async fn goes_on(ticks: &mut Interval, ends: &Notify) -> bool {
    tokio::select! {
        biased;
        () = ends.notified() => false,
        _ = ticks.tick() => true,
    }
}

/// Bills what is due in the shards that are held; in those that were not known before alone, if there are
/// some: what is due there has waited for its turn since another process died. For the same reason the
/// round comes to its end early when shards are gained meanwhile.
async fn bill_once(app: &App, held: &LeaseWatch, known: &mut Vec<i64>) -> Result<Round, engine::Error> {
    let mut leased = held.subscribe();
    let Lease { shards, gains, .. } = match leased.wait_for(|lease| !lease.shards.is_empty()).await {
        Ok(lease) => lease.clone(),
        Err(_) => return Ok(Round::Whole),
    };
    let mut round = shards.clone();
    round.retain(|shard| !known.contains(shard));
    if round.is_empty() {
        round.clone_from(&shards);
    }
    let is_part = round.len() < shards.len();
    *known = shards;
    let (holder, clock) = (held.clone(), app.clock.now.clone());
    let holds: engine::Holds = Arc::new(move |shard| {
        let lease = holder.borrow();
        lease.gains == gains
            && lease.shards.contains(&shard)
            && lease.until.is_some_and(|until| clock() < until)
    });
    for environment in app.engine.environments().await? {
        if environment.clock.is_some() {
            continue;
        }
        if held.borrow().gains != gains {
            return Ok(Round::Part);
        }
        let number = environment.number;
        // What is wrong in the books of one is no reason not to bill the others.
        match app.engine.run_due_in(number, app.real_now(), round.clone(), holds.clone()).await {
            Ok(done) if done.is_nothing() => {}
            Ok(done) => tracing::info!(environment = number, ?done, "billed"),
            Err(error) => {
                tracing::error!(environment = number, %error, "billing failed; it is tried again at the next tick");
            }
        }
    }
    if is_part || held.borrow().gains != gains {
        return Ok(Round::Part);
    }
    app.engine.forget_requests(app.real_now()).await?;
    Ok(Round::Whole)
}

async fn save_answers(app: App) {
    let mut ticks = tokio::time::interval(SAVE_EVERY);
    loop {
        ticks.tick().await;
        save_all(&app).await;
    }
}

async fn save_all(app: &App) {
    if let Err(error) = app.requests.save(&app.engine).await {
        tracing::error!(%error, "answers could not be saved; they stay in memory");
    }
}

async fn note_uses(app: App) {
    let mut ticks = tokio::time::interval(NOTE_EVERY);
    loop {
        ticks.tick().await;
        note_all(&app).await;
    }
}

async fn note_all(app: &App) {
    if let Err(error) = app.engine.note_credentials_used(app.authenticator.take_used()).await {
        tracing::error!(%error, "the uses of credentials could not be noted");
    }
}

async fn release(app: &App, node: &Node) {
    if let Err(error) = app.engine.store().release(node.id).await {
        tracing::warn!(%error, "the leases were not given back; they pass on when they are over");
    }
}

/// Does one of the last things, unless time is over before.
async fn by<T>(end: Instant, what: &str, last: impl Future<Output = T>) -> Option<T> {
    let outcome = tokio::time::timeout_at(end, last).await.ok();
    if outcome.is_none() {
        tracing::warn!("there was no time left for {what}");
    }
    outcome
}

/// Waits until the process is asked to stop: SIGINT or SIGTERM.
pub fn asked_to_stop() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let asked = {
        use tokio::signal::unix::{SignalKind, signal};
        // Heard from now on: whoever reads that it serves may tell it to stop.
        let [interrupted, terminated] =
            [SignalKind::interrupt(), SignalKind::terminate()].map(signal).map(|heard| async {
                match heard {
                    Ok(mut signals) => drop(signals.recv().await),
                    Err(error) => never(&error).await,
                }
            });
        async {
            tokio::select! {
                () = interrupted => {}
                () = terminated => {}
            }
        }
    };
    #[cfg(not(unix))]
    let asked = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            never(&error).await;
        }
    };
    asked
}

async fn never(error: &std::io::Error) {
    tracing::error!(%error, "signals cannot be heard");
    std::future::pending().await
}
