//! Books are held to their secrets: a mark in them says with which their keys and tokens were made.

use super::books::BooksArgs;
use super::host::Host;
use crate::app::{App, Limits};
use anyhow::Context;
use store::settings;

/// The setting that tells the secrets of some books from others, and says nothing about them.
const SECRETS: &str = "secrets";

/// What is to be done by somebody who has lost them.
const LOST: &str = "If they are lost, `quittance token new-secrets` takes those that are given or kept now, and \
                    every API key and token that was given out before is void";

impl BooksArgs {
    /// Opens the books for somebody who makes or checks API keys and tokens: with the secrets that those of
    /// these books are made with.
    ///
    /// # Errors
    /// As [`BooksArgs::open`], and if the secrets are missing or others.
    pub(super) async fn open_with_secrets(&self, host: &Host, limits: Limits) -> anyhow::Result<App> {
        let store = self.open_store().await?;
        let mark = store.read(|s| Box::pin(settings::one(s, SECRETS))).await?;
        let had_secrets = self.has_secrets();
        anyhow::ensure!(
            had_secrets || mark.is_none(),
            "the secrets of {} are missing: put {} back, or set QUITTANCE_JWT_KEY and QUITTANCE_PEPPER. {LOST}",
            self.label(),
            self.kept_secrets().display()
        );
        // After the books, so that nothing is made beside a file that does not hold any.
        let app = self.app(store, host, limits, self.secrets(host)?);
        // Books of an earlier version whose secrets were lost are not marked with what was made just now.
        if had_secrets || app.engine.environments().await?.is_empty() {
            let ours = app.authenticator.mark();
            let theirs = match mark {
                Some(mark) => mark,
                None => app.engine.store().put_setting_once(SECRETS, ours.clone()).await?,
            };
            anyhow::ensure!(
                ours == theirs,
                "these are not the secrets that API keys and tokens of {} are made with: all its servers need \
                 the same --secret-file, or the same QUITTANCE_JWT_KEY and QUITTANCE_PEPPER. {LOST}",
                self.label()
            );
        }
        Ok(app)
    }

    /// As [`BooksArgs::open_with_secrets`], of books that exist.
    ///
    /// # Errors
    /// Also if there are none.
    pub(super) async fn open_existing_with_secrets(&self, host: &Host) -> anyhow::Result<App> {
        self.must_exist().await?;
        self.open_with_secrets(host, Limits::default()).await
    }

    /// Takes the secrets that are given or kept now for those of the books.
    ///
    /// # Errors
    /// As [`BooksArgs::open`], and if there are no books.
    pub(super) async fn take_new_secrets(&self, host: &Host) -> anyhow::Result<()> {
        self.must_exist().await?;
        let app = self.app(self.open_store().await?, host, Limits::default(), self.secrets(host)?);
        let store = app.engine.store();
        store
            .put_setting(SECRETS, app.authenticator.mark())
            .await
            .context("the books cannot be written to")?;
        store.close().await?;
        Ok(())
    }
}
