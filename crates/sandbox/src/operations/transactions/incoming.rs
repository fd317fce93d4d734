//! What arrives from outside.

use std::sync::Arc;

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::event::EventType;
use protocol::model::transaction::{Peer, PeerKind, Transaction, TransactionStatus};
use protocol::model::whitelist::WhitelistKind;

use super::super::vault::accounts::asset_of;
use super::create::blank;
use super::places::vault_place;
use crate::chain;
use crate::deed::Deed;
use crate::flight::{Effect, Flight, Pot, inflow};
use crate::hall::Hall;
use crate::screening::Service;
use crate::world::addresses;
use crate::world::assets;

/// Something arrives from outside.
pub(crate) async fn incoming(
    hall: &Arc<Hall>,
    account: VaultAccountId,
    id: AssetId,
    amount: Amount,
    source_address: Option<String>,
) -> Result<Transaction, ApiError> {
    let asset = asset_of(hall, &id)?;
    if !amount.is_positive() || amount.decimals() > u64::from(asset.decimals) {
        return Err(ApiError::bad_amount());
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let to = vault_place(deed, account, &id)?.ok_or_else(ApiError::vault_asset_not_found)?;
        let bytes = deed.chance.bytes();
        let fresh =
            || assets::chain_of(asset).map(|chain| addresses::of_nobody(chain, &bytes).text);
        let mut transaction = blank(asset, &amount, deed)?;
        transaction.destination = to.peer;
        transaction.destination_address = to.address;
        transaction.destination_tag = to.tag;
        transaction.source_address = source_address.clone().or_else(fresh).unwrap_or_default();
        transaction.source = known(deed, &id, &transaction.source_address)?;
        if deed.screening()?.aml == Service::Off {
            transaction.status = TransactionStatus::Confirming;
            transaction.sub_status = "PENDING_BLOCKCHAIN_CONFIRMATIONS".to_owned();
        } else {
            transaction.status = TransactionStatus::PendingAmlScreening;
        }
        transaction.num_of_confirmations = 1;
        transaction.tx_hash = chain::hash(asset, deed);
        transaction.block_info = Some(chain::block(deed));
        let flight = Flight {
            source_address: transaction.source_address.clone(),
            destination_address: transaction.destination_address.clone(),
            destination_tag: transaction.destination_tag.clone(),
            ..Flight::costing(Amount::zero(), id.clone())
        };
        deed.transaction(EventType::TransactionCreated, &transaction)?;
        deed.follow(&transaction, &flight)?;
        deed.moves(&inflow(
            Effect::Moves,
            &transaction,
            Pot::Outside,
            Pot::Pending,
        ))?;
        chain::keep(deed, &transaction, &flight)?;
        Ok(transaction)
    };
    hall.deed(work).await.map_err(ApiError::from)
}

/// Whose address it is, where it stands on a list.
fn known(deed: &mut Deed<'_, '_>, asset: &AssetId, address: &str) -> Result<Peer, Fault> {
    let lists = [
        (
            WhitelistKind::Internal,
            PeerKind::InternalWallet,
            "Internal",
        ),
        (
            WhitelistKind::External,
            PeerKind::ExternalWallet,
            "External",
        ),
        (WhitelistKind::Contract, PeerKind::Contract, "Contract"),
    ];
    for (list, kind, sub_type) in lists {
        for wallet in deed.batch.whitelist(deed.writing, list)? {
            let mut entries = wallet.assets.iter();
            if entries.any(|entry| entry.id == *asset && entry.address == address) {
                return Ok(Peer {
                    kind,
                    id: Some(wallet.id.to_string()),
                    name: wallet.name,
                    sub_type: sub_type.to_owned(),
                });
            }
        }
    }
    Ok(Peer::UNKNOWN)
}
