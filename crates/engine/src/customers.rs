//! Customers and the people who act for them.

use crate::at::At;
use crate::decide::Basis;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use crate::latest::Latest;
use billing::changes::{Changes, Version};
use billing::customer::edit::{edit_customer, new_customer, new_user};
use billing::customer::{Customer, CustomerEdit, CustomerUser};
use billing::id::{CredentialId, CustomerId, Id};
use billing::refusal::{Field, Refusal};
use billing::timestamp::Timestamp;
use store::Snapshot;
use store::pages::{CursorPage, Page};

/// The customer that has the external id of a new one, and whether the new one may have its other names.
struct Newcomer {
    same: Option<Customer>,
    names: Result<(), Error>,
}

impl Latest for Newcomer {
    fn latest(&self) -> Option<Timestamp> {
        self.same.latest()
    }
}

impl Basis for Newcomer {
    fn changes(&self) -> Changes {
        Changes::default()
    }
}

/// A customer at a version, and what else a decision about it needs.
struct Versioned<T> {
    customer: Customer,
    version: Version,
    found: T,
}

impl<T> Latest for Versioned<T> {
    fn latest(&self) -> Option<Timestamp> {
        self.customer.latest()
    }
}

impl<T: Send + 'static> Basis for Versioned<T> {
    fn changes(&self) -> Changes {
        Changes::of(self.customer.id, self.version)
    }
}

impl Engine {
    /// Makes a customer. The same one again, by its external id, is given back as it is.
    ///
    /// # Errors
    /// If a value cannot be, the catalog does not exist, or another customer has the id or the handle.
    pub fn create_customer(&self, at: At, new: CustomerEdit) -> Fut<'_, Customer> {
        Box::pin(async move {
            let (environment, wanted) = (at.environment, new.clone());
            let decided = self.decide(
                at,
                move |s| Box::pin(async move { load_newcomer(s, environment, &wanted).await }),
                move |ctx, Newcomer { same, names }, changes| {
                    let customer = new_customer(ctx, environment, &new)?;
                    let id = match same {
                        Some(same) if edit_customer(ctx, &same, &new)? == same => same.id,
                        Some(_) => return Err(Error::Taken { field: "externalId" }),
                        None => {
                            names?;
                            let id = customer.id;
                            changes.insert(customer);
                            id
                        }
                    };
                    Ok((id, id))
                },
            );
            // The commit gave it the first part of its invoice numbers.
            self.customer_by_id(environment, decided.await?).await
        })
    }

    /// Changes a customer.
    ///
    /// # Errors
    /// If there is none of this external id, a value cannot be, the catalog does not exist, or another
    /// customer has the id or the handle.
    pub fn update_customer(&self, at: At, external_id: &str, edit: CustomerEdit) -> Fut<'_, Customer> {
        let (environment, name, wanted) = (at.environment, external_id.to_owned(), edit.clone());
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let (customer, version) = by_external_id(s, environment, &name).await?;
                    let found = check_names(s, environment, Some(&customer), &wanted).await?;
                    Ok(Versioned { customer, version, found })
                })
            },
            move |ctx, Versioned { customer: before, found: names, .. }, changes| {
                let after = edit_customer(ctx, &before, &edit)?;
                names?;
                if after != before {
                    changes.update(before.clone(), after.clone());
                }
                Ok((after, before.id))
            },
        )
    }

    /// The customer of the merchant's own id.
    ///
    /// # Errors
    /// If there is none.
    pub fn customer(&self, environment: i64, external_id: &str) -> Fut<'_, Customer> {
        let name = external_id.to_owned();
        self.read(move |s| Box::pin(async move { Ok(by_external_id(s, environment, &name).await?.0) }))
    }

    /// A customer.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn customer_by_id(&self, environment: i64, id: CustomerId) -> Fut<'_, Customer> {
        self.read(move |s| {
            Box::pin(async move {
                let found = store::customers::by_id(s, environment, id).await?;
                found.map(|(customer, _)| customer).ok_or_else(|| Error::not_found(id))
            })
        })
    }

    /// A page of the customers.
    ///
    /// # Errors
    /// If the store fails.
    pub fn customers(&self, environment: i64, window: CursorPage) -> Fut<'_, Page<Customer>> {
        self.read(move |s| {
            Box::pin(async move { Ok(store::pages::customers(s, environment, window).await?) })
        })
    }

    /// The person of a customer with an e-mail address, made if it is not there yet. A request stands for
    /// the credential that the person is about to be given.
    ///
    /// # Errors
    /// If there is no such customer, it is archived, or the address cannot be one.
    pub fn customer_user(
        &self,
        at: At,
        external_id: &str,
        email: Option<String>,
        name: Option<String>,
        credential: Option<CredentialId>,
    ) -> Fut<'_, (Customer, CustomerUser)> {
        let (environment, external_id, wanted) = (at.environment, external_id.to_owned(), email.clone());
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let (customer, version) = by_external_id(s, environment, &external_id).await?;
                    let email = wanted.as_deref().unwrap_or(&customer.email);
                    let found = store::customers::user(s, customer.id, email).await?;
                    Ok(Versioned { customer, version, found })
                })
            },
            move |ctx, Versioned { customer, found: known, .. }, changes| {
                if customer.archived {
                    return Err(Refusal::State("the customer is archived".into()).into());
                }
                let user = match known {
                    Some(user) => user,
                    None => {
                        let email = email.as_deref().unwrap_or(&customer.email);
                        let name = name.as_deref().unwrap_or(&customer.name);
                        let user = new_user(ctx, &customer, email, name)?;
                        changes.insert(user.clone());
                        user
                    }
                };
                let resource = credential.unwrap_or(CredentialId::from_raw(user.id.raw()));
                Ok(((customer, user), resource))
            },
        )
    }
}

