//! What a failure of PostgreSQL or of the way to it means. Known by its code, never by its words or by
//! the names of constraints, which a distributed engine may change.

use crate::Error;
use tokio_postgres::error::SqlState;

/// What went wrong, and what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) remedy: Remedy,
    pub(super) error: Error,
}

/// What may be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing: the statement itself is at fault, or the state of the books.
    None,
    /// The transaction collided with another and can be run again on the same connection.
    Again,
    /// The connection is of no use any more; another may be.
    Reconnect,
}

impl Failure {
    /// The connection does not answer.
    pub(super) fn lost(why: impl Into<String>) -> Failure {
        Failure { remedy: Remedy::Reconnect, error: Error::Unavailable(why.into()) }
    }

    /// A failure that the same statement will always meet.
    pub(super) fn lasting(error: Error) -> Failure {
        Failure { remedy: Remedy::None, error }
    }

    /// Whether the transaction may be run again.
    pub(super) fn passes(&self) -> bool {
        self.remedy != Remedy::None
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        let Some(said) = error.as_db_error() else {
            // A value that does not fit its statement never got to the wire; all else is the wire's.
            return match std::error::Error::source(&error) {
                Some(source) if !error.is_closed() && !is_of_the_wire(source) => {
                    Failure::lasting(Error::Misuse(format!("{error}: {source}")))
                }
                Some(source) => Failure::lost(format!("{error}: {source}")),
                None => Failure::lost(error.to_string()),
            };
        };
        let message = || format!("{} ({})", said.message(), said.code().code());
        match said.code() {
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => {
                Failure { remedy: Remedy::Again, error: Error::Busy }
            }
            &SqlState::UNIQUE_VIOLATION => {
                tracing::debug!(constraint = said.constraint(), "conflict");
                Failure::lasting(Error::Conflict)
            }
            &SqlState::FOREIGN_KEY_VIOLATION => Failure::lasting(Error::ForeignKey),
            &SqlState::NOT_NULL_VIOLATION
            | &SqlState::CHECK_VIOLATION
            | &SqlState::RAISE_EXCEPTION
            | &SqlState::NUMERIC_VALUE_OUT_OF_RANGE
            | &SqlState::CHARACTER_NOT_IN_REPERTOIRE
            | &SqlState::UNTRANSLATABLE_CHARACTER => Failure::lasting(Error::Rule(message())),
            &SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT => {
                let hint = "behind a pooler, say prepared_statements=false in the address";
                Failure::lasting(Error::Database(format!("{}: {hint}", message())))
            }
            code if connection_is_over(code) => Failure::lost(message()),
            _ => Failure::lasting(Error::Database(message())),
        }
    }
}

fn is_of_the_wire(source: &(dyn std::error::Error + 'static)) -> bool {
    source.is::<std::io::Error>() || source.is::<tokio_postgres::Error>()
}

/// Whether a code says that this connection cannot go on, though another may: lost, shut down, not yet
/// started, too many, or to a server that may no longer write.
fn connection_is_over(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}
