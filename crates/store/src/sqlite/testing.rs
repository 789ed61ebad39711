//! For tests of statements: a transaction in memory, and a way to run it without a runtime.

use super::configure;
use super::session::Session;
use crate::{Snapshot, Tx};
use rusqlite::Connection;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A transaction on a database of its own that was made by this script.
pub(crate) fn in_memory(schema: &str) -> Tx {
    let connection = Connection::open_in_memory().unwrap();
    configure(&connection).unwrap();
    connection.execute_batch(schema).unwrap();
    Tx::new(Snapshot::from(Session::new(connection, 1)))
}

/// Runs a future made of statements; on SQLite all of them complete at once.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a statement did not complete at once"),
    }
}
