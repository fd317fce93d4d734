//! Who calls upstream for the gate: its Viewer, its Editor, and the Editors that connections have of
//! their own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::role::ProviderRole;
use sync::SyncError;
use wire::client::{Client, LocalKey};

use crate::connections::State;
use crate::folder::KeyName;
use crate::gate::Gate;
use crate::identities::UpstreamIds;

/// All of them.
#[derive(Default)]
pub(crate) struct Callers {
    viewer: RwLock<Option<Caller>>,
    editor: RwLock<Option<Caller>>,
    /// Those of connections, by the connection's name: read when first called as.
    own: RwLock<HashMap<String, Caller>>,
}

/// An API user of the gate's upstream, and what calls as it.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) client: Client,
}

impl Gate {
    /// From now on upstream is called as these.
    pub(crate) fn call_as(&self, ids: &UpstreamIds) {
        let caller = |user: Option<UserId>, name| {
            let user = user?;
            let client = self.client_of(user, name)?;
            Some(Caller { user, client })
        };
        *self.callers.viewer.write() = caller(ids.viewer, KeyName::Viewer);
        *self.callers.editor.write() = caller(ids.editor, KeyName::Editor);
    }

    /// A client of an API user with a key of the gate's, if that key is made.
    pub(crate) fn client_of(&self, user: UserId, name: KeyName<'_>) -> Option<Client> {
        let key = self.folder.key(name).ok()?;
        self.client(user, key)
    }

    fn client(&self, user: UserId, key: PrivateKey) -> Option<Client> {
        let signer = Arc::new(LocalKey::new(user, key));
        let base = self.config.upstream.base_url.as_str();
        let client = Client::new(base, signer, self.budget.clone(), Arc::clone(&self.clock));
        let patience = Duration::from_secs(self.config.upstream.timeout_seconds.get().into());
        client
            .map(|client| client.waiting(patience))
            .inspect_err(|error| tracing::error!(%error, "upstream cannot be called"))
            .ok()
    }

    /// Who reads upstream, once the client has said under which API key.
    pub(crate) fn viewer(&self) -> Option<Client> {
        let viewer = self.callers.viewer.read();
        viewer.as_ref().map(|caller| caller.client.clone())
    }

    /// Who proposes upstream for connections that have no Editor of their own.
    pub(crate) fn editor(&self) -> Option<Caller> {
        self.callers.editor.read().clone()
    }

    /// A connection's own Editor, if its key is at this gate.
    pub(crate) fn own_editor(&self, connection: &str, user: UserId) -> Option<Caller> {
        let known = self.callers.own.read().get(connection).cloned();
        if let Some(known) = known.filter(|known| known.user == user) {
            return Some(known);
        }
        let client = self.client_of(user, KeyName::EditorOf(connection))?;
        let caller = Caller { user, client };
        let mut own = self.callers.own.write();
        own.insert(connection.to_owned(), caller.clone());
        Some(caller)
    }

    /// Who proposes upstream for this connection, as far as is known here: its own Editor where it has
    /// one.
    pub(crate) fn editor_of(&self, connection: &str) -> Option<Caller> {
        let directory = self.directory.load();
        let known = directory.named(connection);
        match known.and_then(|provider| provider.connection.editor) {
            Some(user) => self.own_editor(connection, user),
            None => self.editor(),
        }
    }

    /// Every Editor there is here: what any may look up or take back is done as the first that may be used.
    pub(crate) fn editors(&self) -> Vec<Caller> {
        let directory = self.directory.load();
        let connections = directory.all().map(|provider| &provider.connection);
        let own = connections
            .filter(|one| one.state != State::Revoked)
            .filter_map(|one| self.own_editor(&one.name, one.editor?));
        self.editor().into_iter().chain(own).collect()
    }

    /// Whether this Editor may be used: it opens this workspace, and does no more than propose.
    pub(crate) async fn opens_for(&self, editor: &Caller) -> Result<(), SyncError> {
        self.opens(&editor.client, Some(editor.user), ProviderRole::Editor)
            .await
    }
}
