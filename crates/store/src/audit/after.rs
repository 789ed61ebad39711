//! Where a page of an audit ended.

use billing::id::Id;

/// Where a page of a customer-scoped table ended: its key is the shard and the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct After {
    /// The shard of the last row.
    pub shard: i64,
    /// The raw id of the last row.
    pub id: u128,
}

impl After {
    /// Before every row.
    pub const NOTHING: After = After { shard: -1, id: 0 };

    /// After the row of an id.
    pub fn row(id: impl Id) -> Self {
        Self { shard: id.shard(), id: id.raw() }
    }
}
