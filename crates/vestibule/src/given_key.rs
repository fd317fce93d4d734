//! A key of the client's that is given for one run: read from its file, used, and kept nowhere.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use connector::environment::Environment;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use secrecy::{ExposeSecret, SecretString};
use wire::client::{Budget, Client, LocalKey};
use wire::clock::SystemClock;

/// Calls a minute: well below any limit of Fireblocks'.
const CALLS: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
/// Longest wait for one's turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of that API user at a workspace.
pub(crate) fn client(
    environment: &Environment,
    user: UserId,
    key: &Path,
) -> anyhow::Result<Client> {
    let base = environment.base_url();
    if environment.is_heard() {
        bail!("{base}: expected https, or http on this machine alone");
    }
    let file = key.display();
    let pem = std::fs::read_to_string(key);
    let pem = SecretString::from(pem.with_context(|| format!("{file} cannot be read"))?);
    let key = PrivateKey::from_pem(pem.expose_secret()).with_context(|| format!("{file}"))?;
    let signer = Arc::new(LocalKey::new(user, key));
    let budget = Budget::per_minute(CALLS, CALLS, PATIENCE);
    Ok(Client::new(&base, signer, budget, Arc::new(SystemClock))?)
}
