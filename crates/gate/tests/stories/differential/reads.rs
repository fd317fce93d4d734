//! Random reads: every operation of the books, with parameters that mean something and some that do not.

use ledger::Change;
use ledger::Version;
use protocol::exchange::Reply;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;
use url::form_urlencoded;

/// Ids and words that there are in the plan, in scope or not.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) accounts: Vec<String>,
    pub(super) assets: Vec<String>,
    pub(super) new_assets: Vec<String>,
    pub(super) blockchains: Vec<String>,
    pub(super) internal: Vec<String>,
    pub(super) external: Vec<String>,
    pub(super) contracts: Vec<String>,
    pub(super) transactions: Vec<String>,
    pub(super) external_ids: Vec<String>,
    pub(super) hashes: Vec<String>,
    pub(super) places: Vec<String>,
    pub(super) times: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) names: Vec<String>,
}

impl Pool {
    pub(super) fn of(plan: &[(Version, Change)]) -> Self {
        use protocol::model::whitelist::WhitelistKind::{Contract, External, Internal};
        let mut pool = Self::default();
        for (_, change) in plan {
            match change {
                Change::Account(facts) => {
                    pool.accounts.push(facts.id.to_string());
                    pool.names.push(facts.name.clone());
                    pool.tags
                        .extend(facts.tags.iter().map(|tag| tag.id.clone()));
                }
                Change::Asset(supported, asset) => {
                    pool.assets.push(supported.id.to_string());
                    pool.new_assets.push(asset.id.to_string());
                }
                Change::Blockchain(chain) => pool.blockchains.push(chain.id.to_string()),
                Change::Whitelist(Internal, wallet) => pool.internal.push(wallet.id.to_string()),
                Change::Whitelist(External, wallet) => pool.external.push(wallet.id.to_string()),
                Change::Whitelist(Contract, wallet) => pool.contracts.push(wallet.id.to_string()),
                Change::Transaction(one, _) => {
                    pool.transactions.push(one.id.to_string());
                    pool.external_ids.extend(one.external_tx_id.clone());
                    pool.hashes.push(one.tx_hash.clone());
                    pool.places.extend(one.source.id.clone());
                    pool.places.extend(one.destination.id.clone());
                    pool.times.push(one.created_at.to_string());
                }
                _ => {}
            }
        }
        pool
    }
}

/// One read.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) operation: &'static str,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) query: String,
}

/// One of them; sometimes nothing that there is.
fn one(all: &[String], random: &mut StdRng) -> String {
    match random.random_range(0..20) {
        0 => "99999".to_owned(),
        1 => "00000000-0000-4000-8000-000000000000".to_owned(),
        _ if all.is_empty() => "nothing".to_owned(),
        _ => all[random.random_range(0..all.len())].clone(),
    }
}

fn word(words: &[&str], random: &mut StdRng) -> String {
    words[random.random_range(0..words.len())].to_owned()
}

/// The beginning or the end of a name.
fn piece(names: &[String], end: bool, random: &mut StdRng) -> String {
    let name: Vec<char> = one(names, random).chars().collect();
    let count = random.random_range(1..=name.len().min(8));
    if end {
        name[name.len() - count..].iter().collect()
    } else {
        name[..count].iter().collect()
    }
}

impl Read {
    /// Any read.
    pub(super) fn any(pool: &Pool, random: &mut StdRng) -> Self {
        let served = ledger::reads::SERVED;
        // Lists of transactions have the most to filter: they are asked for more often.
        let operation = match random.random_range(0..10) {
            0..=2 => "getTransactions",
            3 => "getPagedVaultAccounts",
            4 => "getAssetWallets",
            _ => served[random.random_range(0..served.len())],
        };
        let known = protocol::operations::by_id(operation).expect("an operation");
        let params = known.parameters.iter().map(|name| {
            let of = match (*name, operation) {
                ("vaultAccountId", _) => &pool.accounts,
                ("assetId", _) => &pool.assets,
                ("id", "getBlockchain") => &pool.blockchains,
                ("id", _) => &pool.new_assets,
                ("walletId", name) if name.contains("Internal") => &pool.internal,
                ("walletId", _) => &pool.external,
                ("contractId", _) => &pool.contracts,
                ("txId", _) => &pool.transactions,
                ("externalTxId", _) => &pool.external_ids,
                (other, _) => panic!("no value is known for {other} of {operation}"),
            };
            (*name, one(of, random))
        });
        let params = params.collect();
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, chance) in names(operation) {
            if random.random_bool(*chance) {
                query.append_pair(name, &value(name, pool, random));
            }
        }
        Self {
            operation,
            params,
            query: query.finish(),
        }
    }

    /// The same list's next page or the one before, where the answer names one.
    pub(super) fn onward(&self, reply: &Reply) -> Option<Self> {
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let of_header = |header: &str, name: &'static str| {
            let (_, url) = reply.headers.iter().find(|(known, _)| *known == header)?;
            let (_, query) = url.split_once('?')?;
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let (_, cursor) = pairs.find(|(known, _)| known == name)?;
            Some((name, cursor.into_owned()))
        };
        let cursor = of_header("next-page", "next")
            .or_else(|| of_header("prev-page", "prev"))
            .or_else(|| Some(("after", text(&body["paging"]["after"])?)))
            .or_else(|| Some(("before", text(&body["paging"]["before"])?)))
            .or_else(|| Some(("pageCursor", text(&body["next"])?)))?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        let cursors = ["next", "prev", "pageCursor"];
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            let of_place = matches!(self.operation, "getTransactions");
            let is_cursor = cursors.contains(&name.as_ref())
                || (!of_place && matches!(name.as_ref(), "after" | "before"));
            if !is_cursor {
                query.append_pair(&name, &value);
            }
        }
        query.append_pair(cursor.0, &cursor.1);
        Some(Self {
            query: query.finish(),
            ..self.clone()
        })
    }
}

