//! Assets changed: tokens that a workspace registers, prices and notes of its own.

use std::sync::Arc;

use ledger::{Change, Fault};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, UserId};
use protocol::model::asset::AssetNote;
use serde::Deserialize;
use serde_json::json;
use sha3::{Digest, Keccak256};

use super::dates::date_time;
use super::vault::accounts::asset_of;
use super::{Visit, area};
use crate::deed::Deed;
use crate::hall::Hall;
use crate::prices::Price;
use crate::shelf::Kept;
use crate::world::assets::{self, AssetRow, Chain, Token};
use crate::world::{Network, addresses, fiat};

area! { visit;
    "registerNewAsset" => register(visit).await,
    "setAssetPrice" => set_price(visit).await,
    "updateAssetUserMetadata" => note(visit).await,
}

/// Most tokens that a workspace may register.
const MAX_TOKENS: usize = 1_000;
/// Longest symbol.
const MAX_SYMBOL: usize = 20;
/// Longest note.
const MAX_NOTE: usize = 4_096;

impl Kept for Token {
    const KIND: &'static str = "registered_asset";

    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// The tokens of a workspace are known again.
pub(crate) async fn recall(hall: &Arc<Hall>) -> Result<(), ApiError> {
    for token in hall.all_kept::<Token>().await? {
        assets::register(hall.id(), &token);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct New {
    blockchain_id: String,
    address: String,
    #[serde(default)]
    symbol: Option<String>,
}

/// The chain, if tokens of it can be registered in this workspace.
fn chain_of(visit: &Visit<'_>, id: &str) -> Result<&'static Chain, ApiError> {
    let unsupported = || {
        let why = "Listing an asset on the requested blockchain is not supported";
        ApiError::new(400, 1000, why)
    };
    let chain = assets::chain_named(id).ok_or_else(unsupported)?;
    let test = visit.hall.network == Network::Testnet;
    match (chain.takes_tokens(), chain.is_test() == test) {
        (false, _) => Err(unsupported()),
        (true, true) => Ok(chain),
        (true, false) if test => {
            let why = "The workspace may not register mainnet assets";
            Err(ApiError::new(403, 1009, why))
        }
        (true, false) => {
            let why = "The workspace may not register testnet assets";
            Err(ApiError::new(403, 1008, why))
        }
    }
}

/// A name as Fireblocks makes them: symbol, chain, and four characters of the address.
fn token(chain: &Chain, address: &str, symbol: Option<String>) -> Result<Token, ApiError> {
    let hash = Keccak256::digest(format!("{} {}", chain.native, address.to_lowercase()));
    let mark = bs58::encode(hash).into_string().to_uppercase();
    let mark: String = mark.chars().take(4).collect();
    let symbol = symbol
        .filter(|symbol| !symbol.is_empty())
        .unwrap_or_else(|| format!("TKN{mark}"));
    let fits =
        symbol.len() <= MAX_SYMBOL && symbol.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !fits {
        let must = format_args!("at most {MAX_SYMBOL} letters and digits");
        return Err(ApiError::invalid("symbol", must));
    }
    let id = format!("{}_{}_{mark}", symbol.to_uppercase(), chain.native);
    Ok(Token {
        id: id.parse().map_err(|_| ApiError::internal())?,
        symbol,
        native: chain.native.to_owned(),
        contract: address.to_owned(),
    })
}

/// `POST /assets`. Nobody asks the chain: a token has the decimals that most of its chain have.
async fn register(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: New = visit.body()?;
    let chain = chain_of(visit, &new.blockchain_id)?;
    if !addresses::is_valid(chain, &new.address) {
        return Err(ApiError::new(400, 1003, "The asset address is invalid"));
    }
    if assets::at_contract(chain.native, &new.address).is_some() {
        let why = "The asset is already supported globally";
        return Err(ApiError::new(409, 1001, why));
    }
    let token = token(chain, &new.address, new.symbol)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = deed.all_kept::<Token>()?;
        let same = |other: &Token| {
            other.native == token.native && other.contract.eq_ignore_ascii_case(&token.contract)
        };
        if known.iter().any(same) {
            let why = "The asset has already been added to this workspace";
            return Err(ApiError::new(409, 1002, why).into());
        }
        if known.len() >= MAX_TOKENS {
            let why = "The asset creation quota is reached";
            return Err(ApiError::new(403, 1005, why).into());
        }
        let row = assets::register(deed.hall.id(), &token).ok_or_else(ApiError::internal)?;
        let (supported, mut asset) = row.described();
        asset.metadata.scope = "LOCAL".to_owned();
        asset.metadata.verified = false;
        deed.keep(&token)?;
        let onchain = asset.onchain.clone();
        deed.apply(Change::Asset(supported, asset))?;
        let mut onchain = json!(onchain);
        onchain["standard"] = row.kind.into();
        let told = json!({
            "legacyId": token.id,
            "assetClass": "FT",
            "onchain": onchain,
            "metadata": {"scope": "Local", "deprecated": false},
        });
        Ok(Reply::json(200, &told))
    };
    visit.hall.effect(visit.call, work).await
}

fn not_found() -> ApiError {
    ApiError::new(404, 1504, "Asset with specified ID not found")
}

/// The asset that the path names, by either id.
fn asked(visit: &Visit<'_>) -> Result<&'static AssetRow, ApiError> {
    let text = visit.params.get("id");
    let legacy: Option<AssetId> = text.parse().ok();
    if let Some(row) = legacy.and_then(|id| asset_of(visit.hall, &id).ok()) {
        return Ok(row);
    }
    let test = visit.hall.network == Network::Testnet;
    assets::of_workspace(visit.hall.id(), test)
        .into_iter()
        .find(|row| row.described().1.id.to_string() == text)
        .ok_or_else(not_found)
}

#[derive(Deserialize)]
struct NewPrice {
    currency: String,
    price: serde_json::Number,
}

/// `POST /assets/prices/{id}`: what is worth so much from now on, in later transactions too.
async fn set_price(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: NewPrice = visit.body()?;
    let id = asked(visit)?.id;
    if fiat::currency(&new.currency).is_none() {
        return Err(ApiError::new(404, 1001, "Currency not found"));
    }
    let price: Option<Amount> = new.price.to_string().parse().ok();
    if price.is_none_or(|price| price.is_negative()) {
        return Err(ApiError::invalid("price", "a plain number, not below 0"));
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let price = Price {
            legacy_id: id.to_owned(),
            last_update_at: deed.at.seconds(),
            currency: new.currency.clone(),
            price: new.price.clone(),
            source: "PRIVATE".to_owned(),
        };
        deed.keep(&price)?;
        Ok(Reply::json(200, &price))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    metadata: Option<Notes>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Notes {
    note: Option<Note>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Note {
    text: Option<String>,
}

/// `PATCH /assets/{id}`: an empty note is none.
async fn note(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Metadata = visit.body()?;
    let text = wanted.metadata.and_then(|notes| notes.note);
    let text = text.and_then(|note| note.text);
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > MAX_NOTE)
    {
        let must = format_args!("at most {MAX_NOTE} characters");
        return Err(ApiError::invalid("metadata.note.text", must));
    }
    let (row, user) = (asked(visit)?, visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let id = row.asset_id();
        let known = deed.batch.asset(deed.writing, &id)?;
        let (supported, mut asset) = known.ok_or_else(not_found)?;
        if let Some(text) = &text {
            let note = AssetNote {
                text: text.clone(),
                user_id: user.to_string(),
                user_name: name(deed, user),
                updated_at: date_time(deed.at),
            };
            asset.metadata.note = (!text.is_empty()).then_some(note);
            deed.apply(Change::Asset(supported, asset.clone()))?;
        }
        Ok::<_, Fault>(Reply::json(200, &asset))
    };
    visit.hall.effect(visit.call, work).await
}

/// What a user is called.
fn name(deed: &Deed<'_, '_>, id: UserId) -> String {
    let found = deed.hall.books.user(id);
    found
        .and_then(|user| user.name.or(user.first_name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_named_by_its_symbol_chain_and_address() {
        let chain = assets::chain_named("ETH").expect("a chain");
        let id = |address: &str, symbol: Option<&str>| {
            let token = token(chain, address, symbol.map(str::to_owned));
            token.map(|token| token.id.to_string())
        };
        let one = id("0x6B175474E89094C44Da98b954EedeAC495271d0F", Some("Dai"));
        let one = one.expect("a name");
        assert!(one.starts_with("DAI_ETH_") && one.len() == 12, "{one}");
        let small = id("0x6b175474e89094c44da98b954eedeac495271d0f", Some("DAI"));
        assert_eq!(small.as_ref(), Ok(&one), "whatever its capitals");
        let other = id("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Some("DAI"));
        assert_ne!(other.as_ref(), Ok(&one));
        assert!(id("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", None).is_ok());
        for bad in ["A B", "\u{fc}", &"A".repeat(21)] {
            assert!(id("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Some(bad)).is_err());
        }
    }
}
