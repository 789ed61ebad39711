//! What is sold: catalogs, products, prices and tax rates.

use crate::tallies::tally;
use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::catalog::{Catalog, Price, Product, TaxRate};
use billing::changes::Version;
use billing::id::{CatalogId, Id, PriceId, ProductId, TaxRateId};

/// The version of all that an environment sells: it rises with every commit that decided on it.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn version(snapshot: &mut Snapshot, environment: i64) -> Result<Version, Error> {
    tally(snapshot, environment, crate::commit::OFFER).await
}

const OF_SLUG: &str = "select id from products where environment = $1 and slug = $2 order by id limit 1";

/// Says that [`product_named`] will be asked for a short name.
pub fn prefetch_product(snapshot: &mut Snapshot, environment: i64, slug: &str) {
    snapshot.prefetch(OF_SLUG, &[environment.into(), slug.into()]);
}

/// The product of a short name, else the one whose id lies in a range; of several the oldest.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn product_named(
    snapshot: &mut Snapshot,
    environment: i64,
    slug: &str,
    ids: Option<(u128, u128)>,
) -> Result<Option<ProductId>, Error> {
    const OF_ID: &str =
        "select id from products where environment = $1 and id between $2 and $3 order by id limit 1";
    let read = |row: &crate::Row<'_>| Ok(ProductId::from_raw(row.id(0)?));
    let named = snapshot.row(OF_SLUG, &[environment.into(), slug.into()], read).await?;
    match (named, ids) {
        (None, Some((first, last))) => {
            snapshot.row(OF_ID, &[environment.into(), first.into(), last.into()], read).await
        }
        (named, _) => Ok(named),
    }
}

macro_rules! by_id {
    ($($(#[$doc:meta])* $name:ident: $row:ident, $id:ident, $table:literal, $columns:ident;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database fails.
        #[boxed]
        pub async fn $name(
            snapshot: &mut Snapshot,
            environment: i64,
            id: $id,
        ) -> Result<Option<$row>, Error> {
            const SQL: &str = concat!(
                "select ", $columns!("t"), " from ", $table, " t where t.id = $1 and t.environment = $2"
            );
            snapshot.row(SQL, &[id.raw().into(), environment.into()], |row| row.record()).await
        }
    )+};
}

by_id! {
    /// A catalog.
    catalog: Catalog, CatalogId, "catalogs", catalog_columns;
    /// A product.
    product: Product, ProductId, "products", product_columns;
    /// A price.
    price: Price, PriceId, "prices", price_columns;
    /// A tax rate.
    tax_rate: TaxRate, TaxRateId, "tax_rates", tax_rate_columns;
}

/// All catalogs of an environment, oldest first.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn catalogs(snapshot: &mut Snapshot, environment: i64) -> Result<Vec<Catalog>, Error> {
    const SQL: &str =
        concat!("select ", catalog_columns!("t"), " from catalogs t where t.environment = $1 order by t.id");
    snapshot.rows(SQL, &[environment.into()], |row| row.record()).await
}

pub(crate) const DEFAULT_CATALOG: &str = concat!(
    "select ",
    catalog_columns!("t"),
    " from catalogs t where t.environment = $1 order by t.is_default desc, t.id limit 1"
);

/// The catalog from which customers buy who have none of their own.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn default_catalog(snapshot: &mut Snapshot, environment: i64) -> Result<Option<Catalog>, Error> {
    snapshot.row(DEFAULT_CATALOG, &[environment.into()], |row| row.record()).await
}

/// The products of a catalog, oldest first.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn products_of(snapshot: &mut Snapshot, id: CatalogId) -> Result<Vec<Product>, Error> {
    snapshot.rows(PRODUCTS_OF, &[id.raw().into()], |row| row.record()).await
}

const PRODUCTS_OF: &str =
    concat!("select ", product_columns!("t"), " from products t where t.catalog_id = $1 order by t.id");
const PRICES_OF_CATALOG: &str = concat!(
    "select ",
    price_columns!("r"),
    " from products t join prices r on r.product_id = t.id where t.catalog_id = $1 order by t.id, r.id"
);

/// The products of a catalog and their prices, both oldest product first.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn sold_in(snapshot: &mut Snapshot, id: CatalogId) -> Result<(Vec<Product>, Vec<Price>), Error> {
    let key = [id.raw().into()];
    snapshot.prefetch(PRODUCTS_OF, &key);
    snapshot.prefetch(PRICES_OF_CATALOG, &key);
    let products = products_of(snapshot, id).await?;
    Ok((products, snapshot.rows(PRICES_OF_CATALOG, &key, |row| row.record()).await?))
}

const PRICES_OF: &str =
    concat!("select ", price_columns!("t"), " from prices t where t.product_id = $1 order by t.id");

/// The prices of a product, oldest first.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn prices_of(snapshot: &mut Snapshot, id: ProductId) -> Result<Vec<Price>, Error> {
    snapshot.rows(PRICES_OF, &[id.raw().into()], |row| row.record()).await
}

/// The prices of several products, each product's oldest first, in the order of the products.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn prices_of_each(snapshot: &mut Snapshot, products: &[ProductId]) -> Result<Vec<Price>, Error> {
    let sets = products.iter().map(|id| [id.raw().into()]);
    let mut prices = Vec::new();
    snapshot
        .each_for(PRICES_OF, sets, |_, row| {
            prices.push(row.record()?);
            Ok(())
        })
        .await?;
    Ok(prices)
}

/// The prices of the ids, in their order; those that do not exist are left out.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn prices(snapshot: &mut Snapshot, environment: i64, ids: &[PriceId]) -> Result<Vec<Price>, Error> {
    const SQL: &str =
        concat!("select ", price_columns!("t"), " from prices t where t.id = $1 and t.environment = $2");
    let sets = ids.iter().map(|id| [id.raw().into(), environment.into()]);
    let mut prices = Vec::new();
    snapshot
        .each_for(SQL, sets, |_, row| {
            prices.push(row.record()?);
            Ok(())
        })
        .await?;
    Ok(prices)
}

/// All tax rates of an environment, oldest first.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn tax_rates(snapshot: &mut Snapshot, environment: i64) -> Result<Vec<TaxRate>, Error> {
    const SQL: &str = concat!(
        "select ",
        tax_rate_columns!("t"),
        " from tax_rates t where t.environment = $1 order by t.id"
    );
    snapshot.rows(SQL, &[environment.into()], |row| row.record()).await
}
