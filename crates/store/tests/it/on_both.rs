//! Books in a file or in PostgreSQL: these are run on both, also cut into partitions.

mod settings;
