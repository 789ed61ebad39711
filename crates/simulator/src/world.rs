//! The simulated world: books, one engine over it, and operations that crash.

use crate::acquirer::{Acquirer, Mischief, Pause};
use crate::crash::Crashes;
use crate::dice::Dice;
use billing::id::Ids;
use engine::{Engine, Error};
use std::pin::pin;
use std::sync::Arc;
use store::{FaultPoint, Options, Store, Synchronous};
use testbed::Books;
use tokio::sync::{mpsc, oneshot};

/// What goes wrong in an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The process ends at a commit.
    CommitCrash(FaultPoint, u32),
    /// A commit fails, and the process goes on.
    CommitError(u32),
    /// The process ends while it waits for the gateway; whether the gateway has done its work.
    GatewayCrash(u32, bool),
    /// Something else happens while it waits for the gateway.
    Meanwhile(u32),
}

/// How far an operation came.
pub enum Progress<T> {
    /// It has an answer.
    Answered(Result<T, Error>),
    /// It failed as planned; the process goes on.
    Failed,
    /// The process has ended.
    Crashed,
    /// It waits for the gateway, until what happens meanwhile has happened.
    Waiting(oneshot::Sender<()>),
}

/// The world.
pub struct World {
    books: Books,
    seed: u64,
    generation: u64,
    crashes: Arc<Crashes>,
    /// The gateway.
    pub acquirer: Arc<Acquirer>,
    pauses: mpsc::UnboundedReceiver<Pause>,
    engine: Engine,
}

impl World {
    /// A world with empty books.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub async fn new(seed: u64) -> Result<Self, String> {
        let books = Books::new().await;
        let (told, pauses) = mpsc::unbounded_channel();
        let acquirer = Arc::new(Acquirer::new(Dice::of(seed, 1), told));
        let crashes = Arc::new(Crashes::default());
        let engine = open(&books, seed, 0, &crashes, &acquirer).await.map_err(|error| error.to_string())?;
        Ok(Self { books, seed, generation: 0, crashes, acquirer, pauses, engine })
    }

    /// The engine of this life of the process.
    pub fn engine(&self) -> Engine {
        self.engine.clone()
    }

    /// Where the books are.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The process ends and is started again on the same books.
    ///
    /// # Errors
    /// If they cannot be opened again.
    pub async fn restart(&mut self) -> Result<(), String> {
        self.engine.store().close().await.map_err(|error| error.to_string())?;
        self.generation += 1;
        self.engine = open(&self.books, self.seed, self.generation, &self.crashes, &self.acquirer)
            .await
            .map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Plans what goes wrong in the next operation.
    pub fn plan(&self, fault: Fault, silent_percent: u64) {
        let mut mischief = Mischief { silent_percent, ..Mischief::default() };
        let mut crash = None;
        match fault {
            Fault::None => {}
            Fault::CommitCrash(point, nth) => crash = Some((point, nth)),
            Fault::CommitError(nth) => crash = Some((FaultPoint::BeforeCommit, nth)),
            Fault::GatewayCrash(nth, is_done) => mischief.stop = Some((nth, is_done)),
            Fault::Meanwhile(nth) => mischief.meanwhile = Some(nth),
        }
        self.crashes.plan(crash);
        self.acquirer.plan(mischief);
    }

    /// Lets an operation go on until it has an answer, or something happens to it.
    pub async fn go_on<T>(
        &mut self,
        operation: &mut (impl Future<Output = Result<T, Error>> + Unpin),
        fault: Fault,
    ) -> Progress<T> {
        let operation = pin!(operation);
        tokio::select! {
            biased;
            answer = operation => match answer {
                Err(Error::Store(store::Error::Crashed)) if self.crashes.has_struck() => match fault {
                    Fault::CommitError(_) => Progress::Failed,
                    _ => Progress::Crashed,
                },
                answer => Progress::Answered(answer),
            },
            pause = self.pauses.recv() => match pause {
                Some(Pause::Meanwhile(resume)) => Progress::Waiting(resume),
                Some(Pause::Stop) | None => Progress::Crashed,
            },
        }
    }
}

async fn open(
    books: &Books,
    seed: u64,
    generation: u64,
    crashes: &Arc<Crashes>,
    acquirer: &Arc<Acquirer>,
) -> Result<Engine, store::Error> {
    let options =
        Options { synchronous: Synchronous::Off, readers: 1, faults: Some(Arc::<Crashes>::clone(crashes)) };
    let ids = Ids::seeded(Dice::of(seed, 100 + generation).throw());
    Ok(Engine::new(Store::connect(books.address(), options).await?, Arc::<Acquirer>::clone(acquirer), ids))
}
