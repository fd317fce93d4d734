//! Asking for a transfer, once.

use http::Method;
use protocol::ids::TxId;
use protocol::model::transaction::{PeerKind, Transaction, TransactionStatus};
use protocol::model::transaction_request::{
    CreateTransactionResponse, PeerRequest, TransactionRequest,
};
use uuid::Uuid;
use wire::client::{Client as Wire, ClientError, Once};

use super::{ASK_AT_LEAST_EVERY, ASK_FIRST, Trade};
use crate::Error;

/// The code of an external id that is taken.
const TAKEN: i64 = 1438;
/// How often a transfer of unknown outcome is looked up.
const LOOK_UPS: u32 = 5;

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

/// Asks, and says what upstream calls it.
pub(super) async fn propose(
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
