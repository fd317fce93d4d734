//! A gate without sockets, and what comes to its door: for the tests of this room.

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use ledger::PartScope;
use ledger::reads::Seal;
use protocol::csr::CertificateSigningRequest;
use protocol::handover::{HandOver, WantedScope};
use protocol::ids::{UserId, VaultAccountId, WebhookId, WorkspaceId};
use protocol::keys::{KeySize, PrivateKey};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use store::testing::{Engine, TestStore};
use store::{Query, Store, StoreError, Writing, params};
use uuid::Uuid;
use wire::clock::ManualClock;

use crate::config::{Areas, Config, Development, Entrance, Log, Records, Serve, StoreAt, Upstream};
use crate::connections::{
    Budgets, Connection, DAY, Directory, DoorKeys, HeldKey, KeyState, Mode, Place, Provider, State,
    Target,
};
use crate::folder::{Folder, KeyName};
use crate::gate::{Gate, Parts};
use crate::gates::Lease;
use crate::log::{Actor, Event};
use crate::meters::Meter;
use crate::operations::connections::Grant;
use crate::operators::{Operator, OperatorRole};
use crate::rows;
use crate::rows::tests::{ALL_OF, tables, text_of};
use crate::start::ROOMS;

/// The workspace behind the gate.
pub(crate) const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
/// When it all happens.
pub(crate) const NOW: Millis = Millis(1_790_000_000_000);

/// The owner of every gate here.
pub(crate) const OWNER: UserId = UserId(Uuid::from_u128(70));

/// A provider's key, made once.
pub(crate) static KEY: LazyLock<PrivateKey> = LazyLock::new(new_key);
/// Another provider's.
pub(crate) static OTHER: LazyLock<PrivateKey> = LazyLock::new(new_key);

/// A key of nobody's yet.
pub(crate) fn new_key() -> PrivateKey {
    PrivateKey::generate(KeySize::Rsa2048).expect("a key")
}

/// A gate and its folder.
pub(crate) struct World {
    pub(crate) gate: Arc<Gate>,
    pub(crate) operator: Operator,
    store: TestStore,
    home: tempfile::TempDir,
}

impl World {
    /// A gate over an empty SQLite store.
    pub(crate) async fn new() -> Self {
        Self::over(TestStore::new(Engine::Sqlite, &ROOMS).await).await
    }

    /// A gate with its own keys and its log's beginning over an empty store, and nothing else.
    pub(crate) async fn over(store: TestStore) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(home.path());
        folder.make_log_key().expect("a key");
        folder.make_key(KeyName::Webhooks).expect("a key");
        folder.make_key(KeyName::Owner).expect("a key");
        let world = Self::of(home, store).await;
        let owner = world.operator.clone();
        let begun = world.gate.deed(move |deed| {
            let (role, spki) = (owner.role, owner.key.spki_der());
            rows::operators::add(deed.writing, WORKSPACE, owner.id, &owner.name, role, spki)?;
            let event = Event::GateInitialised {
                workspace: WORKSPACE.to_string(),
                owner: "owner".to_owned(),
            };
            Ok(deed.log(Actor::Gate, event)?)
        });
        begun.await.expect("a log");
        world.gate.keeper().sign(NOW).await.expect("signed");
        world
    }

    /// The same gate after its process has ended.
    pub(crate) async fn again(self) -> Self {
        let Self {
            gate, home, store, ..
        } = self;
        drop(gate);
        Self::of(home, store).await
    }

    async fn of(home: tempfile::TempDir, store: TestStore) -> Self {
        let folder = Folder::new(home.path());
        let owner = folder.key(KeyName::Owner).expect("a key");
        let parts = Parts {
            config: config(),
            folder,
            store: Store::clone(&store),
            clock: Arc::new(ManualClock::at(NOW)),
            public: "https://gate.example".to_owned(),
            lease: Lease::Alone,
        };
        Self {
            gate: Gate::assemble(parts).await.expect("a gate"),
            operator: Operator {
                id: OWNER,
                name: "owner".to_owned(),
                role: OperatorRole::Owner,
                key: owner.public().clone(),
            },
            store,
            home,
        }
    }

    /// How many rows a table of the gate's has.
    pub(crate) async fn count(&self, table: &'static str) -> usize {
        let read = self.gate.store.read(move |reading| {
            let rows = reading.rows(&format!("{ALL_OF}{table}"), &params![])?;
            Ok::<_, StoreError>(rows.len())
        });
        read.await.expect("a table")
    }

    /// Everything that the gate has written down, as text.
    pub(crate) async fn everything(&self) -> String {
        let read = self.gate.store.read(|reading| {
            tables(&ROOMS)
                .map(|table| text_of(reading, table))
                .collect::<Result<String, StoreError>>()
        });
        read.await.expect("tables")
    }
}

