//! The keys of tokens, in files that are read again when they change.
//!
//! Three keys of access tokens stand side by side and are published together: `next.pem`, `present.pem` and `previous.pem`, the
//! first and the last where there are such. Tokens are signed with the present one; but while the key that signed before is
//! still there, a present one that nobody has been told of waits for [`PUBLISHED_FIRST`], until every gateway has heard of it
//! from every replica. So a key can be changed in one step and no token is refused for it. A key that is taken out of the files
//! is published and signs no more.

use std::collections::HashMap;
use std::future::ready;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ecommerce_runtime::{ErrorChain, Shutdown, every};
use ecommerce_token::{Jwks, KeyError, Signer};
use ecommerce_types::Clock;
use parking_lot::RwLock;

use crate::domain::RefreshKeys;
use crate::domain::refresh_token::RefreshKeysError;

/// How often the files are looked at.
const REREAD: Duration = Duration::from_secs(2);
/// How long a key is published before it signs: Kubernetes brings a Secret to all replicas within some 90 seconds, and a gateway
/// asks for keys every five minutes.
const PUBLISHED_FIRST: Duration = Duration::from_mins(7);

/// Where the keys are.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// A directory with the private keys of access tokens, Ed25519 in PKCS#8 PEM: `present.pem`, and where a key is being
    /// changed `next.pem` or `previous.pem`.
    #[arg(long, env = "SIGNING_KEYS_DIRECTORY")]
    pub signing_keys_directory: PathBuf,
    /// A file with the keys of refresh tokens, a line each, newest first: tokens are made with the first and taken with all.
    #[arg(long, env = "REFRESH_KEYS_FILE")]
    pub refresh_keys_file: PathBuf,
}

/// Why the keys are not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not there or not readable.
    #[error("failed to read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds no private key; what it holds is not shown.
    #[error("failed to use {path}")]
    Signing {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// The file of refresh keys holds none.
    #[error("failed to use {path}")]
    Refresh {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: RefreshKeysError,
    },
}

/// The keys as they are now. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    settings: Arc<Settings>,
    clock: Clock,
    current: Arc<RwLock<Current>>,
}

#[derive(Debug)]
struct Current {
    signer: Signer,
    jwks: Jwks,
    refresh: RefreshKeys,
    /// Since when each key has been published, by its name; `None` is since before this process.
    published_at: HashMap<String, Option<Duration>>,
}

/// What the files hold.
struct Files {
    present: Signer,
    next: Option<Signer>,
    previous: Option<Signer>,
    refresh: RefreshKeys,
}

impl Keys {
    /// Reads the files.
    pub(crate) fn read(settings: Settings, clock: Clock) -> Result<Self, Error> {
        let current = Current::begin(Files::read(&settings)?, clock.monotonic());
        Ok(Self { settings: settings.into(), clock, current: Arc::new(RwLock::new(current)) })
    }

    /// What signs access tokens now.
    pub(crate) fn signer(&self) -> Signer {
        self.current.read().signer.clone()
    }

    /// The public keys.
    pub(crate) fn jwks(&self) -> Jwks {
        self.current.read().jwks.clone()
    }

    /// What makes refresh tokens, and knows them again.
    pub(crate) fn refresh(&self) -> RefreshKeys {
        self.current.read().refresh.clone()
    }

    /// Reads the files again while the process runs; files that cannot be used leave the keys as they are.
    pub(crate) async fn follow(self, shutdown: Shutdown) {
        every(REREAD, shutdown, || {
            self.read_again();
            ready(())
        })
        .await;
    }

    fn read_again(&self) {
        match Files::read(&self.settings) {
            Ok(files) => self.current.write().take(files, self.clock.monotonic()),
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "unable to read the keys of tokens again; the old ones stand");
            }
        }
    }
}

impl Current {
    /// A previous key that is there is being changed, and nobody knows since when: it signs for the while that the present one is
    /// published. Else what is there was published before.
    fn begin(files: Files, now: Duration) -> Self {
        let since = files.previous.is_some().then_some(now);
        Self {
            published_at: files.names().map(|name| (name, since)).collect(),
            jwks: files.jwks(),
            signer: files.previous.unwrap_or(files.present),
            refresh: files.refresh,
        }
    }

