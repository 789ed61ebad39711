//! One life of the simulated world: time passes, requests come, processes end, and after every step
//! the books are compared with what they must say.

use crate::ask::Ask;
use crate::auditor::{Auditor, Person};
use crate::checks::Watch;
use crate::dice::Dice;
use crate::shop::Shop;
use crate::workload::{self, Known};
use crate::world::{Fault, Progress, World};
use billing::id::{CustomerId, Id, Request};
use billing::timestamp::Timestamp;
use engine::{Engine, Error};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::pin::Pin;
use store::FaultPoint;
use store::audit::After;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Options {
    /// From which everything follows.
    pub seed: u64,
    /// How long the world lives.
    pub years: i64,
    /// How many customers it has.
    pub customers: usize,
    /// How many lines are told of what happened before a failure.
    pub log_lines: usize,
    /// Where the books are kept if something fails.
    pub keep: Option<PathBuf>,
}

/// What has happened in a life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tale {
    /// Steps of time.
    pub steps: u64,
    /// Requests that had their effect.
    pub requests: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// Ends of the process, and commits that failed.
    pub crashes: u64,
    /// Requests that came while an operation waited for the gateway.
    pub interruptions: u64,
    /// Invoices in the books at the end.
    pub invoices: usize,
}

/// What went wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was simulated.
    pub options: Options,
    /// When it was, in the world.
    pub at: Timestamp,
    /// What does not hold.
    pub breaches: Vec<String>,
    /// What happened last.
    pub log: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Options { seed, years, customers, .. } = &self.options;
        writeln!(f, "seed {seed} fails at {}:", self.at)?;
        for breach in &self.breaches {
            writeln!(f, "  {breach}")?;
        }
        writeln!(f, "what happened before:")?;
        for line in &self.log {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "replay it with\n  cargo run --release -p simulator -- --seed {seed} --years {years} --customers {customers}"
        )
    }
}

/// After how many steps all of the books are audited.
const AUDIT_STEPS: u64 = 60;

type Operation<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

struct Life {
    options: Options,
    world: World,
    auditor: Auditor,
    watch: Watch,
    known: Known,
    dice: Dice,
    now: Timestamp,
    /// When the books were last looked at.
    looked: Timestamp,
    versions: BTreeMap<CustomerId, i64>,
    /// The request under way, until its effect is known.
    asking: Option<(Ask, Request)>,
    newcomers: BTreeMap<String, Person>,
    tale: Tale,
    keys: u64,
    log: VecDeque<String>,
}

/// Lives through a world.
///
/// # Errors
/// What does not hold.
pub async fn live(options: Options) -> Result<(Tale, World), Box<Failure>> {
    let mut dice = Dice::of(options.seed, 2);
    let now = Timestamp::from_seconds(1_577_836_800 + dice.between(0, 3 * 365 * 86_400));
    let fail = |breach: String| {
        let options = options.clone();
        Box::new(Failure { options, at: now, breaches: vec![breach], log: Vec::new() })
    };
    let world = World::new(options.seed).await.map_err(&fail)?;
    let shop = Shop::open(&world.engine(), &mut Dice::of(options.seed, 3), now).await;
    let shop = shop.map_err(|error| fail(error.to_string()))?;
    let mut life = Life {
        options: options.clone(),
        world,
        auditor: Auditor::new(shop),
        watch: Watch::default(),
        known: Known::default(),
        dice,
        now,
        looked: now,
        versions: BTreeMap::new(),
        asking: None,
        newcomers: BTreeMap::new(),
        tale: Tale::default(),
        keys: 0,
        log: VecDeque::new(),
    };
    match life.pass().await {
        Ok(()) => {
            life.tale.invoices = life.auditor.bills.len();
            Ok((life.tale, life.world))
        }
        Err(breaches) => {
            life.keep_books().await;
            let log = life.log.into_iter().collect();
            Err(Box::new(Failure { options, at: life.now, breaches, log }))
        }
    }
}

type Lived = Result<(), Vec<String>>;

