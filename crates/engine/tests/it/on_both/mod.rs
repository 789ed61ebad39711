//! Books in a file or in PostgreSQL: these are run on both, also cut into partitions.

mod audit;
mod billing_run;
mod conflicts;
mod due;
mod dunning;
mod payments;
mod regressions;
mod restore_keys;
mod subscription_changes;
mod subscriptions;
mod tenant_isolation;
