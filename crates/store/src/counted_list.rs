//! Counted lists: exact totals, and pages at any depth, at the same cost for long lists as for short.
//!
//! A counted list orders entries by time and id. Each entry is in one of its twelve lists, and
//! any union of lists can be read as one. Beside the entries stand nodes, like those of a B-tree:
//! a node covers the keys from its own up to the next one's on its level, and counts what lies there,
//! list by list. Nodes of level 0 cover entries, those of the next levels cover nodes. A total is a
//! sum over the few nodes of the top level; the n-th entry is found by descending from there.
//!
//! Nodes are split when they grow and never merged: there is at most one per 64 entries ever
//! inserted, and one without entries is filled again when entries of its time come.
//!
//! A transaction that changes entries changes the nodes above them, so two that overlap collide on
//! these rows: under snapshot isolation the database refuses one of them.

mod nodes;
mod page;
mod seek;
#[cfg(test)]
mod tests;
mod types;
mod verify;
mod write;

pub use page::page;
pub use seek::{total, totals_between};
pub use types::{Between, CountedList, Entry, LISTS, Lists, Totals};
pub use verify::verify;
pub use write::{insert, remove};
