//! The keys of the house: what signs tokens and what API keys are hashed with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of a secret that is made here.
const LENGTH: usize = 32;
/// The fewest bytes of a secret that is given.
const LENGTH_MIN: usize = 16;

/// The secrets of one database.
#[derive(Clone)]
pub struct Secrets {
    /// Signs tokens.
    pub jwt_key: Vec<u8>,
    /// Goes into the hashes of API keys.
    pub pepper: Vec<u8>,
}

/// Why there are no secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A given secret is too short to be one.
    #[error("{0} must be at least {LENGTH_MIN} bytes")]
    TooShort(&'static str),
    /// The file is not one that was written here.
    #[error(
        "{0} does not hold the two secrets that it should: restore it, or set QUITTANCE_JWT_KEY and QUITTANCE_PEPPER"
    )]
    Malformed(PathBuf),
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The secrets from configuration, and what it does not give from a file, which is made once, readable
/// by its owner only.
///
/// # Errors
/// If a given secret is too short, or the file cannot be read, written or understood.
pub fn load(
    file: &Path,
    jwt_key: Option<&str>,
    pepper: Option<&str>,
    entropy: &dyn Fn(&mut [u8]),
) -> Result<Secrets, Error> {
    let given = |name: &'static str, value: Option<&str>| match value {
        Some(text) if text.len() < LENGTH_MIN => Err(Error::TooShort(name)),
        value => Ok(value.map(|text| text.as_bytes().to_vec())),
    };
    let (jwt_key, pepper) = (given("QUITTANCE_JWT_KEY", jwt_key)?, given("QUITTANCE_PEPPER", pepper)?);
    if let (Some(jwt_key), Some(pepper)) = (&jwt_key, &pepper) {
        return Ok(Secrets { jwt_key: jwt_key.clone(), pepper: pepper.clone() });
    }
    let kept = kept(file, entropy)?;
    Ok(Secrets { jwt_key: jwt_key.unwrap_or(kept.jwt_key), pepper: pepper.unwrap_or(kept.pepper) })
}

/// Secrets for a process that needs none: kept nowhere.
pub fn passing(entropy: &dyn Fn(&mut [u8])) -> Secrets {
    let mut secrets = Secrets { jwt_key: vec![0; LENGTH], pepper: vec![0; LENGTH] };
    entropy(&mut secrets.jwt_key);
    entropy(&mut secrets.pepper);
    secrets
}

/// Where the secrets of a database file are kept, if nothing else is said.
pub fn file_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret");
    PathBuf::from(path)
}

fn kept(path: &Path, entropy: &dyn Fn(&mut [u8])) -> Result<Secrets, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    loop {
        match fs::read_to_string(path) {
            Ok(text) => return parse(&text).ok_or_else(|| Error::Malformed(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, entropy).map_err(failed)?,
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Writes the file whole or not at all; one that another process made meanwhile stays.
fn make(path: &Path, entropy: &dyn Fn(&mut [u8])) -> io::Result<()> {
    let secret = || {
        let mut bytes = [0; LENGTH];
        entropy(&mut bytes);
        bytes
    };
    let (jwt_key, pepper, mut mark) = (BASE64.encode(secret()), BASE64.encode(secret()), [0; 8]);
    entropy(&mut mark);
    let draft = path.with_extension(format!("secret-{:016x}", u64::from_le_bytes(mark)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        writeln!(file, "# Secrets of the database beside this file. Keep it private, and keep it.")?;
        writeln!(file, "jwt_key={jwt_key}\npepper={pepper}")?;
        file.sync_all()
    });
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    });
    linked.and(fs::remove_file(&draft))
}

fn parse(text: &str) -> Option<Secrets> {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        BASE64.decode(line.trim()).ok().filter(|bytes| bytes.len() >= LENGTH_MIN)
    };
    Some(Secrets { jwt_key: value("jwt_key")?, pepper: value("pepper")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_made_once_and_for_their_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let file = file_of(&directory.path().join("books.db"));
        let first = load(&file, None, None, &|bytes| bytes.fill(7)).unwrap();
        let again = load(&file, None, None, &|bytes| bytes.fill(9)).unwrap();
        assert_eq!((first.jwt_key, first.pepper), (again.jwt_key, again.pepper));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn configuration_goes_before_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = file_of(&directory.path().join("books.db"));
        let given = "0123456789abcdef";
        let both = load(&file, Some(given), Some(given), &|_| {}).unwrap();
        assert_eq!(both.jwt_key, given.as_bytes());
        assert!(!file.exists());
        let one = load(&file, Some(given), None, &|bytes| bytes.fill(7)).unwrap();
        assert_eq!((one.jwt_key, one.pepper), (given.as_bytes().to_vec(), vec![7; LENGTH]));
        assert!(matches!(load(&file, Some("short"), None, &|_| {}), Err(Error::TooShort(_))));
        fs::write(&file, "nonsense").unwrap();
        assert!(matches!(load(&file, None, None, &|_| {}), Err(Error::Malformed(_))));
    }
}
