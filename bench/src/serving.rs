//! Servers to measure: ours over some books, and one that gives bytes from memory.

use crate::books::engine;
use crate::failure::Failure;
use crate::load::Ask;
use axum::Router;
use axum::routing::get;
use billing::credential::{Bearer, KeyScope, Role};
use billing::id::{CustomerId, CustomerUserId, Id, StaffId};
use billing::timestamp::Timestamp;
use bytes::Bytes;
use engine::Engine;
use server::app::{App, AppParts, Clock, Limits};
use server::serve::{ServeOptions, Server};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use store::Synchronous;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that is up, and what it is asked with.
pub(crate) struct Up {
    pub(crate) address: SocketAddr,
    pub(crate) app: App,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), store::Error>>,
}

impl Up {
    /// Serves books, with so much memory for answers.
    pub(crate) async fn new(address: &str, cache_bytes: usize) -> Result<Self, Failure> {
        let app = app(engine(address, Synchronous::Full, 77).await?, cache_bytes);
        let options = ServeOptions { tick: None, ..ServeOptions::default() };
        let server = Server::bind(app.clone(), SocketAddr::from(([127, 0, 0, 1], 0)), options).await?;
        let address = server.address()?;
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            // Dropping the sender stops the server too.
            let _ = stopped.await;
        }));
        Ok(Self { address, app, stop, running })
    }

    /// Stops it and closes the books.
    pub(crate) async fn down(self) -> Result<(), Failure> {
        // A server that has ended already is asked for its reason next.
        let _ = self.stop.send(());
        Ok(self.running.await??)
    }
}

fn app(engine: Engine, cache_bytes: usize) -> App {
    let started = Instant::now();
    App::new(AppParts {
        engine,
        clock: Clock {
            now: Arc::new(|| {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }),
            since: Arc::new(move || started.elapsed()),
        },
        // Nothing here is secret, but books that are kept from run to run must not meet a key again.
        entropy: Arc::new(|bytes: &mut [u8]| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let mut state = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = (state >> 56) as u8;
            }
        }),
        jwt_key: vec![1; 32],
        pepper: vec![2; 32],
        limits: Limits { cache_bytes, ..Limits::default() },
    })
}

/// Credentials for every face, for customers spread over the books.
pub(crate) struct Passes {
    pub(crate) merchant: String,
    pub(crate) periods: String,
    pub(crate) staff: String,
    /// External id, handle and token of some customers.
    pub(crate) customers: Vec<(String, String, String)>,
}

impl Passes {
    /// Gives out credentials for `wanted` customers of the books that are served.
    pub(crate) async fn issue(up: &Up, wanted: usize) -> Result<Self, Failure> {
        let engine = &up.app.engine;
        let now = up.app.real_now();
        engine.put_roles(Role::defaults(1)).await?;
        let (staff, customers) = people(engine, wanted).await?;
        let mut ctx = engine.ctx(now);
        let authenticator = &up.app.authenticator;
        let entropy = &*up.app.entropy;
        let scopes = vec![KeyScope::Merchant, KeyScope::Periods];
        let key = authenticator.api_key(&mut ctx, entropy, (1, false), "bench", scopes, None);
        let expires = now.plus_days(1)?;
        let staff = authenticator.token(now, ctx.ids.next(now, 0), 1, Bearer::Staff(staff), "staff", expires);
        let mut passes = Self {
            merchant: key.secret.clone(),
            periods: key.secret.clone(),
            staff: staff.secret.clone(),
            customers: Vec::with_capacity(customers.len()),
        };
        // All at once, so that they share a few commits.
        let mut issuing = tokio::task::JoinSet::new();
        let mut keep = |credential| {
            let engine = engine.clone();
            issuing.spawn(async move { engine.issue_credential(credential).await });
        };
        keep(key.credential);
        keep(staff.credential);
        for (external_id, handle, customer, user) in customers {
            let bearer = Bearer::CustomerUser(customer, user);
            let issued = authenticator.token(now, ctx.ids.next(now, 0), 1, bearer, "customer", expires);
            keep(issued.credential);
            passes.customers.push((external_id, handle, issued.secret));
        }
        while let Some(issued) = issuing.join_next().await {
            issued??;
        }
        Ok(passes)
    }
}

type People = Vec<(String, String, CustomerId, CustomerUserId)>;

