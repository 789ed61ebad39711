//! Where programs are on this machine.

use std::path::{Path, PathBuf};

/// A program that can be run by name, or by who may administer the machine.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let searched = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&searched).chain([Path::new("/usr/sbin").to_owned()]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}
