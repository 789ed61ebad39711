//! Catalogs, products and prices.

use crate::at::At;
use crate::decide::Basis;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use crate::latest::Latest;
use billing::catalog::edit::{
    CatalogEdit, NewPrice, PriceEdit, ProductEdit, edit_catalog, edit_price, edit_product, new_catalog,
    new_price, new_product,
};
use billing::catalog::{Catalog, Price, Product};
use billing::changes::{Changes, Version};
use billing::id::{CatalogId, Ctx, PriceId, ProductId};
use billing::refusal::{Field, Refusal};
use billing::timestamp::Timestamp;
use store::Snapshot;
use store::offers::Offer;

/// Which catalog's offer a decision is about.
#[derive(Debug, Clone, Copy)]
enum About {
    /// No one's: the catalogs themselves.
    Catalogs,
    /// The default one's.
    DefaultCatalog,
    /// A catalog's.
    Catalog(CatalogId),
    /// The one that has a product.
    Product(ProductId),
    /// The one that has a price.
    Price(PriceId),
}

impl From<Option<CatalogId>> for About {
    fn from(id: Option<CatalogId>) -> Self {
        id.map_or(Self::DefaultCatalog, Self::Catalog)
    }
}

/// What an environment sells, as far as a decision needs it.
struct CatalogState {
    environment: i64,
    version: Version,
    catalogs: Vec<Catalog>,
    offer: Option<Offer>,
}

impl Latest for CatalogState {
    fn latest(&self) -> Option<Timestamp> {
        // Not of catalogs: the default one is made with the books, whatever their clock says.
        let offered = self.offer.iter().flat_map(|offer| &offer.products);
        offered.filter_map(|(product, prices)| product.latest().max(prices.latest())).max()
    }
}

impl Basis for CatalogState {
    fn changes(&self) -> Changes {
        Changes { catalog_version: Some((self.environment, self.version)), ..Changes::default() }
    }
}

impl CatalogState {
    fn offer(&self) -> Result<&Offer, Error> {
        self.offer.as_ref().ok_or_else(|| Refusal::invalid(Field::Catalog, "the id of a catalog").into())
    }

    fn product(&self, id: ProductId) -> Result<&(Product, Vec<Price>), Error> {
        let offered = self.offer.as_ref().and_then(|offer| offer.products.iter().find(|(p, _)| p.id == id));
        offered.ok_or_else(|| Error::not_found(id))
    }

    fn price_of_slug(&self, slug: &str) -> Option<&Price> {
        let prices = self.offer.iter().flat_map(|offer| &offer.products).flat_map(|(_, prices)| prices);
        prices.filter(|price| price.active).find(|price| price.slug.as_deref() == Some(slug))
    }
}