pub(crate) async fn by_external_id(
    s: &mut Snapshot,
    environment: i64,
    external_id: &str,
) -> Result<(Customer, Version), Error> {
    let found = store::customers::by_external_id(s, environment, external_id).await?;
    found.ok_or_else(|| Error::none_named(Kind::Customer, external_id))
}

async fn load_newcomer(s: &mut Snapshot, environment: i64, new: &CustomerEdit) -> Result<Newcomer, Error> {
    let same = match &new.external_id {
        Some(external_id) => store::customers::by_external_id(s, environment, external_id).await?,
        None => None,
    };
    let names = match &same {
        Some(_) => Ok(()),
        None => check_names(s, environment, None, new).await?,
    };
    Ok(Newcomer { same: same.map(|(customer, _)| customer), names })
}

/// Whether a customer may have the names and the catalog that an edit gives it: no other has the names, and
/// the catalog exists.
async fn check_names(
    s: &mut Snapshot,
    environment: i64,
    before: Option<&Customer>,
    edit: &CustomerEdit,
) -> Result<Result<(), Error>, store::Error> {
    let names = [
        ("external_id", "externalId", edit.external_id.as_deref()),
        ("handle", "handle", edit.handle.as_ref().and_then(Option::as_deref)),
    ];
    for (kind, field, name) in names {
        let Some(name) = name else { continue };
        let owner = store::customers::named(s, environment, kind, name).await?;
        if owner.is_some_and(|owner| before.is_none_or(|before| before.id != owner)) {
            return Ok(Err(Error::Taken { field }));
        }
    }
    if let Some(catalog) = edit.catalog_id.flatten()
        && before.is_none_or(|before| before.catalog_id != Some(catalog))
        && store::catalog::catalog(s, environment, catalog).await?.is_none()
    {
        return Ok(Err(Refusal::invalid(Field::Catalog, "the id of a catalog").into()));
    }
    Ok(Ok(()))
}
