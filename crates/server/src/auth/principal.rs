//! Who asks, once it is known.

use billing::credential::KeyScope;
use billing::id::{CredentialId, CustomerId, CustomerUserId, StaffId};

/// Who asks, and in whose books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The credential that was shown.
    pub credential: CredentialId,
    /// The number of the environment that it opens: nothing else may be read or written with it.
    pub environment: i64,
    /// Whom it stands for.
    pub kind: PrincipalKind,
}

/// Whom a credential stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A program of the merchant, with an API key.
    Key {
        /// What the key opens.
        scopes: Vec<KeyScope>,
    },
    /// A person of a customer.
    CustomerUser {
        /// The customer: nothing else may be read or written.
        customer: CustomerId,
        /// The person.
        user: CustomerUserId,
    },
    /// A person of the seller.
    Staff {
        /// The person.
        staff: StaffId,
        /// What its role permits.
        permissions: Vec<String>,
    },
}

impl Principal {
    /// Whether it is an API key with a scope.
    pub fn has_scope(&self, scope: KeyScope) -> bool {
        matches!(&self.kind, PrincipalKind::Key { scopes } if scopes.contains(&scope))
    }

    /// Whether it is a person of the seller who may do something.
    pub fn may(&self, permission: &str) -> bool {
        matches!(&self.kind, PrincipalKind::Staff { permissions, .. } if permissions.iter().any(|p| p == permission))
    }
}
