//! What needs the machine for itself: programs are killed, servers fail, and how soon others take over is measured.

mod cells;
mod failover;
mod killed;
mod lease_failover;
