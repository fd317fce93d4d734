//! The assets and blockchains that a seeded workspace knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use parking_lot::RwLock;
use protocol::ids::{AssetId, WorkspaceId};
use protocol::model::asset::{
    Asset, AssetClass, AssetMetadata, Blockchain, BlockchainMetadata, OnchainAsset,
    OnchainBlockchain, SupportedAsset,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How addresses of a chain look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressForm {
    /// Segwit, with this human-readable part.
    Segwit(&'static str),
    /// Base58 with a check and this version byte.
    Base58(u8),
    /// Hexadecimal with EIP-55 capitals.
    Evm,
    /// An Ed25519 key in base58.
    Solana,
    /// XRP Ledger, one address and a tag.
    Ripple,
}

/// A blockchain.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// The id of its own asset.
    pub native: &'static str,
    name: &'static str,
    protocol: &'static str,
    chain_id: Option<&'static str>,
    signing: &'static str,
    test: bool,
    /// How its addresses look.
    pub form: AddressForm,
}

/// An asset.
#[derive(Clone, Copy, Debug)]
pub struct AssetRow {
    /// Its id.
    pub id: &'static str,
    name: &'static str,
    symbol: &'static str,
    /// `BASE_ASSET`, `ERC20`...
    pub kind: &'static str,
    /// The asset that fees are paid in.
    pub native: &'static str,
    /// Places after the decimal point.
    pub decimals: u8,
    contract: &'static str,
    /// About what one is worth, in US cents.
    pub cents: u64,
}

const SECP: &str = "ECDSA_SECP256K1";
const ED: &str = "EDDSA_ED25519";

#[rustfmt::skip]
const CHAINS: [Chain; 12] = [
    Chain { native: "BTC", name: "Bitcoin", protocol: "BTC", chain_id: None, signing: SECP, test: false, form: AddressForm::Segwit("bc") },
    Chain { native: "ETH", name: "Ethereum", protocol: "EVM", chain_id: Some("1"), signing: SECP, test: false, form: AddressForm::Evm },
    Chain { native: "SOL", name: "Solana", protocol: "SOL", chain_id: None, signing: ED, test: false, form: AddressForm::Solana },
    Chain { native: "XRP", name: "XRP Ledger", protocol: "XRP", chain_id: None, signing: SECP, test: false, form: AddressForm::Ripple },
    Chain { native: "DOGE", name: "Dogecoin", protocol: "BTC", chain_id: None, signing: SECP, test: false, form: AddressForm::Base58(0x1e) },
    Chain { native: "MATIC_POLYGON", name: "Polygon", protocol: "EVM", chain_id: Some("137"), signing: SECP, test: false, form: AddressForm::Evm },
    Chain { native: "BTC_TEST", name: "Bitcoin Test", protocol: "BTC", chain_id: None, signing: SECP, test: true, form: AddressForm::Segwit("tb") },
    Chain { native: "ETH_TEST5", name: "Ethereum Test (Sepolia)", protocol: "EVM", chain_id: Some("11155111"), signing: SECP, test: true, form: AddressForm::Evm },
    Chain { native: "SOL_TEST", name: "Solana Test", protocol: "SOL", chain_id: None, signing: ED, test: true, form: AddressForm::Solana },
    Chain { native: "XRP_TEST", name: "XRP Ledger Test", protocol: "XRP", chain_id: None, signing: SECP, test: true, form: AddressForm::Ripple },
    Chain { native: "DOGE_TEST", name: "Dogecoin Test", protocol: "BTC", chain_id: None, signing: SECP, test: true, form: AddressForm::Base58(0x71) },
    Chain { native: "AMOY", name: "Polygon Test (Amoy)", protocol: "EVM", chain_id: Some("80002"), signing: SECP, test: true, form: AddressForm::Evm },
];

#[rustfmt::skip]
const ASSETS: [AssetRow; 18] = [
    AssetRow { id: "BTC", name: "Bitcoin", symbol: "BTC", kind: "BASE_ASSET", native: "BTC", decimals: 8, contract: "", cents: 6_400_000 },
    AssetRow { id: "ETH", name: "Ethereum", symbol: "ETH", kind: "BASE_ASSET", native: "ETH", decimals: 18, contract: "", cents: 340_000 },
    AssetRow { id: "SOL", name: "Solana", symbol: "SOL", kind: "BASE_ASSET", native: "SOL", decimals: 9, contract: "", cents: 15_000 },
    AssetRow { id: "XRP", name: "XRP", symbol: "XRP", kind: "BASE_ASSET", native: "XRP", decimals: 6, contract: "", cents: 60 },
    AssetRow { id: "DOGE", name: "Dogecoin", symbol: "DOGE", kind: "BASE_ASSET", native: "DOGE", decimals: 8, contract: "", cents: 12 },
    AssetRow { id: "MATIC_POLYGON", name: "Polygon", symbol: "POL", kind: "BASE_ASSET", native: "MATIC_POLYGON", decimals: 18, contract: "", cents: 50 },
    AssetRow { id: "USDC", name: "USD Coin", symbol: "USDC", kind: "ERC20", native: "ETH", decimals: 6, contract: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", cents: 100 },
    AssetRow { id: "USDT_ERC20", name: "Tether USD (Ethereum)", symbol: "USDT", kind: "ERC20", native: "ETH", decimals: 6, contract: "0xdAC17F958D2ee523a2206206994597C13D831ec7", cents: 100 },
    AssetRow { id: "LINK", name: "ChainLink Token", symbol: "LINK", kind: "ERC20", native: "ETH", decimals: 18, contract: "0x514910771AF9Ca656af840dff83E8264EcF986CA", cents: 1_400 },
    AssetRow { id: "1INCH", name: "1INCH Token", symbol: "1INCH", kind: "ERC20", native: "ETH", decimals: 18, contract: "0x111111111117dC0aa78b770fA6A738034120C302", cents: 30 },
    AssetRow { id: "BTC_TEST", name: "Bitcoin Test", symbol: "BTC_TEST", kind: "BASE_ASSET", native: "BTC_TEST", decimals: 8, contract: "", cents: 6_400_000 },
    AssetRow { id: "ETH_TEST5", name: "Ethereum Test (Sepolia)", symbol: "ETH_TEST5", kind: "BASE_ASSET", native: "ETH_TEST5", decimals: 18, contract: "", cents: 340_000 },
    AssetRow { id: "SOL_TEST", name: "Solana Test", symbol: "SOL_TEST", kind: "BASE_ASSET", native: "SOL_TEST", decimals: 9, contract: "", cents: 15_000 },
    AssetRow { id: "XRP_TEST", name: "XRP Test", symbol: "XRP_TEST", kind: "BASE_ASSET", native: "XRP_TEST", decimals: 6, contract: "", cents: 60 },
    AssetRow { id: "DOGE_TEST", name: "Dogecoin Test", symbol: "DOGE_TEST", kind: "BASE_ASSET", native: "DOGE_TEST", decimals: 8, contract: "", cents: 12 },
    AssetRow { id: "AMOY", name: "Polygon Test (Amoy)", symbol: "POL_TEST", kind: "BASE_ASSET", native: "AMOY", decimals: 18, contract: "", cents: 50 },
    AssetRow { id: "USDC_ETH_TEST5_0GER", name: "USD Coin (Sepolia)", symbol: "USDC", kind: "ERC20", native: "ETH_TEST5", decimals: 6, contract: "0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238", cents: 100 },
    AssetRow { id: "LINK_ETH_TEST5", name: "ChainLink Token (Sepolia)", symbol: "LINK", kind: "ERC20", native: "ETH_TEST5", decimals: 18, contract: "0x779877A7B0D9E8603169DdbD7836e478b4624789", cents: 1_400 },
];

/// Tokens that workspaces have registered, and which: they stay for as long as the process lives,
/// as the table's own do.
static REGISTERED: LazyLock<RwLock<BTreeMap<&'static str, Registered>>> =
    LazyLock::new(RwLock::default);

#[derive(Debug)]
struct Registered {
    row: &'static AssetRow,
    by: BTreeSet<WorkspaceId>,
}

/// A token that a workspace has registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) id: AssetId,
    pub(crate) symbol: String,
    /// The id of its chain's own asset.
    pub(crate) native: String,
    pub(crate) contract: String,
}

/// A workspace knows a token from now on; `None`: its chain takes none.
pub(crate) fn register(workspace: WorkspaceId, token: &Token) -> Option<&'static AssetRow> {
    let mut registered = REGISTERED.write();
    if let Some(known) = registered.get_mut(token.id.as_str()) {
        known.by.insert(workspace);
        return Some(known.row);
    }
    let chain = CHAINS.iter().find(|chain| chain.native == token.native)?;
    let (kind, decimals) = chain.tokens()?;
    let kept = |text: &str| -> &'static str { Box::leak(text.into()) };
    let row: &'static AssetRow = Box::leak(Box::new(AssetRow {
        id: kept(token.id.as_str()),
        name: kept(&token.symbol),
        symbol: kept(&token.symbol),
        kind,
        native: chain.native,
        decimals,
        contract: kept(&token.contract),
        cents: 0,
    }));
    let by = BTreeSet::from([workspace]);
    registered.insert(row.id, Registered { row, by });
    Some(row)
}

