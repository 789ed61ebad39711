//! Tax rates.

use crate::discounts::deciding_on;
use crate::{Engine, Error};
use billing::catalog::{NewTaxRate, new_tax_rate};
use billing::{Change, Request, TaxRate, TaxRateId, Timestamp};

impl Engine {
    /// Makes a tax rate. The same one again is given back as it is.
    ///
    /// # Errors
    /// If a value cannot be, or the place has another rate for the category already.
    pub async fn create_tax_rate(
        &self,
        now: Timestamp,
        environment: i64,
        new: NewTaxRate,
        request: Option<Request>,
    ) -> Result<TaxRate, Error> {
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let rate = new_tax_rate(&mut ctx, environment, &new)?;
            let (version, known) = self
                .store()
                .read(move |s| {
                    Box::pin(async move {
                        let version = store::catalog::version(s, environment).await?;
                        Ok::<_, Error>((version, store::catalog::tax_rates(s, environment).await?))
                    })
                })
                .await?;
            let mut changes = deciding_on(environment, version);
            let same_place = known.into_iter().find(|known| {
                known.country == rate.country && known.state == rate.state && known.category == rate.category
            });
            let rate = match same_place {
                Some(known) if known.kind == rate.kind && known.rate == rate.rate => known,
                Some(_) => return Err(Error::Taken { field: "country" }),
                None => {
                    changes.push(Change::InsertTaxRate(rate.clone()));
                    rate
                }
            };
            changes.answers(&ctx, rate.id);
            self.store().commit(changes).await?;
            Ok(rate)
        })
        .await
    }

    /// A tax rate.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn tax_rate(&self, environment: i64, id: TaxRateId) -> Result<TaxRate, Error> {
        self.store()
            .read(move |s| Box::pin(async move { store::catalog::tax_rate(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("tax rate", ""))
    }
}
