//! What came of a case.

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All that it expects comes out.
    Agrees,
    /// Something else comes out.
    Differs {
        /// What it expects.
        expected: String,
        /// What comes out.
        got: String,
    },
    /// It needs what is not built, or says what nothing here can read.
    NotYet(String),
}

impl Verdict {
    /// It needs this, which is not built.
    pub(crate) fn not_yet(what: impl Into<String>) -> Verdict {
        Verdict::NotYet(what.into())
    }
}
