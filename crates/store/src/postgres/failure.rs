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

const SILENT: &str = "the database does not answer";
const CANCELED: &str = "the database ended a statement that took too long (57014)";

impl Failure {
    /// The connection does not answer.
    pub(super) fn lost(why: impl Into<String>) -> Failure {
        Failure { remedy: Remedy::Reconnect, error: Error::Unavailable(why.into()) }
    }

    /// Patience is over before a connection was free: there is no use in trying again.
    pub(super) fn busy() -> Failure {
        Failure::lasting(Error::Unavailable("all connections are in use".to_owned()))
    }

    /// A failure that the same statement will always meet.
    pub(super) fn lasting(error: Error) -> Failure {
        Failure { remedy: Remedy::None, error }
    }

    /// What a server says by a code.
    fn said(code: &SqlState, words: &str) -> Failure {
        let message = || format!("{words} ({})", code.code());
        match code {
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => {
                Failure { remedy: Remedy::Again, error: Error::Busy }
            }
            // A database that is too slow, by the limits of whoever runs it: what waited for a lock was never
            // begun, and what took long once may take as long again.
            &SqlState::LOCK_NOT_AVAILABLE => {
                Failure { remedy: Remedy::Again, error: Error::Unavailable(message()) }
            }
            &SqlState::QUERY_CANCELED => Failure::lasting(Error::Unavailable(CANCELED.to_owned())),
            &SqlState::UNIQUE_VIOLATION => Failure::lasting(Error::Conflict),
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

    /// A statement that was sent is not answered.
    pub(super) fn silence() -> Failure {
        Failure::lost(SILENT)
    }

    /// Whether a statement was not answered in time: it may be that one statement only.
    pub(super) fn is_slowness(&self) -> bool {
        matches!(&self.error, Error::Unavailable(why) if why == SILENT || why == CANCELED)
    }

    /// Whether it is a statement that always fails, and not the way to the database.
    pub(super) fn is_of_a_statement(&self) -> bool {
        !self.passes() && !matches!(self.error, Error::Unavailable(_) | Error::Closed)
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
        tracing::debug!(code = said.code().code(), constraint = said.constraint(), "refused by the server");
        Failure::said(said.code(), said.message())
    }
}

fn is_of_the_wire(source: &(dyn std::error::Error + 'static)) -> bool {
    source.is::<std::io::Error>() || source.is::<tokio_postgres::Error>()
}

/// Whether a code says that this connection cannot go on, though another may: lost, shut down, not yet
/// started, too many, to a server that may no longer write or is in distress (a full disk, no memory).
///
/// At a commit each of them leaves open whether it stands, and CockroachDB has a code that says so; a
/// transaction that is given up without looking would be done twice.
fn connection_is_over(code: &SqlState) -> bool {
    ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class))
        || [
            SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::IO_ERROR,
        ]
        .contains(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str) -> Failure {
        Failure::said(&SqlState::from_code(code), "words")
    }

    #[test]
    fn a_server_in_distress_is_unavailable_and_its_commits_are_looked_up() {
        let over = [
            "08000", "08003", "08006", "08P01", "25006", "25P03", "40003", "53000", "53100", "53200",
            "53300", "53400", "57P01", "57P02", "57P03", "57P04", "57P05", "58030",
        ];
        for code in over {
            let lost = Failure::lost(format!("words ({code})"));
            assert_eq!(said(code), lost);
            assert_eq!(lost.remedy, Remedy::Reconnect, "a commit that fails so is looked up");
        }
    }

    #[test]
    fn a_database_that_is_too_slow_is_unavailable() {
        let locked = Error::Unavailable("words (55P03)".to_owned());
        assert_eq!(said("55P03"), Failure { remedy: Remedy::Again, error: locked });
        assert_eq!(said("57014"), Failure::lasting(Error::Unavailable(CANCELED.to_owned())));
        // Others who shared its snapshot read again without it.
        assert!(said("57014").is_slowness() && Failure::silence().is_slowness());
        assert!(!said("55P03").is_slowness() && !Failure::busy().is_slowness());
    }

    #[test]
    fn collisions_are_run_again_and_what_a_statement_is_at_fault_for_is_not() {
        for code in ["40001", "40P01"] {
            assert_eq!(said(code), Failure { remedy: Remedy::Again, error: Error::Busy });
        }
        assert_eq!(said("23505"), Failure::lasting(Error::Conflict));
        assert_eq!(said("23503"), Failure::lasting(Error::ForeignKey));
        for code in ["23502", "23514", "P0001", "22003", "22021", "22P05"] {
            assert_eq!(said(code), Failure::lasting(Error::Rule(format!("words ({code})"))));
        }
        for code in ["42601", "42P01", "42501", "58P01", "XX000"] {
            assert_eq!(said(code), Failure::lasting(Error::Database(format!("words ({code})"))));
        }
        let unknown_name = said("26000").error.to_string();
        assert!(unknown_name.contains("prepared_statements=false"), "{unknown_name}");
    }
}
