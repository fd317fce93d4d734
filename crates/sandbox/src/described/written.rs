//! A workspace file as it is written: the words that there are, not yet what they mean.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::plan::{Example, Kinds};
use crate::quorum::{DeleteUsers, Threshold};
use crate::world::Network;

/// A text, and where it stands.
pub(super) type Word = Spanned<String>;

/// The whole, part by part; every list still holds whatever could be read of it.
#[derive(Default)]
pub(super) struct File {
    pub(super) name: Option<Word>,
    pub(super) network: Option<Spanned<Network>>,
    pub(super) people: Option<Vec<Spanned<Person>>>,
    pub(super) api_users: Option<Vec<Spanned<ApiUser>>>,
    pub(super) groups: Vec<Spanned<Group>>,
    pub(super) quorum: Option<Spanned<Quorum>>,
    pub(super) policy: Option<Vec<Rule>>,
    pub(super) tags: Vec<Spanned<Tag>>,
    pub(super) accounts: Vec<Spanned<Accounts>>,
    pub(super) whitelists: Vec<Spanned<Listed>>,
    pub(super) exchange_accounts: Vec<Spanned<Exchange>>,
    pub(super) fiat_accounts: Vec<Spanned<Fiat>>,
    pub(super) gas_stations: Vec<Spanned<Station>>,
    pub(super) webhooks: Vec<Spanned<Hook>>,
    pub(super) examples: Vec<Spanned<Example>>,
    pub(super) history: Option<Spanned<History>>,
}

/// What stands at the top of a file.
pub(super) const PARTS: [&str; 16] = [
    "name",
    "network",
    "people",
    "api_users",
    "groups",
    "quorum",
    "policy",
    "tags",
    "accounts",
    "whitelists",
    "exchange_accounts",
    "fiat_accounts",
    "gas_stations",
    "webhooks",
    "examples",
    "history",
];

/// Somebody who works in the Console.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: Word,
    pub(super) role: Word,
}

/// A program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiUser {
    pub(super) name: Word,
    pub(super) role: Word,
    pub(super) key: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Word,
    pub(super) members: Spanned<Vec<Word>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quorum {
    pub(super) threshold: Option<Spanned<Threshold>>,
    pub(super) delete_users: Option<DeleteUsers>,
}

/// A rule in Fireblocks' older shape, and where its texts stand.
pub(super) struct Rule {
    pub(super) rule: serde_json::Value,
    pub(super) at: std::ops::Range<usize>,
    pub(super) words: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) label: Word,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) protected: bool,
}

/// What a thing is called, or things that are alike.
pub(super) struct Called<'a> {
    pub(super) at: std::ops::Range<usize>,
    pub(super) name: Option<&'a Word>,
    pub(super) names: Option<&'a Spanned<Vec<Word>>>,
    pub(super) count: Option<&'a Spanned<u32>>,
    pub(super) from: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accounts {
    pub(super) name: Option<Word>,
    pub(super) names: Option<Spanned<Vec<Word>>>,
    pub(super) count: Option<Spanned<u32>>,
    pub(super) from: Option<u32>,
    pub(super) customer_ref_id: Option<Word>,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default)]
    pub(super) auto_fuel: bool,
    #[serde(default)]
    pub(super) tags: Vec<Word>,
    #[serde(default)]
    pub(super) assets: Vec<Word>,
    #[serde(default)]
    pub(super) balances: BTreeMap<Word, Spanned<Holding>>,
    pub(super) share: Option<Spanned<u32>>,
    pub(super) more_addresses: Option<Spanned<u32>>,
    pub(super) funded_usd: Option<Spanned<u64>>,
}

/// An amount, or from how much to how much.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected an amount in quotes such as \"1.5\", or two of them: [\"0.1\", \"20\"]"
)]
pub(super) enum Holding {
    One(String),
    Between([String; 2]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) kind: Spanned<ListKind>,
    pub(super) name: Option<Word>,
    pub(super) names: Option<Spanned<Vec<Word>>>,
    pub(super) count: Option<Spanned<u32>>,
    pub(super) from: Option<u32>,
    pub(super) customer_ref_id: Option<Word>,
    #[serde(default)]
    pub(super) assets: Vec<Word>,
    #[serde(default)]
    pub(super) addresses: BTreeMap<Word, Spanned<Address>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ListKind {
    Internal,
    External,
    Contract,
}

/// An address, or one with its tag.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected an address in quotes, or { address = \"...\", tag = \"...\" }"
)]
pub(super) enum Address {
    Plain(String),
    Tagged { address: String, tag: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) exchange: Word,
    pub(super) name: Word,
    #[serde(default)]
    pub(super) balances: BTreeMap<Word, BTreeMap<Word, Word>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fiat {
    pub(super) name: Word,
    pub(super) currency: Word,
    pub(super) balance: Word,
    pub(super) bank_balance: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Station {
    pub(super) asset: Word,
    pub(super) balance: Word,
    pub(super) gas_threshold: Word,
    pub(super) gas_cap: Word,
    pub(super) max_gas_price: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hook {
    pub(super) url: Word,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) events: Vec<Word>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    pub(super) days: Option<Spanned<u32>>,
    pub(super) transactions: Spanned<u32>,
    pub(super) initiator: Option<Word>,
    pub(super) signer: Option<Word>,
    pub(super) deposits_usd: Option<Spanned<[u64; 2]>>,
    pub(super) kinds: Option<Spanned<Kinds>>,
    #[serde(default)]
    pub(super) assets: BTreeMap<Word, Spanned<u32>>,
    #[serde(default)]
    pub(super) skip_unaffordable: bool,
}
