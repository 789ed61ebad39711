//! The answer no: a rule of the business forbids what was asked.

use crate::money::MoneyError;
use crate::timestamp::CalendarError;

/// A rule of the business that forbids what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field's value cannot be.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as the merchant API names it.
        field: &'static str,
        /// What would be right.
        problem: String,
    },
    /// The state of something forbids it.
    #[error("{0}")]
    State(String),
    /// An amount or an instant is beyond what the books can hold.
    #[error("the amount or time is beyond what the books can hold")]
    OutOfRange,
}

impl Refusal {
    /// Refuses a field.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}

impl From<MoneyError> for Refusal {
    fn from(_: MoneyError) -> Self {
        Self::OutOfRange
    }
}

impl From<CalendarError> for Refusal {
    fn from(_: CalendarError) -> Self {
        Self::OutOfRange
    }
}
