//! What can go wrong in a use case, in words that do not know how it was asked for.

use crate::kind::{Kind, Known, Name};
use billing::refusal::Refusal;

/// Why a use case did not happen. A face turns it into its own words and status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A rule of the business forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such thing in the environment.
    #[error("{0} {1} not found")]
    NotFound(Kind, Name),
    /// Something else has the name already.
    #[error("{field} is taken")]
    Taken {
        /// The field, as the merchant API names it.
        field: &'static str,
    },
    /// A request with the same idempotency key has had its effect before.
    #[error("a request with this idempotency key has had its effect")]
    KeyReused,
    /// The books moved on too often while the decision was made.
    #[error("the books are busy; try again")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        if error == store::Error::KeyTaken { Self::KeyReused } else { Self::Store(error) }
    }
}

impl Error {
    /// There is nothing of this id in the environment.
    pub fn not_found<T: Known>(id: T) -> Self {
        Self::NotFound(T::KIND, Name::Id(id.raw()))
    }

    /// There is nothing of this kind and name in the environment.
    pub fn none_named(kind: Kind, name: impl std::fmt::Display) -> Self {
        Self::NotFound(kind, Name::Text(name.to_string()))
    }

    /// Whether it is about the one thing that was decided, so that a run may go on with others.
    pub(crate) fn is_of_one(&self) -> bool {
        match self {
            Self::Refused(_) | Self::NotFound(..) | Self::Taken { .. } | Self::KeyReused | Self::Busy => true,
            Self::Store(error) => matches!(
                error,
                store::Error::Conflict
                    | store::Error::ForeignKey
                    | store::Error::Rule(_)
                    | store::Error::Corrupt(_)
            ),
        }
    }

    /// Whether the decision is to be made again on fresh state.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(store::Error::Conflict))
    }
}