/// As it is where nothing is configured.
pub(crate) fn config() -> Config {
    Config {
        upstream: Upstream {
            base_url: "https://api.fireblocks.example/v1".parse().expect("a URL"),
            workspace_id: WORKSPACE,
            jwks_url: "https://keys.fireblocks.example/jwks"
                .parse()
                .expect("a URL"),
            calls_per_minute: NonZeroU32::MIN.saturating_add(599),
            timeout_seconds: Upstream::timeout(),
        },
        serve: Serve {
            listen: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            egress_addresses: Vec::new(),
            calls_per_second: Serve::rate(),
            entrance: Entrance::default(),
            private_targets: Vec::new(),
        },
        areas: Areas::default(),
        store: StoreAt::default(),
        records: Records::default(),
        mail: None,
        webhook: None,
        log: Log::default(),
        development: Development::default(),
    }
}

/// These vault accounts, every asset of them.
pub(crate) fn accounts(numbers: impl IntoIterator<Item = u32>) -> PartScope {
    PartScope {
        accounts: numbers.into_iter().map(VaultAccountId::new).collect(),
        ..PartScope::default()
    }
}

/// An active connection with a webhook.
pub(crate) fn connection(name: &str, role: ProviderRole, part: PartScope) -> Connection {
    let id = |kind: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{kind}:{name}").as_bytes());
    Connection {
        name: name.to_owned(),
        provider: format!("{name} Ltd"),
        role,
        mode: Mode::Guarded,
        state: State::Active,
        until: NOW.plus(90 * DAY),
        api_key: UserId(id("key")),
        fingerprint: KEY.public().fingerprint().to_string(),
        addresses: vec!["192.0.2.7/32".parse().expect("a net")],
        addresses_reason: None,
        client_certificate: None,
        part,
        followed: None,
        forward: false,
        budgets: Budgets::default(),
        place: Place::Gate,
        editor: None,
        contact: None,
        webhook: Some(Target {
            id: WebhookId(id("webhook")),
            url: format!("https://{name}.example/hook")
                .parse()
                .expect("a URL"),
            legacy_signature: false,
        }),
        requested_at: NOW,
        approved: Some((NOW, "owner".to_owned())),
        confirmed: None,
        reminded: None,
        closed: None,
    }
}

/// The connection's key, as it is written down.
pub(crate) fn held(connection: &Connection) -> HeldKey {
    HeldKey::new(
        &connection.name,
        KEY.public().clone(),
        KeyState::Active,
        NOW,
    )
}

/// The connection's key, as the door has it.
pub(crate) fn door_keys(connection: &Connection) -> DoorKeys {
    DoorKeys::of(&[held(connection)], None)
}

/// Connections in memory, as the door and the relay have them.
pub(crate) fn directory(connections: impl IntoIterator<Item = Connection>) -> Directory {
    Directory::of(connections.into_iter().map(|connection| Provider {
        keys: door_keys(&connection),
        scope: connection.scope(WORKSPACE),
        scope_id: connection.scope(WORKSPACE).id(),
        seal: Seal::of(b"a secret", &connection.name),
        meter: Arc::new(Meter::new(connection.budgets)),
        connection,
    }))
}

/// What a provider hands over, for this key.
pub(crate) fn handover(key: &PrivateKey) -> HandOver {
    let csr = CertificateSigningRequest::new(key, "Example Accounting", None).expect("a request");
    HandOver {
        provider: "Example Accounting".to_owned(),
        role: ProviderRole::Viewer,
        csr: csr.to_pem(),
        addresses: vec!["192.0.2.7/32".parse().expect("a net")],
        webhook_url: Some("https://accounting.example/hook".parse().expect("a URL")),
        legacy_signature: false,
        scope: WantedScope {
            vault_accounts: [1, 2].map(VaultAccountId::new).into(),
            ..WantedScope::default()
        },
    }
}

/// Writes to a store.
pub(crate) async fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.expect("written")
}

/// What was asked for is granted.
pub(crate) fn grant() -> Grant {
    Grant {
        reason: "as agreed".to_owned(),
        ..Grant::default()
    }
}
