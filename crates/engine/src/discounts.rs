//! Discounts.

use crate::at::At;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::load::{self, OfferState};
use billing::catalog::{DiscountEdit, edit_discount, new_discount};
use billing::{Discount, DiscountId};
use store::Snapshot;

impl Engine {
    /// Makes a discount. The same one again, by its code, is given back as it is.
    ///
    /// # Errors
    /// If a value is missing or cannot be, or another discount has the code.
    pub fn create_discount(&self, at: At, new: DiscountEdit) -> Fut<'_, Discount> {
        let (environment, code) = (at.environment, new.code.clone());
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let known = of_code(s, environment, code.as_deref()).await?;
                    load::offer(s, environment, known).await
                })
            },
            move |ctx, OfferState { found, .. }, changes| {
                let discount = new_discount(ctx, environment, &new)?;
                match found {
                    Some(known) if edit_discount(ctx, &known, &new)? == known => {
                        Ok((known.clone(), known.id))
                    }
                    Some(_) => Err(Error::Taken { field: "code" }),
                    None => {
                        changes.insert(discount.clone());
                        Ok((discount.clone(), discount.id))
                    }
                }
            },
        )
    }

    /// Changes a discount. Subscriptions that have it get what it says from their next invoice on.
    ///
    /// # Errors
    /// If there is none of this id, a value cannot be, or another discount has the code.
    pub fn update_discount(&self, at: At, id: DiscountId, edit: DiscountEdit) -> Fut<'_, Discount> {
        let (environment, code) = (at.environment, edit.code.clone());
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let before = one(s, environment, id).await?;
                    let owner = of_code(s, environment, code.as_deref()).await?;
                    load::offer(s, environment, (before, owner)).await
                })
            },
            move |ctx, OfferState { found: (before, owner), .. }, changes| {
                let after = edit_discount(ctx, &before, &edit)?;
                if owner.is_some_and(|owner| owner.id != id) {
                    return Err(Error::Taken { field: "code" });
                }
                if after != before {
                    changes.update(before.clone(), after.clone());
                }
                Ok((after, id))
            },
        )
    }

    /// A discount.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn discount(&self, environment: i64, id: DiscountId) -> Fut<'_, Discount> {
        self.read(move |s| Box::pin(one(s, environment, id)))
    }
}

async fn one(s: &mut Snapshot, environment: i64, id: DiscountId) -> Result<Discount, Error> {
    store::discounts::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))
}

/// The discount that has a code, if one is given.
async fn of_code(
    s: &mut Snapshot,
    environment: i64,
    code: Option<&str>,
) -> Result<Option<Discount>, store::Error> {
    match code {
        Some(code) => store::discounts::by_code(s, environment, code).await,
        None => Ok(None),
    }
}