impl Life {
    async fn pass(&mut self) -> Lived {
        let end = self.now.plus_days(365 * self.options.years).map_err(|error| vec![error.to_string()])?;
        for n in 0..self.options.customers {
            self.welcome(n).await?;
        }
        while self.now < end {
            self.step().await?;
        }
        self.audit().await
    }

    /// Copies the books to where somebody can look at them.
    async fn keep_books(&self) {
        if let Some(path) = &self.options.keep {
            let closed = self.world.engine().store().close().await;
            let copied = std::fs::copy(self.world.books().address(), path);
            if closed.is_err() || copied.is_err() {
                eprintln!("the books could not be kept in {}", path.display());
            }
        }
    }

    fn is_live(&self) -> bool {
        self.auditor.shop.environment.livemode
    }

    fn tell(&mut self, line: String) {
        if self.log.len() >= self.options.log_lines {
            self.log.pop_front();
        }
        self.log.push_back(format!("{} {line}", self.now));
    }

    /// A new customer, mostly with something to charge.
    async fn welcome(&mut self, n: usize) -> Lived {
        let (edit, zone, place) = workload::customer(&mut self.dice, n);
        let zone = zone.unwrap_or(&self.auditor.shop.environment.zone).to_owned();
        let person = Person { zone, place, method_since: None };
        self.newcomers.insert(edit.external_id.clone().unwrap_or_default(), person);
        self.ask(Ask::Customer(edit)).await?;
        let newest = self.known.customers.last().copied();
        let all: Vec<_> = crate::acquirer::tokens().collect();
        for _ in 0..self.dice.below(3) {
            let is_default = self.dice.percent(50);
            if let (Some(customer), Some(token)) = (newest, self.dice.pick(&all).copied()) {
                self.ask(Ask::Method(customer, token, is_default)).await?;
            }
        }
        Ok(())
    }

    async fn step(&mut self) -> Lived {
        self.tale.steps += 1;
        let seconds = match self.dice.below(100) {
            0..=2 => 0,
            3..=17 => self.dice.between(1, 7_200),
            18..=32 => self.dice.between(3_600, 86_400),
            33..=77 => self.dice.between(86_400, 5 * 86_400),
            78..=97 => self.dice.between(5 * 86_400, 20 * 86_400),
            // The server was off for three months.
            _ => self.dice.between(80 * 86_400, 100 * 86_400),
        };
        let then = self.now.plus_seconds(seconds).map_err(|error| vec![error.to_string()])?;
        // Where real time rules, requests may come before what is due has been done.
        if self.is_live() && self.dice.percent(25) {
            self.now = then;
            self.invent().await?;
        }
        self.run(then).await?;
        for _ in 0..self.dice.below(3) {
            self.invent().await?;
        }
        if self.tale.steps.is_multiple_of(AUDIT_STEPS) {
            self.audit().await?;
        }
        Ok(())
    }

    async fn invent(&mut self) -> Lived {
        let invented = workload::invent(&mut self.dice, &self.auditor, &self.known, self.now);
        match invented {
            Some(ask) => self.ask(ask).await,
            None => Ok(()),
        }
    }

    fn throw_fault(&mut self) -> Fault {
        let nth = u32::try_from(self.dice.below(4)).unwrap_or(0);
        match self.dice.below(100) {
            0..=5 => Fault::CommitCrash(FaultPoint::BeforeCommit, nth),
            6..=11 => Fault::CommitCrash(FaultPoint::AfterCommit, nth),
            12..=15 => Fault::CommitError(nth),
            16..=22 => Fault::GatewayCrash(nth, self.dice.percent(50)),
            23..=30 => Fault::Meanwhile(nth),
            _ => Fault::None,
        }
    }

    fn plan(&mut self, fault: Fault) {
        let silent_percent = match self.dice.below(20) {
            0 => 100,
            1..=4 => 25,
            _ => 0,
        };
        self.world.plan(fault, silent_percent);
    }

