//! What can be bought: a catalog with its products and prices, and a price with its product.

use crate::{Error, Snapshot, catalog};
use async_recursion::async_recursion as boxed;
use billing::catalog::{Catalog, Price, Product};
use billing::customer::Customer;
use billing::id::{Id, PriceId};

/// A catalog with what it offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The catalog.
    pub catalog: Catalog,
    /// Its products, oldest first, each with its prices, oldest first.
    pub products: Vec<(Product, Vec<Price>)>,
}

impl Offer {
    /// Loads the products and prices of a catalog.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn of(snapshot: &mut Snapshot, catalog: Catalog) -> Result<Self, Error> {
        let (products, prices) = crate::catalog::sold_in(snapshot, catalog.id).await?;
        let mut prices = prices.into_iter().peekable();
        let mut offered = Vec::with_capacity(products.len());
        for product in products {
            let mut its_prices = Vec::new();
            while let Some(price) = prices.next_if(|price| price.product_id == product.id) {
                its_prices.push(price);
            }
            offered.push((product, its_prices));
        }
        Ok(Self { catalog, products: offered })
    }

    /// One of its prices.
    pub fn price(&self, id: PriceId) -> Option<&Price> {
        self.products.iter().flat_map(|(_, prices)| prices).find(|price| price.id == id)
    }
}

/// What a customer can buy: its own catalog, else the default one.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn for_customer(snapshot: &mut Snapshot, customer: &Customer) -> Result<Option<Offer>, Error> {
    let own = match customer.catalog_id {
        Some(id) => catalog::catalog(snapshot, customer.environment, id).await?,
        None => None,
    };
    let chosen = match own {
        Some(catalog) => Some(catalog),
        None => catalog::default_catalog(snapshot, customer.environment).await?,
    };
    match chosen {
        Some(catalog) => Offer::of(snapshot, catalog).await.map(Some),
        None => Ok(None),
    }
}

const PRICE_WITH_PRODUCT: &str = concat!(
    "select ",
    price_columns!("p"),
    ", ",
    product_columns!("o"),
    " from prices p join products o on o.id = p.product_id where p.id = $1"
);

/// A price of an environment with its product.
#[boxed]
pub async fn price_with_product(
    s: &mut Snapshot,
    environment: i64,
    price: PriceId,
) -> Result<Option<(Price, Product)>, Error> {
    let found = s
        .row(PRICE_WITH_PRODUCT, &[price.raw().into()], |row| Ok((row.record::<Price>()?, row.record()?)))
        .await?;
    Ok(found.filter(|(price, _)| price.environment == environment))
}
