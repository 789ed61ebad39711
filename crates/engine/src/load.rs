//! What most decisions are made on: a customer with the rules for it, or what an environment sells.

use crate::decide::Basis;
use crate::error::Error;
use crate::kind::Kind;
use crate::latest::Latest;
use billing::changes::{Changes, Version};
use billing::customer_account::CustomerAccount;
use billing::id::CustomerId;
use billing::rules::Rules;
use billing::timestamp::Timestamp;
use store::Snapshot;

/// A customer with the rules for it, and what else a decision about it needs.
pub(crate) struct CustomerState<T> {
    pub(crate) rules: Rules,
    pub(crate) payer: CustomerAccount,
    pub(crate) found: T,
}

impl CustomerState<()> {
    /// The same with what else was found.
    pub(crate) fn with<T>(self, found: T) -> CustomerState<T> {
        CustomerState { rules: self.rules, payer: self.payer, found }
    }
}

impl<T: Latest> Latest for CustomerState<T> {
    fn latest(&self) -> Option<Timestamp> {
        self.payer.latest().max(self.found.latest())
    }
}

impl<T: Latest + Send + 'static> Basis for CustomerState<T> {
    fn changes(&self) -> Changes {
        self.payer.changes()
    }
}

/// Some of what an environment sells. All of it has one version: it is changed seldom, and what is unique
/// in it (slugs, defaults, codes) is then decided on fresh state, not hoped for.
pub(crate) struct OfferState<T> {
    pub(crate) environment: i64,
    pub(crate) version: Version,
    pub(crate) found: T,
}

impl<T: Latest> Latest for OfferState<T> {
    fn latest(&self) -> Option<Timestamp> {
        self.found.latest()
    }
}

impl<T: Latest + Send + 'static> Basis for OfferState<T> {
    fn changes(&self) -> Changes {
        Changes { catalog_version: Some((self.environment, self.version)), ..Changes::default() }
    }
}

/// The rules of an environment and one of its customers, with what is needed to charge it.
pub(crate) async fn customer(
    s: &mut Snapshot,
    environment: i64,
    id: CustomerId,
) -> Result<CustomerState<()>, Error> {
    let rules = rules(s, environment).await?;
    let payer = store::payers::load_one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))?;
    Ok(CustomerState { rules, payer, found: () })
}

/// What an environment sells, of which something was found.
pub(crate) async fn offer<T>(s: &mut Snapshot, environment: i64, found: T) -> Result<OfferState<T>, Error> {
    Ok(OfferState { environment, version: store::catalog::version(s, environment).await?, found })
}

/// The rules of an environment.
pub(crate) async fn rules(s: &mut Snapshot, environment: i64) -> Result<Rules, Error> {
    store::payers::rules(s, environment)
        .await?
        .ok_or_else(|| Error::none_named(Kind::Environment, environment))
}
