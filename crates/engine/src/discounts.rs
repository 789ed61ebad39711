//! Discounts.

use crate::at::At;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::latest::Latest;
use crate::load::{self, OfferState};
use billing::catalog::Discount;
use billing::catalog::edit::{DiscountEdit, edit_discount, new_discount};
use billing::id::DiscountId;
use billing::timestamp::Timestamp;
use store::Snapshot;

/// A discount, what it is to be given, and who has the code of that.
struct Editable {
    before: Discount,
    edit: DiscountEdit,
    owner: Option<Discount>,
}

impl Latest for Editable {
    fn latest(&self) -> Option<Timestamp> {
        self.before.latest().max(self.owner.latest())
    }
}

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

    /// Changes a discount; `edit` is told what it is and says what is new. Subscriptions that have it get what it says from their next invoice on.
    ///
    /// # Errors
    /// If there is none of this id, a value cannot be, or another discount has the code.
    pub fn update_discount(
        &self,
        at: At,
        id: DiscountId,
        edit: impl FnOnce(&Discount) -> DiscountEdit + Clone + Send + Sync + 'static,
    ) -> Fut<'_, Discount> {
        let environment = at.environment;
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let before = one(s, environment, id).await?;
                    let edit = edit(&before);
                    let owner = of_code(s, environment, edit.code.as_deref()).await?;
                    load::offer(s, environment, Editable { before, edit, owner }).await
                })
            },
            move |ctx, OfferState { found: Editable { before, edit, owner }, .. }, changes| {
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
