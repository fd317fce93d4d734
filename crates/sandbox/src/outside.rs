//! Places outside the vault accounts: gas stations, exchange and fiat accounts, which hold the
//! workspace's money, and connected peers, which hold their own. Where a transfer comes from or
//! goes to one of them, it is found and moved here.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::AssetId;
use protocol::model::transaction::{Peer, PeerKind};
use sha3::{Digest, Keccak256};

use crate::deed::Deed;
use crate::holdings::exchange::{ExchangeAccount, MAIN, Status};
use crate::holdings::fiat::FiatAccount;
use crate::holdings::gas_station::GasStation;
use crate::holdings::network::{Connection, NetworkId, Status as Connected};
use crate::world::addresses::{self, Address};
use crate::world::assets::{self, AssetRow};

/// A place outside the vault accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    GasStation(GasStation),
    Exchange(ExchangeAccount),
    Fiat(FiatAccount),
    /// A connection, and the peer.
    Peer(Connection, NetworkId),
}

fn low() -> Fault {
    ApiError::new(400, 1402, "The source's balance is too low").into()
}

fn overflow() -> Fault {
    ApiError::bad_transaction("the balance would have too many digits").into()
}

impl Outside {
    /// As a transaction shows it.
    pub(crate) fn peer(&self) -> Peer {
        let (kind, id, name, sub_type) = match self {
            Self::GasStation(station) => (PeerKind::GasStation, &station.asset_id, "", ""),
            Self::Exchange(account) => (
                PeerKind::ExchangeAccount,
                &account.id,
                account.name.as_str(),
                account.exchange.as_str(),
            ),
            Self::Fiat(account) => (
                PeerKind::FiatAccount,
                &account.id,
                account.name.as_str(),
                "BLINC",
            ),
            Self::Peer(connection, peer) => (
                PeerKind::NetworkConnection,
                &connection.id,
                peer.name.as_str(),
                "",
            ),
        };
        Peer {
            kind,
            id: Some(id.clone()),
            name: name.to_owned(),
            sub_type: sub_type.to_owned(),
        }
    }

    /// Where an asset is sent to, to come there: the same for ever. Money of states has no address.
    pub(crate) fn address(&self, asset: &AssetRow) -> Option<Address> {
        let chain = assets::chain_of(asset)?;
        let peer = self.peer();
        let place = (!matches!(self, Self::Fiat(_))).then_some(peer.id)??;
        let told = format!("{} {place} {}", peer.kind.as_str(), chain.native);
        let bytes: [u8; 32] = Keccak256::digest(told.as_bytes()).into();
        Some(addresses::of_nobody(chain, &bytes))
    }

    /// Whether an asset can be sent there.
    pub(crate) fn takes(&self, asset: &AssetRow) -> bool {
        match self {
            Self::GasStation(station) => station.asset_id == asset.id,
            Self::Exchange(_) | Self::Peer(..) => true,
            Self::Fiat(_) => false,
        }
    }

    /// What of an asset can be sent from there.
    pub(crate) fn available(&self, asset: &AssetId) -> Amount {
        let asset = asset.as_str();
        let held = match self {
            Self::GasStation(station) => (station.asset_id == asset).then_some(&station.balance),
            Self::Exchange(account) => account.trading.get(MAIN).and_then(|spot| spot.holds(asset)),
            Self::Fiat(account) => account.holds.holds(asset),
            Self::Peer(..) => None,
        };
        held.cloned().unwrap_or_default()
    }

    fn put(&mut self, asset: &AssetId, amount: &Amount) -> Result<(), Fault> {
        let asset = asset.as_str();
        match self {
            Self::GasStation(station) if station.asset_id == asset => {
                let more = station.balance.checked_add(amount);
                station.balance = more.ok_or_else(overflow)?;
                Ok(())
            }
            Self::GasStation(_) => Err(ApiError::wallet_has_no_such_asset().into()),
            Self::Exchange(account) => account.credit(asset, amount).map_err(|_| overflow()),
            Self::Fiat(account) => account.holds.put(asset, amount).ok_or_else(overflow),
            Self::Peer(..) => Ok(()),
        }
    }

    fn hold(&mut self, asset: &AssetId, amount: &Amount) -> Result<(), Fault> {
        match self {
            Self::Exchange(account) => account.hold(asset.as_str(), amount).map_err(|_| low()),
            other => other.take(asset, amount),
        }
    }

    fn release(&mut self, asset: &AssetId, amount: &Amount, stays: bool) -> Result<(), Fault> {
        match self {
            Self::Exchange(account) => {
                let done = account.release(asset.as_str(), amount, stays);
                done.map_err(|_| overflow())
            }
            other if stays => other.put(asset, amount),
            _ => Ok(()),
        }
    }

    fn take(&mut self, asset: &AssetId, amount: &Amount) -> Result<(), Fault> {
        let asset = asset.as_str();
        match self {
            Self::GasStation(station) if station.asset_id == asset => {
                let left = station.balance.checked_sub(amount);
                let left = left.filter(|left| !left.is_negative());
                station.balance = left.ok_or_else(low)?;
                Ok(())
            }
            Self::GasStation(_) => Err(low()),
            Self::Exchange(account) => account.debit(asset, amount).map_err(|_| low()),
            Self::Fiat(account) => account.holds.take(asset, amount).ok_or_else(low),
            Self::Peer(..) => Err(ApiError::bad_source_type().into()),
        }
    }
}

