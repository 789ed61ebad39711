//! Document 002: everything that a customer has and owes.

use super::error::Error;
use super::merchant::{Merchant, segment};
use super::{customers, invoices, offers, payment_methods, purchases, subscriptions};
use crate::body::Body;
use crate::json::{Raw, object};
use crate::response_cache::{CacheKey, Rendered};
use axum::response::Response;
use billing::environment::Environment;
use billing::id::{CustomerId, Id};
use billing::invoice::Invoice;
use engine::Cycle;
use http::{HeaderMap, Uri};
use store::Scope;
use store::billing_view::BillingView;

/// `GET /api/v1/customers/{externalId}/billing`
pub(super) async fn retrieve(
    merchant: Merchant,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let external_id = segment(uri.path(), "/api/v1/customers/", "/billing")?;
    let known = merchant.app.external_ids.get(merchant.environment(), &external_id);
    let id = match known {
        Some(id) => id,
        None => look_up(&merchant, &external_id).await?,
    };
    match answer(&merchant, &external_id, id, &headers).await {
        // The customer has another external id by now; who has this one?
        Err(Outdated::Moved) if known.is_some() => {
            merchant.app.external_ids.forget(merchant.environment(), &external_id);
            let id = look_up(&merchant, &external_id).await?;
            answer(&merchant, &external_id, id, &headers).await.map_err(|error| error.of(&external_id))
        }
        outcome => outcome.map_err(|error| error.of(&external_id)),
    }
}

enum Outdated {
    /// The customer does not have the external id any more.
    Moved,
    Other(Error),
}

impl From<store::Error> for Outdated {
    fn from(error: store::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Outdated {
    fn of(self, external_id: &str) -> Error {
        match self {
            Self::Moved => Error::not_found("customer", external_id),
            Self::Other(error) => error,
        }
    }
}

async fn look_up(merchant: &Merchant, external_id: &str) -> Result<CustomerId, Error> {
    let id = merchant.engine().customer_id(merchant.environment(), external_id).await?;
    merchant.app.external_ids.keep(merchant.environment(), external_id, id);
    Ok(id)
}

async fn answer(
    merchant: &Merchant,
    external_id: &str,
    id: CustomerId,
    headers: &HeaderMap,
) -> Result<Response<Body>, Outdated> {
    let key = CacheKey {
        face: "flowglad",
        reader: id.raw(),
        target: external_id,
        also: ["", ""],
        scopes: &[Scope::Customer(id.raw()), Scope::Catalog(merchant.environment())],
        now: merchant.now(),
    };
    let render = async || {
        let view = merchant.engine().billing_view(merchant.environment(), id).await;
        let view = view.map_err(|error| Outdated::Other(error.into()))?;
        match view {
            Some(view) if view.customer.external_id == external_id => {
                Ok(Rendered::from(render(&merchant.books, &view)))
            }
            _ => Err(Outdated::Moved),
        }
    };
    merchant.app.get_or_render(&key, headers, render).await
}

/// The document's answer.
pub(super) fn render(books: &Environment, view: &BillingView) -> String {
    let subscriptions: Vec<(bool, String)> = view
        .subscriptions
        .iter()
        // One without items is not listed.
        .filter(|(_, items)| !items.is_empty())
        .map(|(subscription, items)| {
            let text = object(|o| {
                subscriptions::show(o, books, subscription, items, &|id| view.price(id));
            });
            (subscription.status.is_current(), text)
        })
        .collect();
    let catalog = view.offer.as_ref().map(|offer| offers::catalog(books, offer));
    let catalog = catalog.as_deref().map(Raw);
    object(|o| {
        o.object("customer", |o| customers::show(o, books, &view.customer));
        o.array("subscriptions", |list| {
            for (_, text) in &subscriptions {
                list.put(Raw(text));
            }
        });
        o.array("invoices", |list| {
            // One without lines is not listed.
            for full in view.invoices.iter().filter(|full| !full.lines.is_empty()) {
                let cycle = cycle_of(view, &full.invoice);
                list.object(|o| {
                    o.object("invoice", |o| invoices::show(o, books, full, cycle));
                    invoices::show_lines(o, books, full);
                });
            }
        });
        o.array("paymentMethods", |list| {
            for method in &view.payment_methods {
                list.object(|o| payment_methods::show(o, books, method));
            }
        });
        o.array("purchases", |list| {
            for purchase in &view.purchases {
                list.object(|o| purchases::show(o, books, purchase, view.price(purchase.price_id)));
            }
        });
        o.array("currentSubscriptions", |list| {
            for (_, text) in subscriptions.iter().filter(|(is_current, _)| *is_current) {
                list.put(Raw(text));
            }
        });
        // Published clients of later versions read the same object under its later name.
        o.put("catalog", catalog).put("pricingModel", catalog);
    })
}

fn cycle_of(view: &BillingView, invoice: &Invoice) -> Option<Cycle> {
    if let Some(id) = invoice.subscription_id {
        return view.subscriptions.iter().find(|(s, _)| s.id == id).map(|(s, _)| (s.interval, s.anchor));
    }
    let id = invoice.purchase_id?;
    let purchase = view.purchases.iter().find(|purchase| purchase.id == id)?;
    purchase.cycle(view.price(purchase.price_id)?)
}
