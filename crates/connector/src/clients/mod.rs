//! The clients of a provider: where each one's upstream is, what of it is pinned, how far it is.

pub mod known_role;
mod rows;

use ledger::{PartScope, Scope};
use protocol::ed25519::VerifyingKey;
use protocol::ids::{UserId, WebhookId, WorkspaceId};
use protocol::keys::PublicKey;
use protocol::role::ProviderRole;
use protocol::signature::Jwks;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};
use url::Url;
use wire::hooks_in::{KeySource, Pin};

use crate::Error;
use crate::client_name::ClientName;
use crate::compare::Comparison;

pub use known_role::{KnownRole, Verdict};
pub use rows::ROOM;

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// What the provider calls it.
    pub name: ClientName,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The API key that it gave us.
    pub api_key: UserId,
    /// Its API, with `/v1`.
    pub base_url: String,
    /// What is there.
    pub upstream: Upstream,
    /// What its webhooks are held against; without it none is taken.
    pub webhooks: Option<WebhookPins>,
    /// Whether work goes on where reading cannot tell the key's role: an explicit word.
    pub accept_unseen_role: bool,
    /// Since when it is one.
    pub added_at: Millis,
}

/// What stands at a client's URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Upstream {
    /// A gate.
    Gate {
        /// What the gate calls us.
        connection: String,
        /// The role it gave us.
        role: ProviderRole,
        /// What we see; nothing where that is all.
        part: Option<Box<PartScope>>,
        /// The key that signs its reports.
        log_key: VerifyingKey,
    },
    /// Fireblocks itself, or what cannot be told from it.
    Fireblocks {
        /// Which environment: `us`, `eu`, `eu2`, `sandbox`, or the URL again.
        environment: String,
    },
}

/// What a client's webhooks are held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookPins {
    /// The webhook, where its id is known.
    pub webhook: Option<WebhookId>,
    /// The keys, as a JWKS.
    pub jwks: Option<String>,
    /// Where further keys are listed.
    pub jwks_url: Option<Url>,
    /// The key of the legacy header, PEM.
    pub legacy_key_pem: Option<String>,
}

/// How far a client's books are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The first import: until then events wait.
    pub first_sync: Option<FirstSync>,
    /// Until when transactions were walked, by upstream's clock.
    pub walked_until: Option<Millis>,
    /// What was last known of the key's role.
    pub role: Option<KnownRole>,
    /// The last comparison with upstream.
    pub compared: Option<Comparison>,
}

/// How the books were first filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSync {
    /// When.
    pub at: Millis,
    /// From what, in words.
    pub from: String,
}

impl Client {
    /// What of the workspace its books hold.
    pub fn scope(&self) -> Scope {
        match &self.upstream {
            Upstream::Gate {
                part: Some(part), ..
            } => Scope::part(self.workspace, PartScope::clone(part)),
            _ => Scope::whole(self.workspace),
        }
    }

    /// The same, of books that hold nothing but what a gate shows: the cells of all they hold.
    pub fn held(&self) -> Scope {
        match self.scope().as_part() {
            Some(part) => Scope::part(self.workspace, part.held()),
            None => self.scope(),
        }
    }

    /// Whether a gate stands at its URL.
    pub fn is_gate(&self) -> bool {
        matches!(self.upstream, Upstream::Gate { .. })
    }

    /// Whose events its path takes.
    pub(crate) fn pin(&self) -> Pin {
        Pin {
            workspace: self.workspace,
            webhook: self.webhooks.as_ref().and_then(|pins| pins.webhook),
        }
    }
}

impl WebhookPins {
    /// The keys that its webhooks are verified with.
    pub(crate) fn keys(&self) -> Result<KeySource, Error> {
        let bad = |why: String| Error::WebhookKeys(why);
        let jwks = match &self.jwks {
            Some(text) => Jwks::parse(text.as_bytes())
                .map_err(|_| bad("not a JWKS of RSA keys".to_owned()))?,
            None => Jwks::default(),
        };
        if jwks.keys.is_empty() && self.jwks_url.is_none() && self.legacy_key_pem.is_none() {
            return Err(bad("there is none".to_owned()));
        }
        let mut keys = KeySource::pinned(jwks);
        if let Some(url) = &self.jwks_url {
            keys = keys.refetching(url.clone());
        }
        if let Some(pem) = &self.legacy_key_pem {
            let key = PublicKey::from_pem(pem).map_err(|error| bad(error.to_string()))?;
            keys = keys.with_legacy(key);
        }
        Ok(keys)
    }
}

