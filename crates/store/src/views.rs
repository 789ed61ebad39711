//! Lists as people read them: rows joined to what explains them, with exact totals, at a cost that
//! does not grow with what is skipped.

pub mod customer_invoices;
pub mod invoices;
pub mod payments;
pub mod periods;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetPage {
    /// The page, from 1.
    pub page: i64,
    /// Rows on a page, at least 1.
    pub limit: i64,
}

impl OffsetPage {
    /// How many rows come before it.
    pub fn skip(self) -> i64 {
        // Half of what there is, so that sums with it do not overflow in the database either.
        self.page.saturating_sub(1).saturating_mul(self.limit).min(i64::MAX / 2)
    }
}