/// What an operation's query may name, and how often it does.
fn names(operation: &str) -> &'static [(&'static str, f64)] {
    match operation {
        "getTransactions" => &[
            ("after", 0.7),
            ("before", 0.2),
            ("limit", 0.8),
            ("status", 0.2),
            ("sourceType", 0.2),
            ("sourceId", 0.2),
            ("destType", 0.2),
            ("destId", 0.2),
            ("assets", 0.2),
            ("txHash", 0.05),
            ("orderBy", 0.4),
            ("sort", 0.4),
        ],
        "getPagedVaultAccounts" => &[
            ("limit", 0.8),
            ("namePrefix", 0.2),
            ("nameSuffix", 0.1),
            ("assetId", 0.2),
            ("minAmountThreshold", 0.2),
            ("orderBy", 0.4),
            ("tagIds", 0.1),
            ("excludeTagIds", 0.1),
        ],
        "getAssetWallets" => &[
            ("limit", 0.8),
            ("assetId", 0.3),
            ("totalAmountLargerThan", 0.3),
            ("orderBy", 0.4),
        ],
        "getVaultAssets" => &[("accountNamePrefix", 0.3), ("accountNameSuffix", 0.2)],
        "getVaultAccountAssetAddressesPaginated" => &[("limit", 0.8)],
        "getInternalWalletAssetsPaginated" => &[("pageSize", 0.8)],
        "listAssets" => &[
            ("pageSize", 0.5),
            ("assetClass", 0.2),
            ("symbol", 0.2),
            ("scope", 0.3),
            ("ids", 0.2),
        ],
        "listBlockchains" => &[("pageSize", 0.8), ("test", 0.2)],
        _ => &[],
    }
}

fn value(name: &str, pool: &Pool, random: &mut StdRng) -> String {
    const KINDS: [&str; 9] = [
        "VAULT_ACCOUNT",
        "EXTERNAL_WALLET",
        "INTERNAL_WALLET",
        "EXCHANGE_ACCOUNT",
        "FIAT_ACCOUNT",
        "ONE_TIME_ADDRESS",
        "UNKNOWN",
        "CONTRACT",
        "NONSENSE",
    ];
    match name {
        "limit" | "pageSize" => word(&["1", "2", "5", "20", "100", "0", "x"], random),
        "after" => word(&["0", "1"], random),
        "before" => one(&pool.times, random),
        "status" => word(
            &[
                "COMPLETED",
                "FAILED",
                "CANCELLED",
                "PENDING_SIGNATURE",
                "PENDING_3RD_PARTY",
                "BROADCASTING",
                "NONSENSE",
            ],
            random,
        ),
        "sourceType" | "destType" => word(&KINDS, random),
        "sourceId" | "destId" => one(&pool.places, random),
        "assets" => format!(
            "{},{}",
            one(&pool.assets, random),
            one(&pool.assets, random)
        ),
        "txHash" => one(&pool.hashes, random),
        "orderBy" => word(&["createdAt", "lastUpdated", "ASC", "DESC"], random),
        "sort" => word(&["ASC", "DESC"], random),
        "namePrefix" | "accountNamePrefix" => piece(&pool.names, false, random),
        "nameSuffix" | "accountNameSuffix" => piece(&pool.names, true, random),
        "assetId" => one(&pool.assets, random),
        "minAmountThreshold" | "totalAmountLargerThan" => {
            word(&["0", "0.5", "10", "1000", "1e3", "x"], random)
        }
        "tagIds" | "excludeTagIds" => one(&pool.tags, random),
        "assetClass" => word(&["NATIVE", "FT", "NFT", "X"], random),
        "symbol" => word(&["BTC", "ETH", "usdc", "TKN1"], random),
        "scope" => word(&["LOCAL", "LOCAL", "GLOBAL"], random),
        "ids" => one(&pool.assets, random),
        "test" => word(&["true", "false", "x"], random),
        other => panic!("no value is known for {other}"),
    }
}
