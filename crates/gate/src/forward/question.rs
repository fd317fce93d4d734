//! What may be asked upstream: read from a provider's request, and made into the gate's own. Pure.

use ledger::{Books, Scope};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::{Params, Query};
use protocol::ids::{AssetId, VaultAccountId};
use url::Url;

/// Longest address that is asked about, in bytes.
const MAX_ADDRESS_LEN: usize = 256;
/// Filters of coins by the client's own words on them.
const LABELS: [&str; 3] = ["includeAllLabels", "includeAnyLabels", "excludeAnyLabels"];

/// A question to upstream: a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// What a chain asks for now.
    NetworkFee(AssetId),
    /// Whether a text is an address of a chain.
    Address(AssetId, String),
    /// On which chains one can stake.
    StakingChains,
    /// What one transaction can take out of a wallet.
    MaxSpendable(Wallet, Coins),
    /// The coins of a wallet.
    UnspentInputs(Wallet),
}

/// A wallet that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wallet {
    account: VaultAccountId,
    asset: AssetId,
}

/// Which coins of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coins {
    address: Option<String>,
    least: Option<Amount>,
    most: Option<Amount>,
}

fn asset(text: &str) -> Result<AssetId, ApiError> {
    text.parse().map_err(|_| ApiError::unsupported_asset(text))
}

/// A text that can be an address of some chain. It stands in a path: nothing that a proxy might take
/// for a part of one.
fn address(text: &str) -> Result<String, ApiError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+=*@~".contains(&byte);
    let named = text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if named && text.len() <= MAX_ADDRESS_LEN && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        let must = format_args!("at most {MAX_ADDRESS_LEN} letters, digits and - _ . : + = * @ ~");
        Err(ApiError::invalid("address", must))
    }
}

fn wallet(params: &Params) -> Result<Wallet, ApiError> {
    let account = params.get("vaultAccountId").parse();
    let asset = params.get("assetId").parse();
    Ok(Wallet {
        account: account.map_err(|_| ApiError::vault_account_not_found())?,
        asset: asset.map_err(|_| ApiError::vault_asset_not_found())?,
    })
}

fn coins(query: &Query) -> Result<Coins, ApiError> {
    // A filter by words that a provider does not see would tell them one guess after the other.
    if let Some(label) = LABELS.iter().find(|name| query.one(name).is_some()) {
        return Err(ApiError::invalid(label, "not offered by this gate"));
    }
    let amount = |name| query.read(name, |_| ApiError::invalid(name, "an amount"));
    Ok(Coins {
        address: query.one("address").map(address).transpose()?,
        least: amount("minAmount")?,
        most: amount("maxAmount")?,
    })
}

impl Wallet {
    /// Whether it is in scope. What is outside and what is absent are refused in the same words.
    pub(super) fn in_scope(&self, books: &Books, scope: &Scope) -> Result<(), ApiError> {
        if !books.has_account(scope, self.account) {
            return Err(ApiError::vault_account_not_found());
        }
        let known = books.wallet(scope, self.account, &self.asset);
        known.map(drop).ok_or_else(ApiError::vault_asset_not_found)
    }
}

impl Question {
    /// The question of an operation; whatever else the request carries is left behind.
    pub(super) fn of(operation: &str, params: &Params, query: &Query) -> Result<Self, ApiError> {
        Ok(match operation {
            "estimateNetworkFee" => {
                Self::NetworkFee(asset(query.one("assetId").unwrap_or_default())?)
            }
            "validateAddress" => Self::Address(
                asset(params.get("assetId"))?,
                address(params.get("address"))?,
            ),
            "getChains" => Self::StakingChains,
            "getMaxSpendableAmount" => Self::MaxSpendable(wallet(params)?, coins(query)?),
            "getUnspentInputs" => Self::UnspentInputs(wallet(params)?),
            _ => return Err(ApiError::not_found()),
        })
    }

    /// The asset that it names by itself, if it names one.
    pub(super) fn asset(&self) -> Option<&AssetId> {
        match self {
            Self::NetworkFee(asset) | Self::Address(asset, _) => Some(asset),
            Self::StakingChains | Self::MaxSpendable(..) | Self::UnspentInputs(_) => None,
        }
    }

    /// The wallet that it is about, if it is about one.
    pub(super) fn wallet(&self) -> Option<&Wallet> {
        match self {
            Self::NetworkFee(_) | Self::Address(..) | Self::StakingChains => None,
            Self::MaxSpendable(wallet, _) | Self::UnspentInputs(wallet) => Some(wallet),
        }
    }

    /// The request's target, made from nothing but what was read.
    pub(super) fn target(&self) -> Result<String, ApiError> {
        let mut url = Url::parse("http://upstream/v1").map_err(|_| ApiError::internal())?;
        let wallet = |wallet: &Wallet, what: &'static str| {
            vec![
                "vault".to_owned(),
                "accounts".to_owned(),
                wallet.account.to_string(),
                wallet.asset.to_string(),
                what.to_owned(),
            ]
        };
        let path = match self {
            Self::NetworkFee(_) => vec!["estimate_network_fee".to_owned()],
            Self::Address(asset, address) => vec![
                "transactions".to_owned(),
                "validate_address".to_owned(),
                asset.to_string(),
                address.clone(),
            ],
            Self::StakingChains => vec!["staking".to_owned(), "chains".to_owned()],
            Self::MaxSpendable(of, _) => wallet(of, "max_spendable_amount"),
            Self::UnspentInputs(of) => wallet(of, "unspent_inputs"),
        };
        url.path_segments_mut()
            .map_err(|()| ApiError::internal())?
            .extend(path);
        for (name, value) in self.query() {
            url.query_pairs_mut().append_pair(name, &value);
        }
        let query = url.query().map(|query| format!("?{query}"));
        Ok(format!("{}{}", url.path(), query.unwrap_or_default()))
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NetworkFee(asset) => vec![("assetId", asset.to_string())],
            Self::MaxSpendable(_, coins) => {
                let amount = |amount: &Option<Amount>| amount.as_ref().map(ToString::to_string);
                let pairs = [
                    ("address", coins.address.clone()),
                    ("minAmount", amount(&coins.least)),
                    ("maxAmount", amount(&coins.most)),
                ];
                let given = pairs.into_iter();
                given
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}
