//! The variables that say on which database tests run, and how.

/// The variable that names the database of tests.
pub const VARIABLE: &str = "QUITTANCE_TEST_DATABASE";

/// The variable that names a server for those tests that need PostgreSQL: `postgres://…`.
pub const SERVER_VARIABLE: &str = "QUITTANCE_TEST_SERVER";

/// The variable that says over how many shards tests on PostgreSQL spread their customers.
pub const SHARDS_VARIABLE: &str = "QUITTANCE_TEST_SHARDS";

/// What it says.
pub(crate) fn shards() -> Option<i64> {
    std::env::var(SHARDS_VARIABLE).ok()?.parse().ok()
}

/// The variable that says into how many partitions tests on PostgreSQL cut the tables of customers.
pub const PARTITIONS_VARIABLE: &str = "QUITTANCE_TEST_PARTITIONS";

/// The variable that, if it is set, puts a pooler between tests on PostgreSQL and their server.
pub const POOLER_VARIABLE: &str = "QUITTANCE_TEST_POOLER";

/// What the one of partitions says.
pub(crate) fn partitions() -> Option<u32> {
    std::env::var(PARTITIONS_VARIABLE).ok()?.parse().ok()
}

/// Whether tests run on PostgreSQL.
pub fn is_postgres() -> bool {
    std::env::var(VARIABLE).is_ok_and(|named| named.starts_with("postgres"))
}