/// Whether a workspace has registered a token.
pub(crate) fn is_registered(workspace: WorkspaceId, id: &str) -> bool {
    let registered = REGISTERED.read();
    registered
        .get(id)
        .is_some_and(|token| token.by.contains(&workspace))
}

/// Every asset that a workspace knows: its network's, and those it has registered.
pub(crate) fn of_workspace(workspace: WorkspaceId, test: bool) -> Vec<&'static AssetRow> {
    let registered = REGISTERED.read();
    let own = registered
        .values()
        .filter(|token| token.by.contains(&workspace))
        .map(|token| token.row);
    of_network(test).chain(own).collect()
}

/// The asset of an id.
pub fn find(id: &AssetId) -> Option<&'static AssetRow> {
    let own = ASSETS.iter().find(|asset| asset.id == id.as_str());
    own.or_else(|| REGISTERED.read().get(id.as_str()).map(|token| token.row))
}

/// Assets of the mainnet, and what stands for them on the testnet.
const ON_TESTNET: [(&str, &str); 8] = [
    ("BTC", "BTC_TEST"),
    ("ETH", "ETH_TEST5"),
    ("SOL", "SOL_TEST"),
    ("XRP", "XRP_TEST"),
    ("DOGE", "DOGE_TEST"),
    ("MATIC_POLYGON", "AMOY"),
    ("USDC", "USDC_ETH_TEST5_0GER"),
    ("LINK", "LINK_ETH_TEST5"),
];

