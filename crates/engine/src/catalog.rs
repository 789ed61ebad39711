//! Catalogs, products and prices.
//!
//! All that an environment sells has one version: it is changed seldom, and what is unique in it
//! (slugs, defaults, codes) is then decided on fresh state, not hoped for.

use crate::{Engine, Error};
use billing::catalog::{
    CatalogEdit, NewPrice, PriceEdit, ProductEdit, edit_catalog, edit_price, edit_product, new_catalog,
    new_price, new_product,
};
use billing::refusal::Field;
use billing::{
    Catalog, CatalogId, Change, Changes, Price, PriceId, Product, ProductId, Refusal, Request, Timestamp,
    Version,
};
use store::Snapshot;
use store::billing_view::Offer;

/// Which catalog's offer a decision is about.
#[derive(Debug, Clone, Copy)]
enum About {
    /// No one's: the catalogs themselves.
    Catalogs,
    /// A catalog's; the default one's if none.
    Catalog(Option<CatalogId>),
    /// The one that has a product.
    Product(ProductId),
    /// The one that has a price.
    Price(PriceId),
}

/// What an environment sells, as far as a decision needs it.
struct Shop {
    environment: i64,
    version: Version,
    catalogs: Vec<Catalog>,
    offer: Option<Offer>,
}

impl Shop {
    fn changes(&self) -> Changes {
        Changes { catalog_version: Some((self.environment, self.version)), ..Changes::default() }
    }

    fn offer(&self) -> Result<&Offer, Error> {
        self.offer.as_ref().ok_or_else(|| Refusal::invalid(Field::Catalog, "the id of a catalog").into())
    }

    fn product(&self, id: ProductId) -> Result<&(Product, Vec<Price>), Error> {
        let offered = self.offer.as_ref().and_then(|offer| offer.products.iter().find(|(p, _)| p.id == id));
        offered.ok_or_else(|| Error::not_found("product", ""))
    }

    fn price_of_slug(&self, slug: &str) -> Option<&Price> {
        let prices = self.offer.iter().flat_map(|offer| &offer.products).flat_map(|(_, prices)| prices);
        prices.filter(|price| price.active).find(|price| price.slug.as_deref() == Some(slug))
    }
}

impl Engine {
    async fn shop(&self, environment: i64, about: About) -> Result<Shop, Error> {
        self.store().read(move |s| Box::pin(async move { load(s, environment, about).await })).await
    }

    /// Makes a catalog. The same one again, by its name, is given back as it is.
    ///
    /// # Errors
    /// If it has no name, or another one has it.
    pub async fn create_catalog(
        &self,
        now: Timestamp,
        environment: i64,
        new: CatalogEdit,
        request: Option<Request>,
    ) -> Result<Catalog, Error> {
        self.deciding(environment, async || {
            let shop = self.shop(environment, About::Catalogs).await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = shop.changes();
            let catalog = new_catalog(&mut ctx, environment, &new)?;
            let catalog = match shop.catalogs.iter().find(|known| known.name == catalog.name) {
                Some(known) if edit_catalog(&ctx, known, &new)? == *known => known.clone(),
                Some(_) => return Err(Error::Taken { field: "name" }),
                None => {
                    changes.push(Change::InsertCatalog(catalog.clone()));
                    if catalog.is_default {
                        demote_catalogs(&shop.catalogs, catalog.id, now, &mut changes);
                    }
                    catalog
                }
            };
            changes.answers(&ctx, catalog.id);
            self.store().commit(changes).await?;
            Ok(catalog)
        })
        .await
    }

    /// Changes a catalog.
    ///
    /// # Errors
    /// If there is none of this id, or the only default would be none.
    pub async fn update_catalog(
        &self,
        now: Timestamp,
        environment: i64,
        id: CatalogId,
        edit: CatalogEdit,
        request: Option<Request>,
    ) -> Result<Catalog, Error> {
        self.deciding(environment, async || {
            let shop = self.shop(environment, About::Catalogs).await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = shop.changes();
            let known = shop.catalogs.iter().find(|known| known.id == id);
            let known = known.ok_or_else(|| Error::not_found("catalog", ""))?;
            let catalog = edit_catalog(&ctx, known, &edit)?;
            if known.is_default && !catalog.is_default {
                let problem = "make another catalog the default one instead";
                return Err(Refusal::invalid(Field::IsDefault, problem).into());
            }
            if shop.catalogs.iter().any(|other| other.id != id && other.name == catalog.name) {
                return Err(Error::Taken { field: "name" });
            }
            if catalog != *known {
                changes.push(Change::UpdateCatalog(catalog.clone()));
                if catalog.is_default {
                    demote_catalogs(&shop.catalogs, id, now, &mut changes);
                }
            }
            changes.answers(&ctx, id);
            self.store().commit(changes).await?;
            Ok(catalog)
        })
        .await
    }

