//! `connector trade`: proposes a transfer and follows it to its end. It never signs (practice P7):
//! a key that could sign is refused before anything is asked.
//!
//! A transfer is asked for once: under an external id that is unique for ever. Where it is not known
//! whether upstream took it, that id is looked up first, and only where upstream knows none is it
//! sent again, under the same one.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use ledger::Scope;
use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::transaction::{PeerKind, Transaction, TransactionStatus};
use protocol::model::transaction_request::{
    CreateTransactionResponse, FeeLevel, PeerRequest, TransactionRequest,
};
use protocol::role::ProviderRole;
use serde::Serialize;
use sync::held;
use tokio::time::Instant;
use uuid::Uuid;
use wire::client::{Client as Wire, ClientError, Once};

use crate::client_name::ClientName;
use crate::reconcile::Work;
use crate::role_check;
use crate::roles::Judgement;
use crate::{Connector, Error};

/// The code of an external id that is taken.
const TAKEN: i64 = 1438;
/// How often our own books are looked at.
const BOOKS_EVERY: Duration = Duration::from_millis(250);
/// The first wait before upstream is asked; it doubles.
const ASK_FIRST: Duration = Duration::from_secs(2);
/// The longest wait before upstream is asked again.
const ASK_AT_LEAST_EVERY: Duration = Duration::from_secs(30);
/// How often a transfer of unknown outcome is looked up.
const LOOK_UPS: u32 = 5;

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
    /// Our own id for it.
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
    let seen = role_check::ask(&client, &work.upstream).await?;
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
    let mut following = Following {
        trade,
        id,
        steps: Vec::new(),
        last: None,
    };
    following.step(status, "", "", SeenBy::Answer);
    following.follow(&work).await?;
    let last = following.last.as_ref();
    let reached = following.steps.last().map_or(status, |step| step.status);
    if !reached.is_final() && !trade.follow.is_zero() {
        return Err(Error::NotFinal {
            id,
            status: reached,
        });
    }
    Ok(Traded {
        id,
        external_tx_id: external,
        status: reached,
        sub_status: last.map(|last| last.sub_status.clone()).unwrap_or_default(),
        tx_hash: last.map(|last| last.tx_hash.clone()).unwrap_or_default(),
        steps: following.steps,
    })
}

fn body(trade: &Trade, external: &str) -> Result<bytes::Bytes, Error> {
    let peer = |kind: PeerKind, id: String| PeerRequest {
        kind,
        id: Some(id),
        one_time_address: None,
    };
    let places = [
        PeerKind::VaultAccount,
        PeerKind::InternalWallet,
        PeerKind::ExternalWallet,
    ];
    if !places.contains(&trade.destination) {
        return Err(Error::Invalid(format!(
            "a transfer goes to a vault account, an internal wallet or an external wallet, not to {}",
            trade.destination.as_str()
        )));
    }
    if !trade.amount.is_positive() {
        return Err(Error::Invalid("an amount is above nothing".to_owned()));
    }
    let request = TransactionRequest {
        operation: Some("TRANSFER".to_owned()),
        asset_id: Some(trade.asset.clone()),
        amount: Some(trade.amount.clone()),
        source: Some(peer(PeerKind::VaultAccount, trade.source.to_string())),
        destination: Some(peer(trade.destination, trade.destination_id.clone())),
        destinations: None,
        note: trade.note.clone(),
        external_tx_id: Some(external.to_owned()),
        fee_level: trade.fee_level,
        treat_as_gross_amount: None,
        customer_ref_id: None,
    };
    serde_json::to_vec(&request)
        .map(Into::into)
        .map_err(|error| Error::Invalid(error.to_string()))
}

