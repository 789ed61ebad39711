//! Lists as people read them: rows joined to what explains them, with exact totals, at a cost that
//! does not grow with what is skipped.

pub mod invoices;
pub mod payments;
pub mod periods;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sheet {
    /// The page, from 1.
    pub page: i64,
    /// Rows on a page, at least 1.
    pub limit: i64,
}

impl Sheet {
    /// How many rows come before it.
    pub fn skip(self) -> i64 {
        // Half of what there is, so that sums with it do not overflow in the database either.
        self.page.saturating_sub(1).saturating_mul(self.limit).min(i64::MAX / 2)
    }

    /// Of `total` rows that are counted from 1 in the order in which they came, the places on this page
    /// when the newest come first: lowest and highest. The page is empty if the lowest is above the
    /// highest.
    pub fn places(self, total: i64) -> (i64, i64) {
        let highest = total.saturating_sub(self.skip());
        (highest.saturating_sub(self.limit).saturating_add(1).max(1), highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first() {
        let places = |page, limit, total| Sheet { page, limit }.places(total);
        assert_eq!(places(1, 10, 25), (16, 25));
        assert_eq!(places(3, 10, 25), (1, 5));
        assert_eq!(places(4, 10, 25), (1, -5));
        assert_eq!(places(1, 10, 0), (1, 0));
        assert_eq!(places(i64::MAX, 100, 25), (1, 25 - i64::MAX / 2));
    }
}
