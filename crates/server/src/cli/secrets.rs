//! What signs tokens and hashes keys: from the configuration, or made once and kept beside the books.

use super::World;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of a made secret, and the least of a configured one.
const LENGTH: usize = 32;

/// The secrets of a server.
#[derive(Clone, Args)]
pub struct Secrets {
    /// What signs tokens, at least 32 characters; made and kept in `<db>.secret` if not given.
    #[arg(long, value_name = "TEXT", env = "QUITTANCE_JWT_KEY", hide_env_values = true)]
    jwt_key: Option<String>,
    /// What API keys are hashed with, at least 32 characters; made and kept in `<db>.secret` if not given.
    #[arg(long, value_name = "TEXT", env = "QUITTANCE_PEPPER", hide_env_values = true)]
    pepper: Option<String>,
}

/// Never shows a secret.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// The secrets at hand.
#[derive(Clone)]
pub struct Keys {
    /// What signs tokens.
    pub jwt_key: Vec<u8>,
    /// What API keys are hashed with.
    pub pepper: Vec<u8>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Secrets {
    /// None configured: all are kept beside the books.
    pub const fn kept() -> Self {
        Self { jwt_key: None, pepper: None }
    }

    /// The configured secrets; what is not configured is read from beside the books, or made there.
    ///
    /// # Errors
    /// If a configured one is too short or the file cannot be read or written.
    pub fn load(&self, db: &Path, world: &World) -> Result<Keys, Failure> {
        let given = |name: &str, value: &Option<String>| match value {
            Some(text) if text.len() < LENGTH => {
                Err(Failure::from(format!("{name} must have at least {LENGTH} characters")))
            }
            Some(text) => Ok(Some(text.clone().into_bytes())),
            None => Ok(None),
        };
        let (jwt_key, pepper) = (given("--jwt-key", &self.jwt_key)?, given("--pepper", &self.pepper)?);
        if let (Some(jwt_key), Some(pepper)) = (&jwt_key, &pepper) {
            return Ok(Keys { jwt_key: jwt_key.clone(), pepper: pepper.clone() });
        }
        let kept = read_or_make(&secret_path(db), world)?;
        Ok(Keys { jwt_key: jwt_key.unwrap_or(kept.jwt_key), pepper: pepper.unwrap_or(kept.pepper) })
    }
}

fn secret_path(db: &Path) -> PathBuf {
    let mut path = db.as_os_str().to_owned();
    path.push(".secret");
    PathBuf::from(path)
}

fn read_or_make(path: &Path, world: &World) -> Result<Keys, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error: std::io::Error| Failure::from(format!("{}: {error}", path.display()));
    match options.open(path) {
        Ok(mut file) => {
            let mut bytes = [0; 2 * LENGTH];
            (world.entropy)(&mut bytes);
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(split(&bytes))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mut bytes = Vec::new();
            let mut file = std::fs::File::open(path).map_err(failed)?;
            file.read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() != 2 * LENGTH {
                return Err(format!("{} does not hold secrets of this program", path.display()).into());
            }
            Ok(split(&bytes))
        }
        Err(error) => Err(failed(error)),
    }
}

fn split(bytes: &[u8]) -> Keys {
    Keys { jwt_key: bytes[..LENGTH].to_vec(), pepper: bytes[LENGTH..].to_vec() }
}