async fn propose(
    upstream: &Wire,
    trade: &Trade,
    external: &str,
) -> Result<(TxId, TransactionStatus), Error> {
    let body = body(trade, external)?;
    let mut wait = ASK_FIRST;
    for attempt in 0..LOOK_UPS {
        // A key each: one that failed inside is burned, and what makes it *once* is the external id.
        let name = format!("{external}/{attempt}");
        let key = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
        let once = Once::KeyedUnrepeated(&key);
        let sent = upstream.write(Method::POST, "/v1/transactions", body.clone(), once);
        let error = match sent.await {
            Ok(answer) => match answer.json::<CreateTransactionResponse>() {
                Ok(created) => return Ok((created.id, created.status)),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !error.outcome_unknown() && error.code() != Some(TAKEN) {
            return Err(error.into());
        }
        match look_up(upstream, external).await {
            Ok(Some(found)) => return same(trade, found),
            // It is taken, and not ours to see: somebody else's.
            Ok(None) if error.code() == Some(TAKEN) => return Err(error.into()),
            Ok(None) => {}
            Err(_) => {
                return Err(Error::Unknown {
                    external_tx_id: external.to_owned(),
                    why: error,
                });
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(ASK_AT_LEAST_EVERY);
    }
    match look_up(upstream, external).await? {
        Some(found) => same(trade, found),
        None => Err(Error::Invalid(format!(
            "upstream did not take the transaction '{external}' after {LOOK_UPS} tries"
        ))),
    }
}

/// What upstream knows under our id. An answer that it knows none is an answer.
async fn look_up(upstream: &Wire, external: &str) -> Result<Option<Transaction>, ClientError> {
    let mut target = url::Url::parse("http://x/v1/transactions/external_tx_id/")
        .map_err(|_| ClientError::Target(external.to_owned()))?;
    if let Ok(mut path) = target.path_segments_mut() {
        path.pop_if_empty().push(external);
    }
    match upstream.get(target.path()).await {
        Ok(answer) => answer.json().map(Some),
        Err(ClientError::Status { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What was found, if it is this transfer: an id that was used for another one says nothing of it.
fn same(trade: &Trade, found: Transaction) -> Result<(TxId, TransactionStatus), Error> {
    let alike = found.asset_id == trade.asset
        && found.source.vault_account() == Some(trade.source)
        && [
            &found.amount_info.requested_amount,
            &found.amount_info.amount,
        ]
        .into_iter()
        .flatten()
        .any(|amount| *amount == trade.amount);
    if alike {
        Ok((found.id, found.status))
    } else {
        Err(Error::Invalid(format!(
            "that external id is another transaction's ({})",
            found.id
        )))
    }
}

struct Following<'a> {
    trade: &'a Trade,
    id: TxId,
    steps: Vec<Step>,
    last: Option<Transaction>,
}

impl Following<'_> {
    async fn follow(&mut self, work: &Work<'_>) -> Result<(), Error> {
        let scope = Scope::whole(work.client.workspace);
        let give_up = Instant::now() + self.trade.follow;
        let (mut ask_at, mut wait) = (Instant::now() + ASK_FIRST, ASK_FIRST);
        while Instant::now() < give_up && !self.is_final() {
            if let Some(held) = held::transaction(&work.books, &scope, self.id).await? {
                self.see(held, SeenBy::Webhook);
            }
            if !self.is_final() && Instant::now() >= ask_at {
                match work
                    .upstream
                    .get(&format!("/v1/transactions/{}", self.id))
                    .await
                {
                    Ok(answer) => self.see(answer.json()?, SeenBy::Asked),
                    // What is asked again is no reason to give up.
                    Err(error) => tracing::debug!(%error, "following a transaction"),
                }
                wait = (wait * 2).min(ASK_AT_LEAST_EVERY);
                ask_at = Instant::now() + wait;
            }
            if !self.is_final() {
                tokio::time::sleep(BOOKS_EVERY).await;
            }
        }
        Ok(())
    }

    fn is_final(&self) -> bool {
        self.steps.last().is_some_and(|step| step.status.is_final())
    }

    /// Takes in what was seen, unless something later was seen before.
    fn see(&mut self, transaction: Transaction, seen: SeenBy) {
        let version = ledger::Version::of_transaction(&transaction);
        let known = self.last.as_ref().map(ledger::Version::of_transaction);
        if known.is_some_and(|known| known >= version) {
            return;
        }
        self.step(
            transaction.status,
            &transaction.sub_status,
            &transaction.tx_hash,
            seen,
        );
        self.last = Some(transaction);
    }

    fn step(&mut self, status: TransactionStatus, sub_status: &str, tx_hash: &str, seen: SeenBy) {
        let step = Step {
            status,
            sub_status: sub_status.to_owned(),
            tx_hash: tx_hash.to_owned(),
            seen,
        };
        let same = |last: &Step| {
            (last.status, &last.sub_status, &last.tx_hash)
                == (step.status, &step.sub_status, &step.tx_hash)
        };
        if self.steps.last().is_some_and(same) {
            return;
        }
        if let Some(progress) = &self.trade.progress {
            progress(&step);
        }
        self.steps.push(step);
    }
}
