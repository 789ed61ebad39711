//! The faces, and which paths belong to each.

/// Whose words an answer is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Contract 000.
    AppExperts,
    /// Contract 001.
    Placio,
    /// Contract 002 and the merchant API.
    Flowglad,
    /// Contract 003.
    SureCart,
    /// Contract 004.
    Unpod,
    /// Everything else: plain text.
    Web,
}

impl Face {
    /// Every face, in the order of the contracts.
    pub const ALL: [Face; 6] =
        [Self::AppExperts, Self::Placio, Self::Flowglad, Self::SureCart, Self::Unpod, Self::Web];

    /// The face whose paths a path is among.
    pub fn of(path: &str) -> Self {
        let is_under = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_under("/api/v1/profile") {
            Self::AppExperts
        } else if is_under("/api/v1/admin") {
            Self::Placio
        } else if is_under("/api/v1") {
            Self::Flowglad
        } else if is_under("/v1") {
            Self::SureCart
        } else if is_under("/api/v2") {
            Self::Unpod
        } else {
            Self::Web
        }
    }

    /// Its name in logs and counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AppExperts => "appexperts",
            Self::Placio => "placio",
            Self::Flowglad => "flowglad",
            Self::SureCart => "surecart",
            Self::Unpod => "unpod",
            Self::Web => "web",
        }
    }
}