    /// Makes a catalog with copies of all products and prices of another.
    ///
    /// # Errors
    /// If there is none of this id, or the name is taken.
    pub async fn clone_catalog(
        &self,
        now: Timestamp,
        environment: i64,
        id: CatalogId,
        name: String,
        request: Option<Request>,
    ) -> Result<Offer, Error> {
        let copy = self
            .deciding(environment, async || {
                let shop = self.shop(environment, About::Catalog(Some(id))).await?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = shop.changes();
                let offer = shop.offer.as_ref().ok_or_else(|| Error::not_found("catalog", ""))?;
                if shop.catalogs.iter().any(|known| known.name == name) {
                    return Err(Error::Taken { field: "name" });
                }
                let edit = CatalogEdit { name: Some(name.clone()), is_default: Some(false) };
                let catalog = new_catalog(&mut ctx, environment, &edit)?;
                changes.push(Change::InsertCatalog(catalog.clone()));
                for (product, prices) in &offer.products {
                    let mut product = product.clone();
                    product.id = ctx.id(0);
                    product.catalog_id = catalog.id;
                    (product.created_at, product.updated_at) = (now, now);
                    for price in prices {
                        let mut price = price.clone();
                        price.id = ctx.id(0);
                        price.product_id = product.id;
                        (price.created_at, price.updated_at) = (now, now);
                        changes.push(Change::InsertPrice(price));
                    }
                    changes.push(Change::InsertProduct(product));
                }
                changes.answers(&ctx, catalog.id);
                self.store().commit(changes).await?;
                Ok(catalog.id)
            })
            .await?;
        self.offer(environment, Some(copy)).await
    }

    /// A catalog with what it offers; the default one if no id is given.
    ///
    /// # Errors
    /// If there is none of this id, or no catalog at all.
    pub async fn offer(&self, environment: i64, id: Option<CatalogId>) -> Result<Offer, Error> {
        let shop = self.shop(environment, About::Catalog(id)).await?;
        shop.offer.ok_or_else(|| Error::not_found("catalog", ""))
    }

    /// Makes a product, with its first price if one is given. The same one again, by its slug in the
    /// catalog, is given back as it is.
    ///
    /// # Errors
    /// If the catalog does not exist, a value cannot be, or another product or price has the slug.
    pub async fn create_product(
        &self,
        now: Timestamp,
        environment: i64,
        catalog: Option<CatalogId>,
        new: ProductEdit,
        price: Option<NewPrice>,
        request: Option<Request>,
    ) -> Result<(Product, Vec<Price>), Error> {
        let id = self
            .deciding(environment, async || {
                let shop = self.shop(environment, About::Catalog(catalog)).await?;
                let offer = shop.offer()?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = shop.changes();
                let product = new_product(&mut ctx, environment, offer.catalog.id, &new)?;
                let same = product.slug.as_ref().and_then(|slug| {
                    offer.products.iter().find(|(known, _)| known.slug.as_ref() == Some(slug))
                });
                let id = match same {
                    Some((known, _)) if edit_product(&ctx, known, &new)? == *known => known.id,
                    Some(_) => return Err(Error::Taken { field: "slug" }),
                    None => {
                        changes.push(Change::InsertProduct(product.clone()));
                        demote_products(offer, &product, now, &mut changes);
                        if let Some(new) = &price {
                            let price = new_price(&mut ctx, environment, product.id, new)?;
                            check_price_slug(&shop, &price)?;
                            changes.push(Change::InsertPrice(price));
                        }
                        product.id
                    }
                };
                changes.answers(&ctx, id);
                self.store().commit(changes).await?;
                Ok(id)
            })
            .await?;
        self.product(environment, id).await
    }

    /// Changes a product.
    ///
    /// # Errors
    /// If there is none of this id, a value cannot be, or another product has the slug.
    pub async fn update_product(
        &self,
        now: Timestamp,
        environment: i64,
        id: ProductId,
        edit: ProductEdit,
        request: Option<Request>,
    ) -> Result<Product, Error> {
        self.deciding(environment, async || {
            let shop = self.shop(environment, About::Product(id)).await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = shop.changes();
            let (known, _) = shop.product(id)?;
            let product = edit_product(&ctx, known, &edit)?;
            let offer = shop.offer()?;
            let is_taken = offer
                .products
                .iter()
                .any(|(other, _)| other.id != id && other.slug.is_some() && other.slug == product.slug);
            if is_taken {
                return Err(Error::Taken { field: "slug" });
            }
            if product != *known {
                changes.push(Change::UpdateProduct(product.clone()));
                demote_products(offer, &product, now, &mut changes);
            }
            changes.answers(&ctx, id);
            self.store().commit(changes).await?;
            Ok(product)
        })
        .await
    }

