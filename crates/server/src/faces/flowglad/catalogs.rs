//! Catalogs, which later versions of the clients call pricing models.

use super::error::Error;
use super::fields::Fields;
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::offers;
use crate::body::Body;
use crate::json::{Object, Raw, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::catalog::Catalog;
use billing::catalog::edit::CatalogEdit;
use billing::environment::Environment;
use billing::id::{CatalogId, Id};
use http::Uri;
use serde_json::Value;
use store::offers::Offer;

/// The two names of a catalog in paths and envelopes.
#[derive(Clone, Copy)]
pub(super) struct CatalogNaming {
    /// Where they are.
    all: &'static str,
    /// What one is called.
    one: &'static str,
}

/// As in document 002.
pub(super) const CATALOG: CatalogNaming = CatalogNaming { all: "/api/v1/catalogs/", one: "catalog" };
/// As in the clients of later versions.
pub(super) const PRICING_MODEL: CatalogNaming =
    CatalogNaming { all: "/api/v1/pricing-models/", one: "pricingModel" };

impl CatalogNaming {
    fn of(path: &str) -> Self {
        if path.starts_with("/api/v1/pricing-models") { PRICING_MODEL } else { CATALOG }
    }
}

fn edit(body: &Value, called: CatalogNaming) -> Result<CatalogEdit, Error> {
    let fields = Fields::of(body)?;
    let fields = fields.required(called.one, "an object", |f, name| f.object(name))?;
    Ok(CatalogEdit {
        name: fields.edit("name", "a text", Fields::short)?,
        is_default: fields.edit("isDefault", "true or false", Fields::flag)?,
    })
}

async fn find(merchant: Merchant, raw: u128) -> Result<Offer, Error> {
    Ok(merchant.engine().offer(merchant.environment(), Some(CatalogId::from_raw(raw))).await?)
}

async fn find_plain(merchant: Merchant, raw: u128) -> Result<Catalog, Error> {
    Ok(find(merchant, raw).await?.catalog)
}

/// A catalog without its products.
fn plain(called: CatalogNaming, books: &Environment, catalog: &Catalog) -> String {
    object(|o| {
        o.object(called.one, |o| offers::plain_catalog(o, books, catalog));
    })
}

fn whole(called: CatalogNaming, books: &Environment, offer: &Offer) -> String {
    let text = offers::catalog(books, offer);
    object(|o| {
        o.put(called.one, Raw(&text));
    })
}

/// `POST /api/v1/catalogs`
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let called = CatalogNaming::of(request.uri().path());
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let new = edit(&asked.body, called)?;
        Ok(merchant.engine().create_catalog(merchant.at(asked.request), new).await?)
    };
    let render = move |books: &Environment, catalog: &Catalog| plain(called, books, catalog);
    merchant.write(request, act, find_plain, render).await
}

/// `PUT /api/v1/catalogs/{id}`
pub(super) async fn update(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let called = CatalogNaming::of(request.uri().path());
    let id: CatalogId = id_of(&segment(request.uri().path(), called.all, "")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let edit = edit(&asked.body, called)?;
        Ok(merchant.engine().update_catalog(merchant.at(asked.request), id, edit).await?)
    };
    let render = move |books: &Environment, catalog: &Catalog| plain(called, books, catalog);
    merchant.write(request, act, find_plain, render).await
}

/// `POST /api/v1/catalogs/{id}/clone`
pub(super) async fn copy(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let called = CatalogNaming::of(request.uri().path());
    let id: CatalogId = id_of(&segment(request.uri().path(), called.all, "/clone")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let fields = Fields::of(&asked.body)?;
        let name = fields.required("name", "the name of the copy", Fields::short)?;
        Ok(merchant.engine().clone_catalog(merchant.at(asked.request), id, name).await?)
    };
    let render = move |books: &Environment, offer: &Offer| whole(called, books, offer);
    merchant.write(request, act, find, render).await
}

/// `GET /api/v1/catalogs/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let called = CatalogNaming::of(uri.path());
    let id: CatalogId = id_of(&segment(uri.path(), called.all, "")?)?;
    let offer = merchant.engine().offer(merchant.environment(), Some(id)).await?;
    Ok(ok(whole(called, &merchant.books, &offer)))
}

/// `GET /api/v1/catalogs/default`
pub(super) async fn retrieve_default(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let offer = merchant.engine().offer(merchant.environment(), None).await?;
    Ok(ok(whole(CatalogNaming::of(uri.path()), &merchant.books, &offer)))
}

/// `GET /api/v1/catalogs`
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let asked = list::ListQuery::of::<CatalogId>(&Query::parse(uri.query()))?;
    let page = merchant.engine().catalogs(merchant.environment(), asked.window).await?;
    let show = |o: &mut Object<'_>, row: &Catalog| offers::plain_catalog(o, &merchant.books, row);
    Ok(ok(envelope(&asked, &page, |row| row.id, show)))
}