/// What stands for an asset of the mainnet on the testnet.
pub(crate) fn on_testnet(id: &str) -> Option<&'static str> {
    let found = ON_TESTNET.iter().find(|(main, _)| *main == id);
    found.map(|(_, test)| *test)
}

/// The asset that lives at a contract's address, for everybody.
pub(crate) fn at_contract(native: &str, contract: &str) -> Option<&'static AssetRow> {
    ASSETS
        .iter()
        .find(|asset| asset.native == native && asset.contract.eq_ignore_ascii_case(contract))
}

/// The blockchain of an id, in either form.
pub(crate) fn chain_named(id: &str) -> Option<&'static Chain> {
    CHAINS
        .iter()
        .find(|chain| chain.native == id || id_of("blockchain", chain.native).to_string() == id)
}

/// The chain that an asset lives on.
pub fn chain_of(asset: &AssetRow) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.native == asset.native)
}

/// The assets of a mainnet or a testnet workspace.
pub fn of_network(test: bool) -> impl Iterator<Item = &'static AssetRow> {
    ASSETS
        .iter()
        .filter(move |asset| chain_of(asset).is_some_and(|chain| chain.test == test))
}

/// The blockchains of a mainnet or a testnet workspace.
pub fn chains_of_network(test: bool) -> impl Iterator<Item = &'static Chain> {
    CHAINS.iter().filter(move |chain| chain.test == test)
}

