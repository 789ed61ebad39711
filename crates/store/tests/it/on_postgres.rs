//! What only PostgreSQL has, or both databases beside each other: these need a server.

mod processes;
mod schema;
mod sharding;
mod shared_reads;
mod tls;
