//! Customers and the people who act for them.

use crate::{Engine, Error};
use billing::customer::{CustomerEdit, edit_customer, new_customer, new_user};
use billing::refusal::Field;
use billing::{
    Change, Changes, CredentialId, Customer, CustomerId, CustomerUser, Refusal, Request, Timestamp, Version,
};
use store::Snapshot;
use store::pages::{Page, Window};

impl Engine {
    /// Makes a customer. The same one again, by its external id, is given back as it is.
    ///
    /// # Errors
    /// If a value cannot be, the catalog does not exist, or another customer has the id or the handle.
    pub async fn create_customer(
        &self,
        now: Timestamp,
        environment: i64,
        new: CustomerEdit,
        request: Option<Request>,
    ) -> Result<Customer, Error> {
        let id = self
            .deciding(environment, async || {
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let customer = new_customer(&mut ctx, environment, &new)?;
                let wanted = customer.clone();
                let existing =
                    self.store().read(move |s| Box::pin(async move { load_same(s, &wanted).await })).await?;
                let mut changes = Changes::default();
                let id = match existing {
                    Some(existing) if edit_customer(&ctx, &existing, &new)? == existing => existing.id,
                    Some(_) => return Err(Error::Taken { field: "externalId" }),
                    None => {
                        changes.push(Change::InsertCustomer(customer.clone()));
                        customer.id
                    }
                };
                changes.answers(&ctx, id);
                self.store().commit(changes).await?;
                Ok(id)
            })
            .await?;
        self.customer_by_id(environment, id).await
    }

    /// Changes a customer.
    ///
    /// # Errors
    /// If there is none of this external id, a value cannot be, the catalog does not exist, or another
    /// customer has the id or the handle.
    pub async fn update_customer(
        &self,
        now: Timestamp,
        environment: i64,
        external_id: &str,
        edit: CustomerEdit,
        request: Option<Request>,
    ) -> Result<Customer, Error> {
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let (customer, version) = self.load_customer(environment, external_id).await?;
            let after = edit_customer(&ctx, &customer, &edit)?;
            let (before, wanted) = (customer.clone(), after.clone());
            self.store()
                .read(move |s| Box::pin(async move { check_names(s, Some(&before), &wanted).await }))
                .await?;
            let mut changes = Changes::of(customer.id, version);
            if after != customer {
                changes.push(Change::UpdateCustomer(after.clone()));
            }
            changes.answers(&ctx, after.id);
            self.store().commit(changes).await?;
            Ok(after)
        })
        .await
    }

    async fn load_customer(&self, environment: i64, external_id: &str) -> Result<(Customer, Version), Error> {
        let name = external_id.to_owned();
        self.store()
            .read(move |s| {
                Box::pin(async move { store::customers::by_external_id(s, environment, &name).await })
            })
            .await?
            .ok_or_else(|| unknown(external_id))
    }

    /// The customer of the merchant's own id.
    ///
    /// # Errors
    /// If there is none.
    pub async fn customer(&self, environment: i64, external_id: &str) -> Result<Customer, Error> {
        Ok(self.load_customer(environment, external_id).await?.0)
    }

    /// A customer.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn customer_by_id(&self, environment: i64, id: CustomerId) -> Result<Customer, Error> {
        self.store()
            .read(move |s| Box::pin(async move { store::customers::by_id(s, environment, id).await }))
            .await?
            .map(|(customer, _)| customer)
            .ok_or_else(|| Error::not_found("customer", ""))
    }

    /// A page of the customers.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn customers(&self, environment: i64, window: Window) -> Result<Page<Customer>, Error> {
        let page = self
            .store()
            .read(move |s| Box::pin(async move { store::pages::customers(s, environment, window).await }));
        Ok(page.await?)
    }

    /// The person of a customer with an e-mail address, made if it is not there yet. A
    /// request stands for the credential that the person is about to be given.
    ///
    /// # Errors
    /// If there is no such customer, it is archived, or the address cannot be one.
    pub async fn customer_user(
        &self,
        now: Timestamp,
        environment: i64,
        external_id: &str,
        email: Option<String>,
        name: Option<String>,
        request: Option<(Request, CredentialId)>,
    ) -> Result<(Customer, CustomerUser), Error> {
        let (request, credential) = request.unzip();
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let (customer, version) = self.load_customer(environment, external_id).await?;
            if customer.archived {
                return Err(Refusal::State("the customer is archived".into()).into());
            }
            let email = email.clone().unwrap_or_else(|| customer.email.clone());
            let name = name.clone().unwrap_or_else(|| customer.name.clone());
            let (id, wanted) = (customer.id, email.clone());
            let known = self
                .store()
                .read(move |s| Box::pin(async move { store::customers::user(s, id, &wanted).await }))
                .await?;
            let mut changes = Changes::of(customer.id, version);
            let user = match known {
                Some(user) => user,
                None => {
                    let user = new_user(&mut ctx, &customer, &email, &name)?;
                    changes.push(Change::InsertCustomerUser(user.clone()));
                    user
                }
            };
            if let Some(credential) = credential {
                changes.answers(&ctx, credential);
            }
            if !changes.rows.is_empty() || changes.idempotency.is_some() {
                self.store().commit(changes).await?;
            }
            Ok((customer, user))
        })
        .await
    }
}

/// The customer of the merchant's own id does not exist: the words of document 002.
fn unknown(external_id: &str) -> Error {
    Error::not_found("customer", external_id)
}

/// The customer that has the external id already, after a look at the other names.
async fn load_same(s: &mut Snapshot, wanted: &Customer) -> Result<Option<Customer>, Error> {
    let same = store::customers::by_external_id(s, wanted.environment, &wanted.external_id).await?;
    if same.is_none() {
        check_names(s, None, wanted).await?;
    }
    Ok(same.map(|(customer, _)| customer))
}

/// Checks that no other customer has the names and that the catalog exists.
async fn check_names(s: &mut Snapshot, before: Option<&Customer>, after: &Customer) -> Result<(), Error> {
    let names = [
        ("external_id", "externalId", Some(after.external_id.as_str())),
        ("handle", "handle", after.handle.as_deref()),
    ];
    for (kind, field, name) in names {
        let Some(name) = name else { continue };
        let owner = store::customers::named(s, after.environment, kind, name).await?;
        if owner.is_some_and(|owner| before.is_none_or(|before| before.id != owner)) {
            return Err(Error::Taken { field });
        }
    }
    if let Some(catalog) = after.catalog_id
        && before.is_none_or(|before| before.catalog_id != Some(catalog))
        && store::catalog::catalog(s, after.environment, catalog).await?.is_none()
    {
        return Err(Refusal::invalid(Field::Catalog, "the id of a catalog").into());
    }
    Ok(())
}