impl Engine {
    /// Decides on what an environment sells.
    fn decide_on_catalog<'e, T, R>(
        &'e self,
        at: At,
        about: impl Into<About>,
        decision: impl FnMut(&mut Ctx, CatalogState, &mut Changes) -> Result<(T, R), Error> + Send + 'e,
    ) -> Fut<'e, T>
    where
        T: Send + 'static,
        R: billing::id::Id,
    {
        let (environment, about) = (at.environment, about.into());
        self.decide(at, move |s| Box::pin(load(s, environment, about)), decision)
    }

    /// Makes a catalog. The same one again, by its name, is given back as it is.
    ///
    /// # Errors
    /// If it has no name, or another one has it.
    pub fn create_catalog(&self, at: At, new: CatalogEdit) -> Fut<'_, Catalog> {
        let environment = at.environment;
        self.decide_on_catalog(at, About::Catalogs, move |ctx, state, changes| {
            let catalog = new_catalog(ctx, environment, &new)?;
            match state.catalogs.iter().find(|known| known.name == catalog.name) {
                Some(known) if edit_catalog(ctx, known, &new)? == *known => Ok((known.clone(), known.id)),
                Some(_) => Err(Error::Taken { field: "name" }),
                None => {
                    changes.insert(catalog.clone());
                    if catalog.is_default {
                        demote_catalogs(&state.catalogs, catalog.id, ctx.now, changes);
                    }
                    Ok((catalog.clone(), catalog.id))
                }
            }
        })
    }

    /// Changes a catalog.
    ///
    /// # Errors
    /// If there is none of this id, or the only default would be none.
    pub fn update_catalog(&self, at: At, id: CatalogId, edit: CatalogEdit) -> Fut<'_, Catalog> {
        self.decide_on_catalog(at, About::Catalogs, move |ctx, state, changes| {
            let before = state.catalogs.iter().find(|known| known.id == id);
            let before = before.ok_or_else(|| Error::not_found(id))?;
            let after = edit_catalog(ctx, before, &edit)?;
            if before.is_default && !after.is_default {
                let problem = "make another catalog the default one instead";
                return Err(Refusal::invalid(Field::IsDefault, problem).into());
            }
            if state.catalogs.iter().any(|other| other.id != id && other.name == after.name) {
                return Err(Error::Taken { field: "name" });
            }
            if after != *before {
                changes.update(before.clone(), after.clone());
                if after.is_default {
                    demote_catalogs(&state.catalogs, id, ctx.now, changes);
                }
            }
            Ok((after, id))
        })
    }

    /// Makes a catalog with copies of all products and prices of another.
    ///
    /// # Errors
    /// If there is none of this id, or the name is taken.
    pub fn clone_catalog(&self, at: At, id: CatalogId, name: String) -> Fut<'_, Offer> {
        Box::pin(async move {
            let environment = at.environment;
            let decided = self.decide_on_catalog(at, About::Catalog(id), move |ctx, state, changes| {
                let offer = state.offer.as_ref().ok_or_else(|| Error::not_found(id))?;
                if state.catalogs.iter().any(|known| known.name == name) {
                    return Err(Error::Taken { field: "name" });
                }
                let edit = CatalogEdit { name: Some(name.clone()), is_default: Some(false) };
                let catalog = new_catalog(ctx, environment, &edit)?;
                let copy = catalog.id;
                changes.insert(catalog);
                copy_products(ctx, offer, copy, changes);
                Ok((copy, copy))
            });
            self.offer(environment, Some(decided.await?)).await
        })
    }

    /// A catalog with what it offers; the default one if no id is given.
    ///
    /// # Errors
    /// If there is none of this id, or no catalog at all.
    pub fn offer(&self, environment: i64, id: Option<CatalogId>) -> Fut<'_, Offer> {
        self.read(move |s| {
            Box::pin(async move {
                let state = load(s, environment, id.into()).await?;
                state.offer.ok_or_else(|| match id {
                    Some(id) => Error::not_found(id),
                    None => Error::none_named(Kind::Catalog, "default"),
                })
            })
        })
    }

    /// Makes a product, with its first price if one is given. The same one again, by its slug in the
    /// catalog, is given back as it is.
    ///
    /// # Errors
    /// If the catalog does not exist, a value cannot be, or another product or price has the slug.
    pub fn create_product(
        &self,
        at: At,
        catalog: Option<CatalogId>,
        new: ProductEdit,
        price: Option<NewPrice>,
    ) -> Fut<'_, (Product, Vec<Price>)> {
        Box::pin(async move {
            let environment = at.environment;
            let decided = self.decide_on_catalog(at, catalog, move |ctx, state, changes| {
                let offer = state.offer()?;
                let product = new_product(ctx, environment, offer.catalog.id, &new)?;
                let same = product.slug.as_ref().and_then(|slug| {
                    offer.products.iter().find(|(known, _)| known.slug.as_ref() == Some(slug))
                });
                let id = match same {
                    Some((known, _)) if edit_product(ctx, known, &new)? == *known => known.id,
                    Some(_) => return Err(Error::Taken { field: "slug" }),
                    None => {
                        changes.insert(product.clone());
                        demote_products(offer, &product, ctx.now, changes);
                        if let Some(new) = &price {
                            let price = new_price(ctx, environment, product.id, new)?;
                            check_price_slug(&state, &price)?;
                            changes.insert(price);
                        }
                        product.id
                    }
                };
                Ok((id, id))
            });
            self.product(environment, decided.await?).await
        })
    }

    /// Changes a product.
    ///
    /// # Errors
    /// If there is none of this id, a value cannot be, or another product has the slug.
    pub fn update_product(&self, at: At, id: ProductId, edit: ProductEdit) -> Fut<'_, (Product, Vec<Price>)> {
        self.decide_on_catalog(at, About::Product(id), move |ctx, state, changes| {
            let (before, prices) = state.product(id)?;
            let after = edit_product(ctx, before, &edit)?;
            let offer = state.offer()?;
            let is_taken = offer
                .products
                .iter()
                .any(|(other, _)| other.id != id && other.slug.is_some() && other.slug == after.slug);
            if is_taken {
                return Err(Error::Taken { field: "slug" });
            }
            if after != *before {
                changes.update(before.clone(), after.clone());
                demote_products(offer, &after, ctx.now, changes);
            }
            Ok(((after, prices.clone()), id))
        })
    }

    /// A product with its prices, oldest first.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn product(&self, environment: i64, id: ProductId) -> Fut<'_, (Product, Vec<Price>)> {
        self.read(move |s| {
            Box::pin(async move {
                let product = store::catalog::product(s, environment, id).await?;
                let product = product.ok_or_else(|| Error::not_found(id))?;
                Ok((product, store::catalog::prices_of(s, id).await?))
            })
        })
    }

    /// Makes a price of a product. The same one again, by its slug, is given back as it is.
    ///
    /// # Errors
    /// If the product does not exist, a value cannot be, or another price has the slug.
    pub fn create_price(&self, at: At, product: ProductId, new: NewPrice) -> Fut<'_, Price> {
        Box::pin(async move {
            let environment = at.environment;
            let decided = self.decide_on_catalog(at, About::Product(product), move |ctx, state, changes| {
                let Ok((_, prices)) = state.product(product) else {
                    return Err(Refusal::invalid(Field::Product, "the id of a product").into());
                };
                let price = new_price(ctx, environment, product, &new)?;
                let same = price.slug.as_deref().and_then(|slug| state.price_of_slug(slug));
                let id = match same {
                    Some(known) if is_same_price(known, &price) => known.id,
                    Some(_) => return Err(Error::Taken { field: "slug" }),
                    None => {
                        changes.insert(price.clone());
                        demote_prices(prices, &price, ctx.now, changes);
                        price.id
                    }
                };
                Ok((id, id))
            });
            self.price(environment, decided.await?).await
        })
    }

    /// Changes what may change of a price.
    ///
    /// # Errors
    /// If there is none of this id, or another price has the slug.
    pub fn update_price(&self, at: At, id: PriceId, edit: PriceEdit) -> Fut<'_, Price> {
        self.decide_on_catalog(at, About::Price(id), move |ctx, state, changes| {
            let before = state.offer.as_ref().and_then(|offer| offer.price(id));
            let before = before.ok_or_else(|| Error::not_found(id))?;
            let after = edit_price(ctx, before, &edit)?;
            if after != *before {
                check_price_slug(&state, &after)?;
                changes.update(before.clone(), after.clone());
                let (_, prices) = state.product(after.product_id)?;
                demote_prices(prices, &after, ctx.now, changes);
            }
            Ok((after, id))
        })
    }

    /// A price.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn price(&self, environment: i64, id: PriceId) -> Fut<'_, Price> {
        self.read(move |s| {
            Box::pin(async move {
                let found = store::catalog::price(s, environment, id).await?;
                found.ok_or_else(|| Error::not_found(id))
            })
        })
    }
}