async fn people(engine: &Engine, wanted: usize) -> Result<(StaffId, People), Failure> {
    let wanted = i64::try_from(wanted)?;
    let found = engine.store().read(move |s| {
        Box::pin(async move {
            let staff = s.row("select id from staff limit 1", &[], |row| row.id(0)).await?;
            let staff = staff.ok_or_else(|| store::Error::Corrupt("books without staff".into()))?;
            let all = s.row("select count(*) from customers", &[], |row| row.int(0)).await?.unwrap_or(0);
            let step = (all / wanted).max(1);
            let spread = [step.into(), wanted.into()];
            let people = s.rows(PEOPLE, &spread, |row| {
                let (customer, user) =
                    (CustomerId::from_raw(row.id(2)?), CustomerUserId::from_raw(row.id(3)?));
                Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), customer, user))
            });
            Ok::<_, store::Error>((StaffId::from_raw(staff), people.await?))
        })
    });
    Ok(found.await?)
}

/// Customers spread over the books, each with one of its people.
const PEOPLE: &str = "select c.external_id, c.handle, c.id, u.id from
     (select *, row_number() over (order by id) as n from customers) c
     join customer_users u on u.shard = c.shard and u.customer_id = c.id
     where c.n % $1 = 0 order by c.id limit $2";

/// The ids of subscriptions spread over the books, as contract 003 spells them.
pub(crate) async fn subscriptions(up: &Up, wanted: usize) -> Result<Vec<String>, Failure> {
    let wanted = i64::try_from(wanted)?;
    let found = up.app.engine.store().read(move |s| {
        Box::pin(async move {
            let all = s.row("select count(*) from subscriptions", &[], |row| row.int(0)).await?.unwrap_or(0);
            let step = (all / wanted).max(1);
            s.rows(SUBSCRIPTIONS, &[step.into(), wanted.into()], |row| row.id(0)).await
        })
    });
    let ids: Result<Vec<u128>, store::Error> = found.await;
    Ok(ids?.into_iter().map(|id| server::spelling::uuid(id).to_string()).collect())
}

/// Subscriptions spread over the books.
const SUBSCRIPTIONS: &str =
    "select id from (select id, row_number() over (order by id) as n from subscriptions) s
     where n % $1 = 0 order by id limit $2";

/// Somebody of the seller's staff, with a customer of the same environment.
pub(crate) struct Seller {
    /// A token of the staff.
    pub(crate) token: String,
    /// The customer's id as contract 001 spells it.
    pub(crate) workspace: String,
}

/// Every customer of each of the first `wanted` environments, with somebody who may write in its books.
pub(crate) async fn sellers(up: &Up, wanted: usize) -> Result<Vec<Seller>, Failure> {
    let engine = &up.app.engine;
    let found = engine.store().read(|s| {
        Box::pin(async move {
            let staff = s.rows("select environment, id from staff order by environment", &[], pair).await?;
            let customers =
                s.rows("select environment, id from customers order by environment, id", &[], pair).await?;
            Ok::<_, store::Error>((staff, customers))
        })
    });
    let (staff, customers) = found.await?;
    let now = up.app.real_now();
    let expires = now.plus_days(1)?;
    let mut ids = engine.ctx(now).ids;
    let mut sellers = Vec::new();
    for (environment, staff) in staff.into_iter().take(wanted) {
        engine.put_roles(Role::defaults(environment)).await?;
        let bearer = Bearer::Staff(StaffId::from_raw(staff));
        let issued = up.app.authenticator.token(now, ids.next(now, 0), environment, bearer, "staff", expires);
        let token = issued.secret.clone();
        engine.issue_credential(issued.credential).await?;
        for (_, customer) in customers.iter().filter(|(of, _)| *of == environment) {
            let workspace = format!("{:024x}", customer >> 32);
            sellers.push(Seller { token: token.clone(), workspace });
        }
    }
    Ok(sellers)
}

fn pair(row: &store::Row<'_>) -> Result<(i64, u128), store::Error> {
    Ok((row.int(0)?, row.id(1)?))
}

/// A handler that gives the same bytes again and again, in the plainest way.
pub(crate) async fn from_memory(body: Vec<u8>) -> Result<(SocketAddr, JoinHandle<()>), Failure> {
    let body = Bytes::from(body);
    let answer = move || {
        let body = body.clone();
        async move { ([(http::header::CONTENT_TYPE, "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/", get(answer));
    let running = tokio::spawn(async move {
        use axum::serve::ListenerExt;
        let listener = listener.tap_io(|socket| {
            // As the server does. A socket that cannot is only slower.
            let _ = socket.set_nodelay(true);
        });
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("the server from memory ended: {error}");
        }
    });
    Ok((address, running))
}

/// The request of the server from memory.
pub(crate) fn memory_ask() -> Ask {
    Ask::get("/", &[])
}