/// The table of clients.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    store: Store,
}

impl Clients {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
        }
    }

    /// Takes a client in: one name, one workspace.
    pub(crate) async fn add(&self, client: Client) -> Result<(), Error> {
        let work = move |writing: &mut store::Writing<'_>| {
            if rows::one(writing, &client.name)?.is_some() {
                return Err(Error::HasClient(client.name.clone()));
            }
            if let Some(by) = rows::of_workspace(writing, client.workspace)? {
                let workspace = client.workspace;
                return Err(Error::WorkspaceTaken { workspace, by });
            }
            rows::insert(writing, &client)?;
            Ok(())
        };
        self.store.write(work).await
    }

    /// Every client, by name.
    pub(crate) async fn all(&self) -> Result<Vec<(Client, Progress)>, StoreError> {
        self.store.read(|reading| rows::all(reading)).await
    }

    /// A client.
    pub(crate) async fn get(&self, name: &ClientName) -> Result<(Client, Progress), Error> {
        let wanted = name.clone();
        let found = self
            .store
            .read(move |reading| rows::one(reading, &wanted))
            .await?;
        found.ok_or_else(|| Error::NoClient(name.clone()))
    }

    /// Changes how far a client is.
    pub(crate) async fn progress(
        &self,
        name: &ClientName,
        change: impl Fn(&mut Progress) + Send + 'static,
    ) -> Result<(), StoreError> {
        let name = name.clone();
        let work = move |writing: &mut store::Writing<'_>| {
            if let Some((_, mut progress)) = rows::one(writing, &name)? {
                change(&mut progress);
                rows::write_progress(writing, &name, &progress)?;
            }
            Ok(())
        };
        self.store.write(work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::on_both;
    use uuid::Uuid;

    fn client(name: &str, workspace: u128) -> Client {
        Client {
            name: name.parse().expect("a name"),
            workspace: WorkspaceId(Uuid::from_u128(workspace)),
            api_key: UserId(Uuid::from_u128(1)),
            base_url: "https://x/v1".to_owned(),
            upstream: Upstream::Fireblocks {
                environment: "us".to_owned(),
            },
            webhooks: None,
            accept_unseen_role: false,
            added_at: Millis(5),
        }
    }

    on_both! {
        rooms: &[ROOM],
        async fn one_name_one_workspace_and_progress_that_stays(store: TestStore) {
            let clients = Clients::new(&store);
            clients.add(client("b", 1)).await.expect("added");
            clients.add(client("a", 2)).await.expect("added");
            assert!(matches!(clients.add(client("a", 3)).await, Err(Error::HasClient(_))));
            assert!(matches!(
                clients.add(client("c", 1)).await,
                Err(Error::WorkspaceTaken { by, .. }) if by.as_str() == "b"
            ));
            let a = "a".parse().expect("a name");
            clients.progress(&a, |progress| progress.walked_until = Some(Millis(7))).await.expect("written");
            clients.progress(&a, |progress| {
                progress.first_sync = Some(FirstSync { at: Millis(9), from: "x".to_owned() });
            }).await.expect("written");
            let all = clients.all().await.expect("a list");
            assert_eq!(all.iter().map(|(client, _)| client.clone()).collect::<Vec<_>>(), [client("a", 2), client("b", 1)]);
            assert_eq!(all[0].1.walked_until, Some(Millis(7)));
            assert_eq!(all[0].1.first_sync.as_ref().map(|first| first.at), Some(Millis(9)));
            assert_eq!(all[1].1, Progress::default());
            assert!(matches!(clients.get(&"x".parse().expect("a name")).await, Err(Error::NoClient(_))));
        }
    }

    #[test]
    fn without_any_key_no_webhook_can_be_verified() {
        let none = WebhookPins {
            webhook: None,
            jwks: None,
            jwks_url: None,
            legacy_key_pem: None,
        };
        assert!(none.keys().is_err());
        let bad = WebhookPins {
            jwks: Some("{".to_owned()),
            ..none.clone()
        };
        assert!(bad.keys().is_err());
        let url = WebhookPins {
            jwks_url: Some("https://keys.example/jwks.json".parse().expect("a URL")),
            ..none
        };
        assert!(url.keys().is_ok());
    }
}
