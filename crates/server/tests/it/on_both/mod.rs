//! Books in a file or in PostgreSQL: these are run on both, also cut into partitions.

mod backup_restore_copy;
mod commands;
mod demo;
mod faces;
mod faces_agree;
mod program;