    /// A product with its prices, oldest first.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn product(&self, environment: i64, id: ProductId) -> Result<(Product, Vec<Price>), Error> {
        self.store()
            .read(move |s| {
                Box::pin(async move {
                    let product = store::catalog::product(s, environment, id).await?;
                    let product = product.ok_or_else(|| Error::not_found("product", ""))?;
                    Ok((product, store::catalog::prices_of(s, id).await?))
                })
            })
            .await
    }

    /// Makes a price of a product. The same one again, by its slug, is given back as it is.
    ///
    /// # Errors
    /// If the product does not exist, a value cannot be, or another price has the slug.
    pub async fn create_price(
        &self,
        now: Timestamp,
        environment: i64,
        product: ProductId,
        new: NewPrice,
        request: Option<Request>,
    ) -> Result<Price, Error> {
        let id = self
            .deciding(environment, async || {
                let shop = self.shop(environment, About::Product(product)).await?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = shop.changes();
                let Ok((_, prices)) = shop.product(product) else {
                    return Err(Refusal::invalid(Field::Product, "the id of a product").into());
                };
                let price = new_price(&mut ctx, environment, product, &new)?;
                let same = price.slug.as_deref().and_then(|slug| shop.price_of_slug(slug));
                let id = match same {
                    Some(known) if is_same_price(known, &price) => known.id,
                    Some(_) => return Err(Error::Taken { field: "slug" }),
                    None => {
                        changes.push(Change::InsertPrice(price.clone()));
                        demote_prices(prices, &price, now, &mut changes);
                        price.id
                    }
                };
                changes.answers(&ctx, id);
                self.store().commit(changes).await?;
                Ok(id)
            })
            .await?;
        self.price(environment, id).await
    }

    /// Changes what may change of a price.
    ///
    /// # Errors
    /// If there is none of this id, or another price has the slug.
    pub async fn update_price(
        &self,
        now: Timestamp,
        environment: i64,
        id: PriceId,
        edit: PriceEdit,
        request: Option<Request>,
    ) -> Result<Price, Error> {
        self.deciding(environment, async || {
            let shop = self.shop(environment, About::Price(id)).await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = shop.changes();
            let known = shop.offer.as_ref().and_then(|offer| offer.price(id));
            let known = known.ok_or_else(|| Error::not_found("price", ""))?;
            let price = edit_price(&ctx, known, &edit)?;
            if price != *known {
                check_price_slug(&shop, &price)?;
                changes.push(Change::UpdatePrice(price.clone()));
                let (_, prices) = shop.product(price.product_id)?;
                demote_prices(prices, &price, now, &mut changes);
            }
            changes.answers(&ctx, id);
            self.store().commit(changes).await?;
            Ok(price)
        })
        .await
    }

    /// A price.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn price(&self, environment: i64, id: PriceId) -> Result<Price, Error> {
        self.store()
            .read(move |s| Box::pin(async move { store::catalog::price(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("price", ""))
    }
}

async fn load(s: &mut Snapshot, environment: i64, about: About) -> Result<Shop, Error> {
    let version = store::catalog::version(s, environment).await?;
    let catalogs = store::catalog::catalogs(s, environment).await?;
    let product = match about {
        About::Catalogs | About::Catalog(_) => None,
        About::Product(id) => Some(id),
        About::Price(id) => store::catalog::price(s, environment, id).await?.map(|price| price.product_id),
    };
    let wanted = match (about, product) {
        (About::Catalog(Some(id)), _) => Some(id),
        (About::Catalog(None), _) => store::catalog::default_catalog(s, environment).await?.map(|c| c.id),
        (_, Some(id)) => store::catalog::product(s, environment, id).await?.map(|p| p.catalog_id),
        (_, None) => None,
    };
    let offer = match catalogs.iter().find(|catalog| Some(catalog.id) == wanted) {
        Some(catalog) => Some(Offer::of(s, catalog.clone()).await?),
        None => None,
    };
    Ok(Shop { environment, version, catalogs, offer })
}

fn demote_catalogs(known: &[Catalog], except: CatalogId, now: Timestamp, changes: &mut Changes) {
    for catalog in known.iter().filter(|catalog| catalog.is_default && catalog.id != except) {
        let after = Catalog { is_default: false, updated_at: now, ..catalog.clone() };
        changes.push(Change::UpdateCatalog(after));
    }
}

fn demote_products(offer: &Offer, promoted: &Product, now: Timestamp, changes: &mut Changes) {
    let others = offer.products.iter().map(|(product, _)| product);
    for product in others.filter(|p| promoted.is_default && p.is_default && p.id != promoted.id) {
        let after = Product { is_default: false, updated_at: now, ..product.clone() };
        changes.push(Change::UpdateProduct(after));
    }
}

fn demote_prices(known: &[Price], promoted: &Price, now: Timestamp, changes: &mut Changes) {
    for price in known.iter().filter(|p| promoted.is_default && p.is_default && p.id != promoted.id) {
        let after = Price { is_default: false, updated_at: now, ..price.clone() };
        changes.push(Change::UpdatePrice(after));
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

fn check_price_slug(shop: &Shop, price: &Price) -> Result<(), Error> {
    let owner = price.slug.as_deref().filter(|_| price.active).and_then(|slug| shop.price_of_slug(slug));
    if owner.is_some_and(|owner| owner.id != price.id) { Err(Error::Taken { field: "slug" }) } else { Ok(()) }
}