async fn load(s: &mut Snapshot, environment: i64, about: About) -> Result<CatalogState, Error> {
    let version = store::catalog::version(s, environment).await?;
    let catalogs = store::catalog::catalogs(s, environment).await?;
    let wanted = match about {
        About::Catalogs => None,
        About::DefaultCatalog => store::catalog::default_catalog(s, environment).await?.map(|c| c.id),
        About::Catalog(id) => Some(id),
        About::Product(id) => catalog_of(s, environment, id).await?,
        About::Price(id) => match store::catalog::price(s, environment, id).await? {
            Some(price) => catalog_of(s, environment, price.product_id).await?,
            None => None,
        },
    };
    let offer = match catalogs.iter().find(|catalog| Some(catalog.id) == wanted) {
        Some(catalog) => Some(Offer::of(s, catalog.clone()).await?),
        None => None,
    };
    Ok(CatalogState { environment, version, catalogs, offer })
}

async fn catalog_of(
    s: &mut Snapshot,
    environment: i64,
    product: ProductId,
) -> Result<Option<CatalogId>, store::Error> {
    Ok(store::catalog::product(s, environment, product).await?.map(|product| product.catalog_id))
}

/// Copies all products and prices of a catalog into another.
fn copy_products(ctx: &mut Ctx, offer: &Offer, into: CatalogId, changes: &mut Changes) {
    for (product, prices) in &offer.products {
        let mut product = product.clone();
        product.id = ctx.id(0);
        product.catalog_id = into;
        (product.created_at, product.updated_at) = (ctx.now, ctx.now);
        for price in prices {
            let mut price = price.clone();
            price.id = ctx.id(0);
            price.product_id = product.id;
            (price.created_at, price.updated_at) = (ctx.now, ctx.now);
            changes.insert(price);
        }
        changes.insert(product);
    }
}

fn demote_catalogs(known: &[Catalog], except: CatalogId, now: Timestamp, changes: &mut Changes) {
    for before in known.iter().filter(|catalog| catalog.is_default && catalog.id != except) {
        let after = Catalog { is_default: false, updated_at: now, ..before.clone() };
        changes.update(before.clone(), after);
    }
}

fn demote_products(offer: &Offer, promoted: &Product, now: Timestamp, changes: &mut Changes) {
    let others = offer.products.iter().map(|(product, _)| product);
    for before in others.filter(|p| promoted.is_default && p.is_default && p.id != promoted.id) {
        let after = Product { is_default: false, updated_at: now, ..before.clone() };
        changes.update(before.clone(), after);
    }
}

fn demote_prices(known: &[Price], promoted: &Price, now: Timestamp, changes: &mut Changes) {
    for before in known.iter().filter(|p| promoted.is_default && p.is_default && p.id != promoted.id) {
        let after = Price { is_default: false, updated_at: now, ..before.clone() };
        changes.update(before.clone(), after);
    }
}

/// Whether two prices differ in nothing but what the books gave them.
fn is_same_price(known: &Price, new: &Price) -> bool {
    let same = Price {
        id: known.id,
        number: known.number,
        // Another price may have become the default since.
        is_default: known.is_default,
        created_at: known.created_at,
        updated_at: known.updated_at,
        ..new.clone()
    };
    same == *known
}

fn check_price_slug(state: &CatalogState, price: &Price) -> Result<(), Error> {
    let owner = price.slug.as_deref().filter(|_| price.active).and_then(|slug| state.price_of_slug(slug));
    if owner.is_some_and(|owner| owner.id != price.id) { Err(Error::Taken { field: "slug" }) } else { Ok(()) }
}