    /// Does everything that is due by an instant, however often the process ends on the way.
    async fn run(&mut self, then: Timestamp) -> Lived {
        let mut fault = self.throw_fault();
        self.tell(format!("run until {then} {fault:?}"));
        loop {
            self.plan(fault);
            let (number, is_live) = (self.auditor.shop.environment.number, self.is_live());
            let engine = self.world.engine();
            let operation: Operation<engine::Done> = Box::pin(async move {
                match is_live {
                    true => engine.run_due(number, then).await,
                    false => engine.advance_clock(number, then).await,
                }
            });
            match self.perform(operation, fault, then).await? {
                Some(Ok(_)) => break,
                Some(Err(error)) => return Err(vec![format!("what was due could not be done: {error}")]),
                None => {
                    fault = Fault::None;
                    self.now = self.time_of_books(then).await?;
                    self.look(false).await?;
                }
            }
        }
        self.now = then;
        self.look(true).await
    }

    /// Asks for something, again if the process ended before it had its effect.
    async fn ask(&mut self, ask: Ask) -> Lived {
        let mut fault = self.throw_fault();
        self.tell(format!("{ask:?} {fault:?}"));
        let request = self.request();
        self.asking = Some((ask.clone(), request.clone()));
        loop {
            self.plan(fault);
            let (engine, now, number) = (self.world.engine(), self.now, self.auditor.shop.environment.number);
            let (asked, with) = (ask.clone(), request.clone());
            let operation: Operation<u128> =
                Box::pin(async move { asked.of(&engine, now, number, with).await });
            let answer = self.perform(operation, fault, now).await?;
            fault = Fault::None;
            match answer {
                Some(Ok(resource)) => {
                    self.has_effect(resource)?;
                    break;
                }
                Some(Err(error)) => {
                    self.asking = None;
                    self.tale.refusals += 1;
                    self.tell(format!("refused: {error}"));
                    self.auditor.refused(&ask, &error);
                    break;
                }
                None if self.learn_effect().await? => break,
                None => {}
            }
        }
        self.look(false).await
    }

    fn request(&mut self) -> Request {
        self.keys += 1;
        Request {
            environment: self.auditor.shop.environment.number,
            key: format!("request {}", self.keys),
            fingerprint: vec![0xab; 32],
            received_at: self.now,
        }
    }

    /// Notes that the request under way has had its effect.
    fn has_effect(&mut self, resource: u128) -> Lived {
        let Some((ask, _)) = self.asking.take() else { return Ok(()) };
        self.tale.requests += 1;
        match &ask {
            Ask::Customer(edit) => {
                let id = CustomerId::from_raw(resource);
                self.known.customers.push(id);
                let name = edit.external_id.clone().unwrap_or_default();
                if let Some(person) = self.newcomers.remove(&name) {
                    self.auditor.people.insert(id, person);
                }
            }
            Ask::Method(..) => {
                let id = Id::from_raw(resource);
                if !self.known.methods.contains(&id) {
                    self.known.methods.push(id);
                }
            }
            _ => {}
        }
        self.auditor.did(&ask, resource, self.now).map_err(|told| vec![told])
    }

    /// Whether the request under way is known to the books: then it has had its effect.
    async fn learn_effect(&mut self) -> Result<bool, Vec<String>> {
        let Some((_, request)) = self.asking.clone() else { return Ok(true) };
        let found = self.world.engine().answered(&request).await.map_err(|error| vec![error.to_string()])?;
        match found {
            None => Ok(false),
            Some(found) => self.has_effect(found.resource).map(|()| true),
        }
    }

    /// Performs an operation up to its answer; none if the process ended first or a commit failed.
    async fn perform<T>(
        &mut self,
        mut operation: Operation<T>,
        fault: Fault,
        then: Timestamp,
    ) -> Result<Option<Result<T, Error>>, Vec<String>> {
        loop {
            match self.world.go_on(&mut operation, fault).await {
                Progress::Answered(answer) => return Ok(Some(answer)),
                Progress::Failed => {
                    self.tale.crashes += 1;
                    return Ok(None);
                }
                Progress::Crashed => {
                    drop(operation);
                    self.tale.crashes += 1;
                    self.tell("the process ended".to_owned());
                    self.world.restart().await.map_err(|error| vec![error])?;
                    return Ok(None);
                }
                Progress::Waiting(resume) => {
                    self.meanwhile(then).await?;
                    // The operation may have been given up by now.
                    let _waiting = resume.send(());
                }
            }
        }
    }

