//! `quittance restore`.

use super::backup::{copied, file_of, may_replace, verdict, verified, waiting};
use super::books::BooksArgs;
use crate::secrets;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use store::ServerLock;
use store::backup::{self, Draft};

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Replace books that are there.
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(super) async fn run(self, args: &BooksArgs) -> anyhow::Result<()> {
        let books = file_of(args)?;
        let _lock = ServerLock::acquire(books)?;
        anyhow::ensure!(self.from.is_file(), "there is no backup at {}", self.from.display());
        may_replace(&self.from, books, self.force)?;
        let draft = Draft::beside(books)?;
        let unsound = || format!("{} cannot be restored", self.from.display());
        copied(&self.from, draft.path()).await.with_context(unsound)?;
        let is_audited = verified(draft.path()).await.with_context(unsound)?;
        may_replace(&self.from, books, self.force)?;
        // Whoever may read the books is said by them and not by the backup, which somebody may have copied; what
        // nothing is said of is for its owner only.
        let like = if books.exists() { books } else { draft.path() };
        let (place, like) = (books.to_owned(), like.to_owned());
        waiting(move || {
            backup::make_way(&place)?;
            draft.put_in_place(&like)
        })
        .await
        .with_context(|| format!("cannot replace {}", books.display()))?;
        println!("{} is restored from {}: {}", books.display(), self.from.display(), verdict(is_audited));
        let secret = args.secret_file.clone().unwrap_or_else(|| secrets::file_of(books));
        let are_given = args.jwt_key.is_some() && args.pepper.is_some();
        if !are_given && !secret.exists() {
            println!("There is no {}: put it back, or every key and token is void.", secret.display());
        }
        Ok(())
    }
}