fn id_of(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("vestibule:{kind}:{name}").as_bytes(),
    )
}

impl AssetRow {
    /// Its id.
    #[expect(clippy::expect_used, reason = "the table's own ids; a test reads each")]
    pub fn asset_id(&self) -> AssetId {
        self.id.parse().expect("an id of the table")
    }

    /// As both lists show it.
    pub fn described(&self) -> (SupportedAsset, Asset) {
        let id = self.asset_id();
        let native = self.kind == "BASE_ASSET";
        let supported = SupportedAsset {
            id: id.clone(),
            name: self.name.to_owned(),
            kind: self.kind.to_owned(),
            contract_address: self.contract.to_owned(),
            native_asset: self.native.to_owned(),
            decimals: self.decimals,
        };
        let asset = Asset {
            id: id_of("asset", self.id),
            legacy_id: id,
            blockchain_id: Some(id_of("blockchain", self.native)),
            display_name: self.name.to_owned(),
            display_symbol: self.symbol.to_owned(),
            asset_class: if native {
                AssetClass::Native
            } else {
                AssetClass::Ft
            },
            decimals: Some(self.decimals),
            onchain: Some(OnchainAsset {
                symbol: self.symbol.to_owned(),
                name: self.name.to_owned(),
                address: (!native).then(|| self.contract.to_owned()),
                decimals: self.decimals,
                standards: if native {
                    Vec::new()
                } else {
                    vec![self.kind.to_owned()]
                },
            }),
            metadata: AssetMetadata {
                scope: "GLOBAL".to_owned(),
                verified: true,
                deprecated: false,
                note: None,
            },
        };
        (supported, asset)
    }
}

impl Chain {
    /// What its tokens are called, and how many decimals they have here; `None`: none can be
    /// registered.
    const fn tokens(&self) -> Option<(&'static str, u8)> {
        match self.form {
            AddressForm::Evm => Some(("ERC20", 18)),
            AddressForm::Solana => Some(("SOL_ASSET", 9)),
            _ => None,
        }
    }

    /// Whether tokens of it can be registered.
    pub(crate) const fn takes_tokens(&self) -> bool {
        self.tokens().is_some()
    }

    /// Its number, where it has one.
    pub(crate) const fn number(&self) -> Option<&'static str> {
        self.chain_id
    }

    /// Whether it is a test network.
    pub(crate) const fn is_test(&self) -> bool {
        self.test
    }

    /// What chains have in common that work alike: one key of an account signs for all of them.
    pub const fn standard(&self) -> &'static str {
        self.protocol
    }

    /// As `GET /blockchains` shows it.
    pub fn described(&self) -> Blockchain {
        Blockchain {
            id: id_of("blockchain", self.native),
            legacy_id: self.native.to_owned(),
            display_name: self.name.to_owned(),
            native_asset_id: id_of("asset", self.native),
            onchain: OnchainBlockchain {
                protocol: self.protocol.to_owned(),
                chain_id: self.chain_id.map(str::to_owned),
                test: self.test,
                signing_algo: self.signing.to_owned(),
            },
            metadata: BlockchainMetadata {
                scope: "GLOBAL".to_owned(),
                deprecated: false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_has_an_id_and_a_chain() {
        for asset in &ASSETS {
            assert_eq!(asset.asset_id().as_str(), asset.id);
            assert!(
                chain_of(asset).is_some() && find(&asset.asset_id()).is_some(),
                "{}",
                asset.id
            );
        }
    }
}
