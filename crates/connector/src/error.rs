//! What can go wrong, each with what to do.

use std::io;
use std::path::{Path, PathBuf};

use ledger::LedgerError;
use ledger::reports::{Kind, ReportError};
use protocol::ids::WorkspaceId;
use protocol::role::ProviderRole;
use store::StoreError;
use sync::SyncError;
use sync::held::Unanswered;
use sync::inbox::DrainError;
use sync::roles::Judgement;
use wire::client::{BadBaseUrl, ClientError};

use crate::client_name::ClientName;
use crate::export::ExportError;
use crate::import::ImportError;
use crate::keystore::KeystoreError;

/// Why an operation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is none of a connector.
    #[error("{0} is no connector's folder: make it one with `connector init`")]
    NoConnector(PathBuf),
    /// The folder is one already.
    #[error("{0} is a connector's folder already")]
    Exists(PathBuf),
    /// The settings cannot be worked with.
    #[error("{path}: {why}")]
    Settings {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        why: io::Error,
    },
    /// A key.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The books did not tell what they hold.
    #[error(transparent)]
    Held(#[from] Unanswered),
    /// Upstream.
    #[error(transparent)]
    Upstream(#[from] ClientError),
    /// Not an upstream.
    #[error(transparent)]
    BaseUrl(#[from] BadBaseUrl),
    /// A walk.
    #[error(transparent)]
    Walk(#[from] SyncError),
    /// Events.
    #[error(transparent)]
    Drain(#[from] DrainError),
    /// There is no such client.
    #[error("there is no client '{0}': add it with `client add`")]
    NoClient(ClientName),
    /// There is one of that name.
    #[error("there is a client '{0}' already")]
    HasClient(ClientName),
    /// One workspace, one client.
    #[error("workspace {workspace} is client '{by}' already: one workspace, one client")]
    WorkspaceTaken {
        /// Which.
        workspace: WorkspaceId,
        /// Whose.
        by: ClientName,
    },
    /// The hand-back file is not one, or not this client's.
    #[error("the hand-back file: {0}")]
    HandBack(String),
    /// What was named for webhook keys is none.
    #[error("the webhook keys: {0}")]
    WebhookKeys(String),
    /// The key can do more than it should, or nobody can tell.
    #[error("{}", role_text(.0))]
    Role(Judgement),
    /// What upstream says of the key is not what the client said.
    #[error("upstream says otherwise than the hand-back file: {0}")]
    Contradiction(String),
    /// The gate's digests cannot be compared with ours.
    #[error(transparent)]
    Formula(#[from] ledger::digest::OtherFormula),
    /// The role does not propose.
    #[error("'{client}' gave the role {role}: only an EDITOR proposes transactions")]
    MayNotPropose {
        /// Which client.
        client: ClientName,
        /// The role.
        role: ProviderRole,
    },
    /// A report is not believed.
    #[error("{file}: {why}; nothing of it was imported")]
    Report {
        /// Which.
        file: String,
        /// Why.
        why: ReportError,
    },
    /// A report came from where no report can.
    #[error("{0}: such a report comes from a gate, and this client has none")]
    NoLogKey(String),
    /// A report is somebody else's.
    #[error(
        "{file}: the report was made for '{found}', not for our connection '{expected}'; nothing of it was imported"
    )]
    OtherConnection {
        /// Which.
        file: String,
        /// Whose it is, by its manifest.
        found: String,
        /// What the gate calls us.
        expected: String,
    },
    /// A report without what makes it believable.
    #[error(
        "{file} is a gate's report of {kind}, and its manifest is missing: put it beside the report, as {manifest}; nothing was imported"
    )]
    NoManifest {
        /// Which.
        file: String,
        /// Of what.
        kind: Kind,
        /// Where it is looked for.
        manifest: String,
    },
    /// A Console file is not imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// There is no export.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The request is none.
    #[error("{0}")]
    Invalid(String),
    /// The address to listen at.
    #[error("cannot listen at {address}: {why}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// What happened.
        why: io::Error,
    },
    /// It was not final in time.
    #[error(
        "transaction {id} is {status} and not final; go on with: vestibule connector trade {client} --follow {id}"
    )]
    NotFinal {
        /// At which client.
        client: ClientName,
        /// Which.
        id: protocol::ids::TxId,
        /// How far it was.
        status: protocol::model::transaction::TransactionStatus,
    },
    /// There is no such transaction, as far as we may see.
    #[error("'{client}' knows no transaction {id}")]
    NoTransaction {
        /// Which client.
        client: ClientName,
        /// Which.
        id: protocol::ids::TxId,
    },
    /// Nobody knows whether a write arrived.
    #[error(
        "upstream did not say whether it took the transaction ({why}); say the same again with --external-tx-id '{external_tx_id}'"
    )]
    Unknown {
        /// The id to ask again with.
        external_tx_id: String,
        /// What happened.
        why: ClientError,
    },
}

impl Error {
    pub(crate) fn file(path: &Path, why: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            why,
        }
    }
}

fn role_text(judgement: &Judgement) -> String {
    let names = |among: &[protocol::role::Role]| {
        let names: Vec<_> = among.iter().map(|role| role.as_str()).collect();
        names.join(", ")
    };
    match judgement {
        Judgement::Proven { role } => format!("the key is a {role}'s"),
        Judgement::TooMuch { among } => format!(
            "the key can do more than a Viewer or Editor (it is one of: {}): ask the client for another",
            names(among)
        ),
        Judgement::CannotBeSeen { among } if among.is_empty() => {
            "what upstream answered to reads fits no role: say explicitly that you go on with a role that cannot be seen".to_owned()
        }
        Judgement::CannotBeSeen { among } => format!(
            "reading cannot tell what the key can do (it is one of: {}): say explicitly that you go on with a role that cannot be seen",
            names(among)
        ),
    }
}
