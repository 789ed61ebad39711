//! Who pays: customers, the people who act for them, and what they can be charged with.
//!
//! Owns what these are, and the seller's organization and staff. The state of a customer's money is in
//! `customer_account`. Every row of a customer has its shard in its id. Its zone, where it has one, is that
//! of its periods; rows say when they were made and changed.

pub mod edit;

use crate::id::{CatalogId, CustomerId, CustomerUserId, OrganizationId, PaymentMethodId, StaffId};
use crate::refusal::Refusal;
use crate::timestamp::Timestamp;

/// A seller.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The buyer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// The merchant's own id for it, unique in the environment.
    pub external_id: String,
    /// Its domain-like name, unique in the environment.
    pub handle: Option<String>,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Whether the merchant has put it away.
    pub archived: bool,
    /// The first part of its invoice numbers, where they are numbered by customer.
    pub invoice_number_base: String,
    /// A picture of it.
    pub logo_url: Option<String>,
    /// A small picture of it.
    pub icon_url: Option<String>,
    /// Its internet domain.
    pub domain: Option<String>,
    /// Its address as JSON text, in the form in which the merchant gave it.
    pub billing_address: Option<String>,
    /// Its country for taxes: ISO 3166 alpha-2, upper case.
    pub country: Option<String>,
    /// Its state or province for taxes.
    pub state: Option<String>,
    /// The merchant's id of a user that stands behind it.
    pub user_id: Option<String>,
    /// The catalog that it buys from; the default one if none.
    pub catalog_id: Option<CatalogId>,
    /// Its IANA time zone; the environment's if none.
    pub zone: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Customer {
    /// A customer of whom nothing is known yet.
    pub const fn new(id: CustomerId, environment: i64, now: Timestamp) -> Self {
        Self {
            id,
            environment,
            external_id: String::new(),
            handle: None,
            name: String::new(),
            email: String::new(),
            archived: false,
            invoice_number_base: String::new(),
            logo_url: None,
            icon_url: None,
            domain: None,
            billing_address: None,
            country: None,
            state: None,
            user_id: None,
            catalog_id: None,
            zone: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Checks that something new may be sold or billed to it.
    ///
    /// # Errors
    /// If it is archived.
    pub fn ensure_not_archived(&self) -> Result<(), Refusal> {
        match self.archived {
            true => Err(Refusal::State("the customer is archived: nothing new can be sold to it".into())),
            false => Ok(()),
        }
    }
}

/// An address, as text for documents and as places for taxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// All of it as JSON text.
    pub text: String,
    /// Its country as the merchant wrote it.
    pub country: Option<String>,
    /// Its state or province as the merchant wrote it.
    pub state: Option<String>,
}

/// What a customer is given. What is none stays as it is; an inner none takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerEdit {
    /// The merchant's own id for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Whether the merchant has put it away.
    pub archived: Option<bool>,
    /// Its domain-like name.
    pub handle: Option<Option<String>>,
    /// A picture of it.
    pub logo_url: Option<Option<String>>,
    /// A small picture of it.
    pub icon_url: Option<Option<String>>,
    /// Its internet domain.
    pub domain: Option<Option<String>>,
    /// Its address.
    pub billing_address: Option<Option<Address>>,
    /// The merchant's id of a user that stands behind it.
    pub user_id: Option<Option<String>>,
    /// The catalog that it buys from.
    pub catalog_id: Option<Option<CatalogId>>,
    /// Its IANA time zone.
    pub zone: Option<Option<String>>,
}

impl CustomerEdit {
    /// The customer with what is given. What needs a look first, its address, is not in it.
    pub(crate) fn apply(&self, customer: &Customer) -> Customer {
        // Named one by one, so that none is forgotten.
        let Self {
            external_id,
            name,
            email,
            archived,
            handle,
            logo_url,
            icon_url,
            domain,
            billing_address: _,
            user_id,
            catalog_id,
            zone,
        } = self.clone();
        let mut after = customer.clone();
        after.external_id = external_id.unwrap_or(after.external_id);
        after.name = name.unwrap_or(after.name);
        after.email = email.unwrap_or(after.email);
        after.archived = archived.unwrap_or(after.archived);
        after.handle = handle.unwrap_or(after.handle);
        after.logo_url = logo_url.unwrap_or(after.logo_url);
        after.icon_url = icon_url.unwrap_or(after.icon_url);
        after.domain = domain.unwrap_or(after.domain);
        after.user_id = user_id.unwrap_or(after.user_id);
        after.catalog_id = catalog_id.unwrap_or(after.catalog_id);
        after.zone = zone.unwrap_or(after.zone);
        after
    }
}

/// A person of the buyer.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerUser {
    /// Its id.
    pub id: CustomerUserId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// The customer for which it acts.
    pub customer_id: CustomerId,
    /// Its e-mail address, unique within the customer.
    pub email: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person of the seller.
#[derive(Debug, Clone, PartialEq)]
pub struct Staff {
    /// Its id.
    pub id: StaffId,
    /// The number of the environment that it works in.
    pub environment: i64,
    /// Its e-mail address, unique in the environment.
    pub email: String,
    /// Its name.
    pub name: String,
    /// The name of its role.
    pub role: String,
    /// Whether it may no longer log in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What kind of thing a payment method charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMethodKind {
    /// A payment card.
    Card,
    /// A bank account in the United States.
    UsBankAccount,
    /// A bank account that is debited by SEPA.
    SepaDebit,
}

crate::text_enum!(PaymentMethodKind {
    Card = "card",
    UsBankAccount = "us_bank_account",
    SepaDebit = "sepa_debit",
});

/// A card or account that can be charged. It never holds a card number.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentMethod {
    /// Its id.
    pub id: PaymentMethodId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What it charges.
    pub kind: PaymentMethodKind,
    /// Whether it is charged when nothing else is said.
    pub is_default: bool,
    /// The gateway's token for it.
    pub token: String,
    /// Name, e-mail and address as JSON text.
    pub billing_details: String,
    /// What may be shown of it (brand, last four digits) as JSON text.
    pub data: String,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