    /// What time it is in the books while what is due by an instant is being done.
    async fn time_of_books(&self, then: Timestamp) -> Result<Timestamp, Vec<String>> {
        let number = self.auditor.shop.environment.number;
        let books = self.world.engine().environment(number).await;
        Ok(books.map_err(|error| vec![error.to_string()])?.clock.unwrap_or(then))
    }

    /// Another request comes while an operation waits for the gateway.
    async fn meanwhile(&mut self, then: Timestamp) -> Lived {
        let before = self.now;
        let engine = self.world.engine();
        self.now = self.time_of_books(then).await?;
        let is_known = self.learn_effect().await?;
        if !is_known {
            return Err(vec!["the gateway was asked before the request had its effect".to_owned()]);
        }
        self.look(false).await?;
        let invented = workload::invent(&mut self.dice, &self.auditor, &self.known, self.now);
        if let Some(ask) = invented {
            self.tale.interruptions += 1;
            self.tell(format!("meanwhile {ask:?}"));
            let request = self.request();
            self.asking = Some((ask.clone(), request.clone()));
            let number = self.auditor.shop.environment.number;
            match ask.of(&engine, self.now, number, request).await {
                Ok(resource) => self.has_effect(resource)?,
                Err(error) => {
                    self.asking = None;
                    self.tell(format!("refused: {error}"));
                    self.auditor.refused(&ask, &error);
                }
            }
            self.look(false).await?;
        }
        self.now = before;
        Ok(())
    }

    /// Compares everything that moved since the last look; `is_done` once nothing is due any more.
    async fn look(&mut self, is_done: bool) -> Lived {
        let engine = self.world.engine();
        let mut breaches = Vec::new();
        let touched = self.touched(&engine).await.map_err(|error| vec![error.to_string()])?;
        let since = self.looked;
        let after =
            After { shard: 0, id: (u128::from(since.millis().unsigned_abs()) << 80).saturating_sub(1) };
        let (held, entries) = engine
            .store()
            .read(move |s| {
                Box::pin(async move {
                    let mut held = Vec::new();
                    for customer in touched {
                        held.push((customer, store::audit::holdings(s, customer, since).await?));
                    }
                    let entries = store::audit::entries(s, after, i64::MAX).await?.entries;
                    Ok::<_, store::Error>((held, entries))
                })
            })
            .await
            .map_err(|error| vec![error.to_string()])?;
        for (customer, held) in &held {
            self.auditor.observe(*customer, held, self.now);
            self.auditor.compare_with_gateway(*customer, &self.world.acquirer);
            self.watch.look(*customer, held, &mut breaches);
        }
        self.watch.conclude(&entries, &self.auditor, &mut breaches);
        self.auditor.compare_charges(&self.world.acquirer);
        if is_done {
            self.auditor.compare_done(self.now);
            self.auditor.compare_answered(self.now, &self.world.acquirer);
        }
        self.looked = self.now;
        breaches.extend(self.auditor.breaches());
        breaches.extend(self.world.acquirer.breaches());
        if breaches.is_empty() { Ok(()) } else { Err(breaches) }
    }

    /// The customers that have moved since the last look.
    async fn touched(&mut self, engine: &Engine) -> Result<Vec<CustomerId>, store::Error> {
        let number = self.auditor.shop.environment.number;
        let versions = engine
            .store()
            .read(move |s| Box::pin(async move { store::audit::versions(s, number).await }))
            .await?;
        let moved = versions.iter().filter(|(id, version)| self.versions.get(id) != Some(version));
        let touched = moved.map(|(id, _)| *id).collect();
        self.versions = versions.into_iter().collect();
        Ok(touched)
    }

    /// Audits all of the books.
    async fn audit(&mut self) -> Lived {
        let report = self.world.engine().audit(None, Box::new(|_| {})).await;
        let report = report.map_err(|error| vec![format!("the audit failed: {error}")])?;
        let told: Vec<_> = report.disagreements.iter().map(|found| format!("audit: {found}")).collect();
        if told.is_empty() { Ok(()) } else { Err(told) }
    }
}
