//! How new customers are spread over shards.
//!
//! Owns the choice, which is made once: a customer keeps its shard for life, because it is in every id of
//! its rows. Where a shard's rows lie is the store's. No time.

/// What customers of one shard have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardKey {
    /// Nothing: each customer is in a shard of its own choice.
    Customer,
    /// The organization: all of its customers are in one shard, so that it can move as a whole.
    Organization,
}

crate::text_enum!(ShardKey { Customer = "customer", Organization = "organization" });

/// How new customers are spread over shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardPlacement {
    /// Over how many: a power of two up to 1024.
    pub shards: i64,
    /// What those of one shard have in common.
    pub by: ShardKey,
}

impl ShardPlacement {
    /// All customers in one shard.
    pub const NONE: ShardPlacement = ShardPlacement::over(1);

    /// Customers spread over so many shards, each by itself.
    pub const fn over(shards: i64) -> ShardPlacement {
        ShardPlacement { shards, by: ShardKey::Customer }
    }

    /// Organizations spread over so many shards, one after another.
    pub const fn by_organization(shards: i64) -> ShardPlacement {
        ShardPlacement { shards, by: ShardKey::Organization }
    }

    /// The shard of a new customer in an environment. `random` is any number.
    pub fn shard(self, environment: i64, random: u128) -> i64 {
        let shards = self.shards.max(1);
        match self.by {
            // Less than the number of shards, so it fits.
            ShardKey::Customer => (random % shards.unsigned_abs() as u128) as i64,
            ShardKey::Organization => environment.saturating_sub(1).rem_euclid(shards),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_in_other_shards_and_organizations_in_one() {
        let of = |spread: ShardPlacement, environment| {
            let shards: std::collections::BTreeSet<i64> =
                (0..1_000).map(|random| spread.shard(environment, random)).collect();
            shards.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of(ShardPlacement::over(4), 1), [0, 1, 2, 3]);
        assert_eq!(of(ShardPlacement::NONE, 7), [0]);
        for (environment, shard) in [(1, 0), (2, 1), (4, 3), (5, 0)] {
            assert_eq!(of(ShardPlacement::by_organization(4), environment), [shard]);
        }
    }
}
