//! What only PostgreSQL has, or both databases beside each other: these need a server.

mod commands;
mod database_down;
mod database_parity;
mod partitions;
mod ticker;
