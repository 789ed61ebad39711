//! Settings are written by themselves, beside all changes.

use super::Store;
use crate::Error;
use crate::settings::{one, put};
use async_recursion::async_recursion as boxed;

const PUT_FIRST: &str = "insert into settings (name, value) values ($1, $2) on conflict (name) do nothing";

impl Store {
    /// Gives a setting a value.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn put_setting(&self, name: &'static str, value: String) -> Result<(), Error> {
        self.write(move |tx| {
            let value = value.clone();
            Box::pin(async move { put(tx, name, &value).await })
        })
        .await
    }

    /// Gives a setting a value if it has none; answers which it has.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn put_setting_once(&self, name: &'static str, value: String) -> Result<String, Error> {
        self.write(move |tx| {
            let value = value.clone();
            Box::pin(async move {
                tx.execute(PUT_FIRST, &[name.into(), value.as_str().into()]).await?;
                Ok::<_, Error>(one(tx, name).await?.unwrap_or(value))
            })
        })
        .await
    }
}
