//! `connector trade`: proposes a transfer and follows it to its end. It never signs (practice P7):
//! a key that could sign is refused before anything is asked.
//!
//! A transfer is asked for once: under an external id that is unique for ever. Where it is not known
//! whether upstream took it, that id is looked up first, and only where upstream knows none is it
//! sent again, under the same one.

mod follow;
mod propose;

use std::sync::Arc;
use std::time::Duration;

use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::transaction::{PeerKind, TransactionStatus};
use protocol::model::transaction_request::FeeLevel;
use protocol::role::ProviderRole;
use serde::Serialize;
use sync::roles::Judgement;
use uuid::Uuid;

pub use follow::{Follow, follow};

use follow::Following;
use propose::propose;

use crate::client_name::ClientName;
use crate::reconcile::Work;
use crate::role_check;
use crate::{Connector, Error};

/// The first wait before upstream is asked; it doubles.
const ASK_FIRST: Duration = Duration::from_secs(2);
/// The longest wait before upstream is asked again.
const ASK_AT_LEAST_EVERY: Duration = Duration::from_secs(30);

/// Told at each step.
pub type OnStep = dyn Fn(&Step) + Send + Sync;

/// What is to be proposed.
#[derive(Clone)]
pub struct Trade {
    /// At which client.
    pub client: ClientName,
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// From which vault account.
    pub source: VaultAccountId,
    /// To what kind of place: a vault account, or a whitelisted wallet.
    pub destination: PeerKind,
    /// To which.
    pub destination_id: String,
    /// What people read when they approve.
    pub note: Option<String>,
    /// Our own id, unique for ever; made where there is none.
    pub external_tx_id: Option<String>,
    /// How much haste is paid for.
    pub fee_level: Option<FeeLevel>,
    /// How long it is followed; only proposed where that is nothing.
    pub follow: Duration,
    /// Told at each step.
    pub progress: Option<Arc<OnStep>>,
}

impl std::fmt::Debug for Trade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Trade({} {} at {})",
            self.amount, self.asset, self.client
        )
    }
}

/// One step of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// How far it is.
    pub status: TransactionStatus,
    /// Why.
    pub sub_status: String,
    /// Its hash on the chain, once there is one.
    pub tx_hash: String,
    /// Where it was seen.
    pub seen: SeenBy,
}

/// Where a step was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    /// In the answer to the proposal.
    Answer,
    /// In our books: a webhook told it.
    Webhook,
    /// Upstream was asked.
    Asked,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traded {
    /// Its id.
    pub id: TxId,
    /// Our own id for it; empty where one that was proposed elsewhere has none.
    pub external_tx_id: String,
    /// How far it is.
    pub status: TransactionStatus,
    /// Why.
    pub sub_status: String,
    /// Its hash on the chain.
    pub tx_hash: String,
    /// Every step that was seen.
    pub steps: Vec<Step>,
}

/// Proposes, and follows to the end.
pub async fn trade(connector: &Connector, trade: &Trade) -> Result<Traded, Error> {
    let (client, _) = connector.client(&trade.client).await?;
    let work = Work::of(connector, &client).await?;
    let seen = work.role().await?;
    role_check::insist(&client, &seen)?;
    if let Judgement::Proven {
        role: role @ ProviderRole::Viewer,
    } = seen.judgement
    {
        return Err(Error::MayNotPropose {
            client: client.name.clone(),
            role,
        });
    }
    let external = match &trade.external_tx_id {
        Some(id) => id.clone(),
        None => Uuid::new_v4().to_string(),
    };
    let (id, status) = propose(&work.upstream, trade, &external).await?;
    let mut following = Following::new(id, trade.progress.as_deref());
    following.step(status, "", "", SeenBy::Answer);
    following.follow(&work, trade.follow).await?;
    following.ended(&client.name, external, status, trade.follow)
}
