//! Tax rates.

use crate::at::At;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::load::{self, OfferState};
use billing::catalog::TaxRate;
use billing::catalog::edit::{NewTaxRate, new_tax_rate};
use billing::id::TaxRateId;

impl Engine {
    /// Makes a tax rate. The same one again is given back as it is.
    ///
    /// # Errors
    /// If a value cannot be, or the place has another rate for the category already.
    pub fn create_tax_rate(&self, at: At, new: NewTaxRate) -> Fut<'_, TaxRate> {
        let environment = at.environment;
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let known = store::catalog::tax_rates(s, environment).await?;
                    load::offer(s, environment, known).await
                })
            },
            move |ctx, OfferState { found, .. }, changes| {
                let rate = new_tax_rate(ctx, environment, &new)?;
                let same_place = found.into_iter().find(|known| {
                    known.country == rate.country
                        && known.state == rate.state
                        && known.category == rate.category
                });
                match same_place {
                    Some(known) if known.kind == rate.kind && known.rate == rate.rate => {
                        Ok((known.clone(), known.id))
                    }
                    Some(_) => Err(Error::Taken { field: "country" }),
                    None => {
                        changes.insert(rate.clone());
                        Ok((rate.clone(), rate.id))
                    }
                }
            },
        )
    }

    /// A tax rate.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn tax_rate(&self, environment: i64, id: TaxRateId) -> Fut<'_, TaxRate> {
        self.read(move |s| {
            Box::pin(async move {
                let found = store::catalog::tax_rate(s, environment, id).await?;
                found.ok_or_else(|| Error::not_found(id))
            })
        })
    }
}
