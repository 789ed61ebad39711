//! `quittance backup`.

use super::audit::{agreeing, audited};
use super::books::BooksArgs;
use crate::secrets;
use anyhow::Context;
use billing::id::Ids;
use clap::Args;
use engine::Engine;
use gateway::Sandbox;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::backup::{self, Draft};
use store::{Store, Synchronous};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file that becomes the backup.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) async fn run(self, args: &BooksArgs) -> anyhow::Result<()> {
        let books = file_of(args)?;
        anyhow::ensure!(books.exists(), "there are no books at {}", books.display());
        may_replace(books, &self.to, self.force)?;
        let draft = Draft::beside(&self.to)?;
        copied(books, draft.path()).await.with_context(|| format!("cannot copy {}", books.display()))?;
        let is_audited = verified(draft.path()).await.with_context(|| {
            format!("a copy of {} was made and thrown away: it is not sound", books.display())
        })?;
        may_replace(books, &self.to, self.force)?;
        let (place, like) = (self.to.clone(), books.to_owned());
        waiting(move || {
            backup::make_way(&place)?;
            draft.put_in_place(&like)
        })
        .await?;
        println!("{} is a backup of {}: {}", self.to.display(), books.display(), verdict(is_audited));
        let secret = args.secret_file.clone().unwrap_or_else(|| secrets::file_of(books));
        if secret.exists() {
            println!("It does not hold the secrets: keep {} too, apart from it.", secret.display());
        }
        Ok(())
    }
}

/// The file of the books.
///
/// # Errors
/// If they are not in a file.
pub(super) fn file_of(args: &BooksArgs) -> anyhow::Result<&Path> {
    let address = args.address()?;
    anyhow::ensure!(
        !store::is_url(address),
        "this is for books in a file; a PostgreSQL database is backed up with its own tools, as pg_dump"
    );
    Ok(Path::new(address))
}

/// Whether a file may become a copy of another.
///
/// # Errors
/// If it is the same, or there and not to be replaced.
pub(super) fn may_replace(from: &Path, to: &Path, force: bool) -> anyhow::Result<()> {
    let Ok(there) = to.canonicalize() else { return Ok(()) };
    anyhow::ensure!(
        from.canonicalize().ok() != Some(there),
        "{} and {} are the same file",
        from.display(),
        to.display()
    );
    anyhow::ensure!(to.is_file(), "{} is not a file", to.display());
    anyhow::ensure!(force, "{} exists: name another file, or replace it with --force", to.display());
    Ok(())
}

/// Copies a file of books into another, with a bar on a terminal.
///
/// # Errors
/// If one cannot be read or the other not be written.
pub(super) async fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} % of the file, {eta} to go");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (from, to) = (from.to_owned(), to.to_owned());
    waiting(move || {
        let copied = backup::copy(&from, &to, &mut |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        copied
    })
    .await
}

/// Reads all of a file of books, and audits it. False if it was not audited, because its schema is one of
/// an earlier version.
///
/// # Errors
/// If anything in it is not as it should be.
pub(super) async fn verified(file: &Path) -> anyhow::Result<bool> {
    let bar = ProgressBar::new_spinner().with_message("reading the file");
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let path = file.to_owned();
    let lacking = waiting(move || backup::check(&path)).await;
    bar.finish_and_clear();
    if !lacking?.is_empty() {
        return Ok(false);
    }
    let options = store::Options { synchronous: Synchronous::Off, ..store::Options::default() };
    let engine = Engine::new(Store::open(file, options)?, Arc::new(Sandbox::default()), Ids::seeded(0));
    let report = audited(&engine, None).await;
    engine.store().close().await?;
    agreeing(&report?)?;
    let path = file.to_owned();
    waiting(move || backup::settle(&path)).await?;
    Ok(true)
}

/// What verification came to.
pub(super) fn verdict(is_audited: bool) -> &'static str {
    if is_audited {
        "the file is sound and the books agree"
    } else {
        "the file is sound; its schema is of an earlier version, so it was not audited"
    }
}

/// Does what waits for the disk on a thread of its own.
///
/// # Errors
/// Those of what is done.
pub(super) async fn waiting<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> anyhow::Result<T> {
    Ok(tokio::task::spawn_blocking(f).await??)
}
