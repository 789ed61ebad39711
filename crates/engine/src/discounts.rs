//! Discounts.

use crate::{Engine, Error};
use billing::catalog::{DiscountEdit, edit_discount, new_discount};
use billing::{Change, Changes, Discount, DiscountId, Request, Timestamp, Version};

impl Engine {
    /// Makes a discount. The same one again, by its code, is given back as it is.
    ///
    /// # Errors
    /// If a value is missing or cannot be, or another discount has the code.
    pub async fn create_discount(
        &self,
        now: Timestamp,
        environment: i64,
        new: DiscountEdit,
        request: Option<Request>,
    ) -> Result<Discount, Error> {
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let discount = new_discount(&mut ctx, environment, &new)?;
            let (version, known) = self.discount_of_code(environment, &discount.code).await?;
            let mut changes = deciding_on(environment, version);
            let discount = match known {
                Some(known) if edit_discount(&ctx, &known, &new)? == known => known,
                Some(_) => return Err(Error::Taken { field: "code" }),
                None => {
                    changes.push(Change::InsertDiscount(discount.clone()));
                    discount
                }
            };
            changes.answers(&ctx, discount.id);
            self.store().commit(changes).await?;
            Ok(discount)
        })
        .await
    }

    /// Changes a discount. Subscriptions that have it get what it says from their next invoice on.
    ///
    /// # Errors
    /// If there is none of this id, a value cannot be, or another discount has the code.
    pub async fn update_discount(
        &self,
        now: Timestamp,
        environment: i64,
        id: DiscountId,
        edit: DiscountEdit,
        request: Option<Request>,
    ) -> Result<Discount, Error> {
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let (version, known) = self
                .store()
                .read(move |s| {
                    Box::pin(async move {
                        let version = store::catalog::version(s, environment).await?;
                        let known = store::catalog::discount(s, environment, id).await?;
                        Ok::<_, Error>((version, known.ok_or_else(|| Error::not_found("discount", ""))?))
                    })
                })
                .await?;
            let discount = edit_discount(&ctx, &known, &edit)?;
            let (_, owner) = self.discount_of_code(environment, &discount.code).await?;
            if owner.is_some_and(|owner| owner.id != id) {
                return Err(Error::Taken { field: "code" });
            }
            let mut changes = deciding_on(environment, version);
            if discount != known {
                changes.push(Change::UpdateDiscount(discount.clone()));
            }
            changes.answers(&ctx, id);
            self.store().commit(changes).await?;
            Ok(discount)
        })
        .await
    }

    /// A discount.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn discount(&self, environment: i64, id: DiscountId) -> Result<Discount, Error> {
        self.store()
            .read(move |s| Box::pin(async move { store::catalog::discount(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("discount", ""))
    }

    async fn discount_of_code(
        &self,
        environment: i64,
        code: &str,
    ) -> Result<(Version, Option<Discount>), Error> {
        let code = code.to_owned();
        self.store()
            .read(move |s| {
                Box::pin(async move {
                    let version = store::catalog::version(s, environment).await?;
                    let known = store::subscriptions::discount_by_code(s, environment, &code).await?;
                    Ok((version, known))
                })
            })
            .await
    }
}

/// An empty decision on what an environment sells.
pub(crate) fn deciding_on(environment: i64, version: Version) -> Changes {
    Changes { catalog_version: Some((environment, version)), ..Changes::default() }
}