    fn take(&mut self, files: Files, now: Duration) {
        let before = std::mem::take(&mut self.published_at);
        self.published_at =
            files.names().map(|name| (name.clone(), before.get(&name).copied().unwrap_or(Some(now)))).collect();
        self.jwks = files.jwks();
        let since = self.published_at.get(files.present.name()).copied().flatten();
        let is_known = since.is_none_or(|since| now.saturating_sub(since) >= PUBLISHED_FIRST);
        let signs_still = files.signers().any(|signer| signer.name() == self.signer.name());
        if files.present.name() != self.signer.name() && (is_known || !signs_still) {
            tracing::info!(key.id = files.present.name(), "signing access tokens with another key");
            self.signer = files.present;
        }
        self.refresh = files.refresh;
    }
}

impl Files {
    fn read(settings: &Settings) -> Result<Self, Error> {
        let directory = &settings.signing_keys_directory;
        let present = signer(&directory.join("present.pem"))?;
        let optional = |name: &str| {
            let path = directory.join(name);
            path.exists().then(|| signer(&path)).transpose()
        };
        let (next, previous) = (optional("next.pem")?, optional("previous.pem")?);
        let path = &settings.refresh_keys_file;
        let refresh = RefreshKeys::parse(&text(path)?);
        let refresh = refresh.map_err(|source| Error::Refresh { path: path.clone(), source })?;
        Ok(Self { present, next, previous, refresh })
    }

    fn signers(&self) -> impl Iterator<Item = &Signer> {
        std::iter::once(&self.present).chain(&self.next).chain(&self.previous)
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.signers().map(|signer| signer.name().to_owned())
    }

    fn jwks(&self) -> Jwks {
        Jwks { keys: self.signers().map(Signer::public).collect() }
    }
}

fn signer(path: &Path) -> Result<Signer, Error> {
    Signer::from_pkcs8_pem(&text(path)?).map_err(|source| Error::Signing { path: path.to_owned(), source })
}

fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use ecommerce_token::Signer;
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::EncodePrivateKey as _;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;

    use super::*;

    fn key(number: u8) -> Signer {
        let pem = SigningKey::from_bytes(&[number; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
        Signer::from_pkcs8_pem(&pem).unwrap()
    }

    fn files(present: u8, next: Option<u8>, previous: Option<u8>) -> Files {
        let refresh = RefreshKeys::parse(&"k".repeat(32)).unwrap();
        Files { present: key(present), next: next.map(key), previous: previous.map(key), refresh }
    }

    const LATER: Duration = Duration::from_hours(1);

    #[test]
    fn a_new_key_is_published_for_a_while_before_it_signs() {
        let mut current = Current::begin(files(1, None, None), LATER);
        for seconds in [0, 60, PUBLISHED_FIRST.as_secs() - 1] {
            current.take(files(2, None, Some(1)), LATER + Duration::from_secs(seconds));
            assert_eq!((current.signer.name(), current.jwks.keys.len()), (key(1).name(), 2), "after {seconds} s");
        }
        current.take(files(2, None, Some(1)), LATER + PUBLISHED_FIRST);
        assert_eq!(current.signer.name(), key(2).name());
    }

    #[test]
    fn one_that_was_published_as_the_next_signs_at_once() {
        let mut current = Current::begin(files(1, None, None), LATER);
        current.take(files(1, Some(2), None), LATER);
        current.take(files(2, None, Some(1)), LATER + PUBLISHED_FIRST);
        assert_eq!(current.signer.name(), key(2).name());
    }

    #[test]
    fn a_process_that_starts_while_a_key_is_changed_waits_as_the_others_do() {
        let mut current = Current::begin(files(2, None, Some(1)), LATER);
        assert_eq!(current.signer.name(), key(1).name());
        current.take(files(2, None, Some(1)), LATER + PUBLISHED_FIRST);
        assert_eq!(current.signer.name(), key(2).name());
    }

    #[test]
    fn a_key_that_is_struck_off_signs_no_more_and_is_no_more_published() {
        let mut current = Current::begin(files(1, None, None), LATER);
        current.take(files(2, None, None), LATER);
        assert_eq!(current.signer.name(), key(2).name());
        assert_eq!(current.jwks.keys, [key(2).public()]);
    }
}
