//! Places that a transaction names, as the workspace knows them.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::{AssetId, VaultAccountId, WalletId};
use protocol::model::transaction::{Peer, PeerKind};
use protocol::model::transaction_request::{OneTimeAddress, PeerRequest};
use protocol::model::whitelist::{WhitelistKind, WhitelistStatus};

use super::super::governance::ota;
use crate::deed::Deed;
use crate::world::addresses;
use crate::world::assets::{self, AssetRow};

/// A place, as a transaction shows it, and the address there.
pub(in crate::operations) struct Place {
    pub(in crate::operations) peer: Peer,
    pub(in crate::operations) address: String,
    pub(super) tag: String,
    pub(super) kind: &'static str,
}

pub(in crate::operations) fn vault_place(
    deed: &mut Deed<'_, '_>,
    id: VaultAccountId,
    asset: &AssetId,
) -> Result<Option<Place>, Fault> {
    let Some(account) = deed.batch.account(deed.writing, id)? else {
        return Err(ApiError::new(400, 11001, "The vault account does not exist").into());
    };
    if deed.batch.wallet(deed.writing, id, asset)?.is_none() {
        return Ok(None);
    }
    let first = deed.batch.first_address(deed.writing, id, asset)?;
    let (address, tag) = first
        .map(|first| (first.address, first.tag))
        .unwrap_or_default();
    let peer = Peer {
        kind: PeerKind::VaultAccount,
        id: Some(id.to_string()),
        name: account.name,
        sub_type: String::new(),
    };
    Ok(Some(Place {
        peer,
        address,
        tag,
        kind: "",
    }))
}

pub(super) fn place(
    deed: &mut Deed<'_, '_>,
    wanted: &PeerRequest,
    row: &AssetRow,
    asset: &AssetId,
) -> Result<Place, Fault> {
    let id = wanted.id.as_deref().unwrap_or_default();
    if wanted.one_time_address.is_some() && wanted.kind != PeerKind::OneTimeAddress {
        let why = "destination.oneTimeAddress goes with the type ONE_TIME_ADDRESS alone";
        return Err(ApiError::bad_transaction(why).into());
    }
    let list = match wanted.kind {
        PeerKind::VaultAccount => {
            let id = id
                .parse()
                .map_err(|_| ApiError::new(400, 11001, "The vault account is not valid"))?;
            return vault_place(deed, id, asset)?
                .ok_or_else(|| ApiError::wallet_has_no_such_asset().into());
        }
        PeerKind::OneTimeAddress => {
            ota::check(deed)?;
            let one_time = one_time(wanted, row)?;
            let peer = Peer {
                kind: PeerKind::OneTimeAddress,
                id: None,
                name: "N/A".to_owned(),
                sub_type: String::new(),
            };
            return Ok(Place {
                peer,
                address: one_time.address,
                tag: one_time.tag.unwrap_or_default(),
                kind: "ONE_TIME",
            });
        }
        PeerKind::ExchangeAccount | PeerKind::GasStation | PeerKind::NetworkConnection => {
            return outside_place(deed, wanted.kind, id, row);
        }
        PeerKind::InternalWallet => (WhitelistKind::Internal, "Internal"),
        PeerKind::ExternalWallet => (WhitelistKind::External, "External"),
        PeerKind::Contract => (WhitelistKind::Contract, "Contract"),
        _ => return Err(ApiError::bad_destination_type().into()),
    };
    let id: WalletId = id.parse().map_err(|_| ApiError::wallet_not_found())?;
    let wallet = deed
        .batch
        .whitelisted(deed.writing, list.0, id)?
        .ok_or_else(ApiError::wallet_not_found)?;
    let entry = wallet
        .assets
        .into_iter()
        .find(|entry| entry.id == *asset)
        .ok_or_else(ApiError::wallet_has_no_such_asset)?;
    if entry.status != WhitelistStatus::Approved {
        return Err(ApiError::address_not_approved().into());
    }
    let peer = Peer {
        kind: wanted.kind,
        id: Some(id.to_string()),
        name: wallet.name,
        sub_type: list.1.to_owned(),
    };
    Ok(Place {
        peer,
        address: entry.address,
        tag: entry.tag,
        kind: "WHITELISTED",
    })
}

/// An exchange account, a gas station or a connected peer that takes the asset.
fn outside_place(
    deed: &mut Deed<'_, '_>,
    kind: PeerKind,
    id: &str,
    row: &AssetRow,
) -> Result<Place, Fault> {
    let place = deed.outside(kind, id)?;
    let place = place.ok_or_else(ApiError::wallet_not_found)?;
    if !place.takes(row) {
        return Err(ApiError::wallet_has_no_such_asset().into());
    }
    let address = place.address(row).unwrap_or_default();
    Ok(Place {
        peer: place.peer(),
        address: address.text,
        tag: address.tag,
        kind: "WHITELISTED",
    })
}

/// An address that stands on no list, valid on the asset's chain.
fn one_time(wanted: &PeerRequest, asset: &AssetRow) -> Result<OneTimeAddress, ApiError> {
    let given = wanted.one_time_address.clone();
    let given = given
        .filter(|place| !place.address.is_empty())
        .ok_or_else(|| ApiError::bad_transaction("oneTimeAddress.address is required"))?;
    let chain = assets::chain_of(asset).ok_or_else(ApiError::internal)?;
    if !addresses::is_valid(chain, &given.address) {
        return Err(ApiError::bad_destination_address());
    }
    let tag = given.tag.as_deref().unwrap_or_default();
    if !addresses::is_valid_tag(chain, tag) {
        return Err(ApiError::bad_tag());
    }
    Ok(given)
}