impl Deed<'_, '_> {
    /// The place of this kind and id; `None`: there is none, or it waits for its approval. A gas
    /// station's id is its asset's.
    pub(crate) fn outside(&mut self, kind: PeerKind, id: &str) -> Result<Option<Outside>, Fault> {
        Ok(match kind {
            PeerKind::GasStation => self.kept(id)?.map(Outside::GasStation),
            PeerKind::ExchangeAccount => self
                .kept::<ExchangeAccount>(id)?
                .filter(|account| account.status == Status::Approved)
                .map(Outside::Exchange),
            PeerKind::FiatAccount => self.kept(id)?.map(Outside::Fiat),
            PeerKind::NetworkConnection => {
                let connection = self.kept::<Connection>(id)?;
                let Some(connection) = connection.filter(|one| one.status == Connected::Approved)
                else {
                    return Ok(None);
                };
                let peer = self.kept::<NetworkId>(&connection.remote)?;
                peer.map(|peer| Outside::Peer(connection, peer))
            }
            _ => None,
        })
    }

    /// Something arrives there: the place as it is then.
    pub(crate) fn put_outside(
        &mut self,
        mut place: Outside,
        asset: &AssetId,
        amount: &Amount,
    ) -> Result<Outside, Fault> {
        place.put(asset, amount)?;
        self.keep_outside(&place)?;
        Ok(place)
    }

    /// Something leaves from there: the place as it is then; 1402 if there is not so much.
    pub(crate) fn take_outside(
        &mut self,
        mut place: Outside,
        asset: &AssetId,
        amount: &Amount,
    ) -> Result<Outside, Fault> {
        place.take(asset, amount)?;
        self.keep_outside(&place)?;
        Ok(place)
    }

    /// Something is about to leave from there; 1402 if there is not so much.
    pub(crate) fn hold_outside(
        &mut self,
        mut place: Outside,
        asset: &AssetId,
        amount: &Amount,
    ) -> Result<(), Fault> {
        place.hold(asset, amount)?;
        self.keep_outside(&place)
    }

    /// What was about to leave has left, or stays.
    pub(crate) fn release_outside(
        &mut self,
        mut place: Outside,
        asset: &AssetId,
        amount: &Amount,
        stays: bool,
    ) -> Result<Outside, Fault> {
        place.release(asset, amount, stays)?;
        self.keep_outside(&place)?;
        Ok(place)
    }

    fn keep_outside(&mut self, place: &Outside) -> Result<(), Fault> {
        Ok(match place {
            Outside::GasStation(station) => self.keep(station),
            Outside::Exchange(account) => self.keep(account),
            Outside::Fiat(account) => self.keep(account),
            Outside::Peer(..) => Ok(()),
        }?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::gas_station::Configuration;
    use crate::holdings::network::{Status as Connected, Whose};

    fn amount(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    fn id(text: &str) -> AssetId {
        text.parse().expect("an asset")
    }

    fn station() -> Outside {
        Outside::GasStation(GasStation {
            asset_id: "ETH".to_owned(),
            balance: amount("1"),
            configuration: Configuration {
                gas_threshold: amount("0.1"),
                gas_cap: amount("0.2"),
                max_gas_price: None,
            },
        })
    }

    fn peer() -> Outside {
        let connection = Connection {
            id: "c".to_owned(),
            local: "a".to_owned(),
            remote: "b".to_owned(),
            status: Connected::Approved,
            routing_policy: Default::default(),
        };
        let peer = NetworkId {
            id: "b".to_owned(),
            name: "Northwind".to_owned(),
            whose: Whose::Peer,
            is_discoverable: true,
            routing_policy: Default::default(),
        };
        Outside::Peer(connection, peer)
    }

    #[test]
    fn a_gas_station_holds_its_own_asset_alone() {
        let mut station = station();
        assert!(station.put(&id("ETH"), &amount("0.5")).is_ok());
        assert!(station.take(&id("ETH"), &amount("1.2")).is_ok());
        assert_eq!(station.available(&id("ETH")), amount("0.3"));
        assert!(station.take(&id("ETH"), &amount("0.31")).is_err());
        assert!(station.put(&id("USDC"), &amount("1")).is_err());
        assert!(station.take(&id("USDC"), &amount("1")).is_err());
        assert_eq!(station.available(&id("ETH")), amount("0.3"));
    }

    #[test]
    fn a_peer_takes_everything_and_gives_nothing() {
        let mut peer = peer();
        assert_eq!(peer.peer().name, "Northwind");
        assert!(peer.put(&id("BTC"), &amount("1")).is_ok());
        assert!(peer.take(&id("BTC"), &amount("1")).is_err());
        assert_eq!(peer.available(&id("BTC")), Amount::zero());
    }

    #[test]
    fn every_place_has_its_own_address_on_a_chain() {
        for asset in assets::of_network(false) {
            let chain = assets::chain_of(asset).expect("a chain");
            let of = |place: &Outside| place.address(asset).expect("an address").text;
            assert!(addresses::is_valid(chain, &of(&peer())));
            assert_eq!(of(&peer()), of(&peer()));
            assert_ne!(of(&peer()), of(&station()));
        }
    }
}
