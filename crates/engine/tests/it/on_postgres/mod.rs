//! What only PostgreSQL has, or both databases beside each other: these need a server.

mod group_commit;
mod lost_commits;
mod sharding;
