//! What a client grants by a rule: resolved to ids when it is granted. Pure.
//!
//! What comes to match later waits for an operator, but for accounts of protected tags where that was
//! granted: those are followed, both ways.

use std::collections::BTreeSet;

use ledger::AccountFacts;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::asset::{Asset, AssetClass, Blockchain};
use protocol::model::vault::Tag;
use regex::Regex;
use serde::{Deserialize, Serialize};

/// Longest pattern of a name, in bytes.
const MAX_PATTERN_LEN: usize = 256;
/// Most patterns, tags or blockchains of one rule.
const MAX_NAMED: usize = 64;

/// Vault accounts by what they are called and tagged with: those that one of these fits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountRule {
    /// Tags, by id or by label.
    pub tags: BTreeSet<String>,
    /// Names; `*` stands for anything.
    pub names: BTreeSet<String>,
    /// New accounts of these tags, too. For protected tags alone: whoever may tag an account would
    /// show it.
    pub follow: bool,
}

/// Assets by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssetRule {
    /// Those of these blockchains, by either id; none named: of all.
    pub blockchains: BTreeSet<String>,
    /// No NFTs.
    pub no_nfts: bool,
    /// Nothing that Fireblocks has not verified.
    pub no_spam: bool,
}

/// Accounts that come and go with protected tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The ids of the tags.
    pub tags: BTreeSet<String>,
    /// The accounts that are in scope whatever their tags.
    pub fixed: BTreeSet<VaultAccountId>,
}

/// Why a rule cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// It names too much, or a name that is too long.
    #[error("a rule names at most {MAX_NAMED} things, each of at most {MAX_PATTERN_LEN} bytes")]
    TooLarge,
    /// It names a tag that no account has.
    #[error("no vault account has the tag '{0}'")]
    NoSuchTag(String),
    /// It follows a tag that anybody may attach.
    #[error("the tag '{0}' is not protected: new accounts can follow a protected tag alone")]
    NotProtected(String),
    /// It follows names.
    #[error("new accounts can follow protected tags alone: name tags, and no patterns of names")]
    FollowsNames,
    /// It fits nothing.
    #[error("the rule fits no {0}")]
    Nothing(&'static str),
    /// It names a blockchain that there is not.
    #[error("there is no blockchain '{0}'")]
    NoSuchBlockchain(String),
    /// A pattern cannot be read.
    #[error("the pattern '{0}' cannot be read")]
    Pattern(String),
}

fn sized<'a>(lists: impl IntoIterator<Item = &'a BTreeSet<String>>) -> Result<(), BadRule> {
    let fits = |list: &BTreeSet<String>| {
        list.len() <= MAX_NAMED && list.iter().all(|one| one.len() <= MAX_PATTERN_LEN)
    };
    if lists.into_iter().all(fits) {
        Ok(())
    } else {
        Err(BadRule::TooLarge)
    }
}

/// A name's pattern, where `*` stands for anything and all else for itself.
fn pattern(text: &str) -> Result<Regex, BadRule> {
    let parts: Vec<_> = text.split('*').map(regex::escape).collect();
    Regex::new(&format!("(?s)^{}$", parts.join(".*")))
        .map_err(|_| BadRule::Pattern(text.to_owned()))
}

impl AccountRule {
    /// The accounts that it fits, and the tags that are followed from now on.
    pub fn resolve(
        &self,
        accounts: &[AccountFacts],
    ) -> Result<(BTreeSet<VaultAccountId>, Option<Followed>), BadRule> {
        sized([&self.tags, &self.names])?;
        if self.follow && (self.tags.is_empty() || !self.names.is_empty()) {
            return Err(BadRule::FollowsNames);
        }
        let all: Vec<&Tag> = accounts.iter().flat_map(|account| &account.tags).collect();
        let mut ids = BTreeSet::new();
        for wanted in &self.tags {
            let named = |tag: &&&Tag| tag.id == *wanted || tag.label == *wanted;
            let found: Vec<_> = all.iter().filter(named).collect();
            if found.is_empty() {
                return Err(BadRule::NoSuchTag(wanted.clone()));
            }
            if self.follow && !found.iter().all(|tag| tag.is_protected) {
                return Err(BadRule::NotProtected(wanted.clone()));
            }
            ids.extend(found.into_iter().map(|tag| tag.id.clone()));
        }
        let patterns: Vec<Regex> = self
            .names
            .iter()
            .map(|name| pattern(name))
            .collect::<Result<_, _>>()?;
        let fits = |account: &&AccountFacts| {
            account.tags.iter().any(|tag| ids.contains(&tag.id))
                || patterns
                    .iter()
                    .any(|pattern| pattern.is_match(&account.name))
        };
        let found: BTreeSet<_> = accounts
            .iter()
            .filter(fits)
            .map(|account| account.id)
            .collect();
        if found.is_empty() {
            return Err(BadRule::Nothing("vault account"));
        }
        let followed = self.follow.then(|| Followed {
            tags: ids,
            fixed: BTreeSet::new(),
        });
        Ok((found, followed))
    }
}

impl Followed {
    /// The accounts in scope as the workspace is now. A tag that is protected no more shows nothing.
    pub fn accounts(&self, accounts: &[AccountFacts]) -> BTreeSet<VaultAccountId> {
        let tagged = |account: &&AccountFacts| {
            let mut tags = account.tags.iter();
            tags.any(|tag| tag.is_protected && self.tags.contains(&tag.id))
        };
        let tagged = accounts.iter().filter(tagged).map(|account| account.id);
        tagged.chain(self.fixed.iter().copied()).collect()
    }
}

impl AssetRule {
    /// The assets that it fits.
    pub fn resolve(
        &self,
        assets: &[Asset],
        blockchains: &[Blockchain],
    ) -> Result<BTreeSet<AssetId>, BadRule> {
        sized([&self.blockchains])?;
        let mut chains = BTreeSet::new();
        for wanted in &self.blockchains {
            let named =
                |chain: &&Blockchain| chain.legacy_id == *wanted || chain.id.to_string() == *wanted;
            let chain = blockchains.iter().find(named);
            chains.insert(
                chain
                    .ok_or_else(|| BadRule::NoSuchBlockchain(wanted.clone()))?
                    .id,
            );
        }
        let fits = |asset: &&Asset| {
            let nft = matches!(asset.asset_class, AssetClass::Nft | AssetClass::Sft);
            (chains.is_empty() || asset.blockchain_id.is_some_and(|id| chains.contains(&id)))
                && !(self.no_nfts && nft)
                && (!self.no_spam || asset.metadata.verified)
        };
        let found: BTreeSet<_> = assets
            .iter()
            .filter(fits)
            .map(|asset| asset.legacy_id.clone())
            .collect();
        if found.is_empty() {
            return Err(BadRule::Nothing("asset"));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use protocol::time::Millis;
    use serde_json::json;

    use super::*;

    fn account(number: u32, name: &str, tags: &[(&str, bool)]) -> AccountFacts {
        let tag = |(label, is_protected): &(&str, bool)| Tag {
            id: format!("id of {label}"),
            label: (*label).to_owned(),
            description: None,
            color: None,
            is_protected: *is_protected,
            updated_at: Millis(0),
        };
        AccountFacts {
            id: VaultAccountId::new(number),
            name: name.to_owned(),
            hidden_on_ui: false,
            customer_ref_id: None,
            auto_fuel: false,
            tags: tags.iter().map(tag).collect(),
        }
    }

    fn vault() -> Vec<AccountFacts> {
        vec![
            account(1, "Client 001", &[("audited", true)]),
            account(2, "Client 002", &[("open", false)]),
            account(3, "Cli.nt 003", &[]),
            account(4, "Treasury", &[("audited", true), ("open", false)]),
        ]
    }

    fn rule(value: serde_json::Value) -> AccountRule {
        serde_json::from_value(value).expect("a rule")
    }

    fn numbers(ids: &BTreeSet<VaultAccountId>) -> Vec<u32> {
        ids.iter().map(|id| id.number()).collect()
    }

    #[test]
    fn invariant_7_a_pattern_is_of_the_whole_name_and_its_dots_are_dots() {
        let fits = |names: &[&str]| {
            let found = rule(json!({"names": names})).resolve(&vault());
            found.map(|(found, followed)| {
                assert_eq!(followed, None, "names are resolved once");
                numbers(&found)
            })
        };
        assert_eq!(fits(&["Client*"]), Ok(vec![1, 2]));
        assert_eq!(fits(&["*00*"]), Ok(vec![1, 2, 3]));
        assert_eq!(fits(&["Cli.nt*"]), Ok(vec![3]));
        assert_eq!(fits(&["Treasury", "*1"]), Ok(vec![1, 4]));
        for nothing in ["lient", "Client 00", "client*", ""] {
            assert_eq!(
                fits(&[nothing]),
                Err(BadRule::Nothing("vault account")),
                "{nothing}"
            );
        }
        assert_eq!(fits(&[&"x".repeat(300)]), Err(BadRule::TooLarge));
    }

    #[test]
    fn invariant_7_only_protected_tags_are_followed() {
        let by = |value| rule(value).resolve(&vault());
        let (found, followed) = by(json!({"tags": ["open"]})).expect("a rule");
        assert_eq!((numbers(&found), followed), (vec![2, 4], None));
        let (found, followed) = by(json!({"tags": ["audited"], "follow": true})).expect("a rule");
        assert_eq!(numbers(&found), [1, 4]);
        let followed = Followed {
            fixed: [VaultAccountId::new(9)].into(),
            ..followed.expect("followed")
        };
        let mut later = vault();
        later.push(account(5, "New", &[("audited", true)]));
        later.push(account(6, "Forged", &[("audited", false)]));
        later[0].tags.clear();
        assert_eq!(numbers(&followed.accounts(&later)), [4, 5, 9]);
        assert_eq!(
            by(json!({"tags": ["open"], "follow": true})),
            Err(BadRule::NotProtected("open".to_owned()))
        );
        assert_eq!(
            by(json!({"tags": ["none"]})),
            Err(BadRule::NoSuchTag("none".to_owned()))
        );
        for names in [
            json!({"names": ["*"], "follow": true}),
            json!({"follow": true}),
        ] {
            assert_eq!(by(names), Err(BadRule::FollowsNames));
        }
    }

    #[test]
    fn invariant_7_assets_by_what_they_are() {
        let chain = |number: u128, id: &str| -> Blockchain {
            let id_of = uuid::Uuid::from_u128(number);
            serde_json::from_value(
                json!({"id": id_of, "legacyId": id, "displayName": id, "nativeAssetId": id_of,
                "onchain": {"protocol": "EVM", "test": false, "signingAlgo": "ECDSA_SECP256K1"},
                "metadata": {"scope": "GLOBAL", "deprecated": false}}),
            )
            .expect("a blockchain")
        };
        let asset = |id: &str, on: u128, class: &str, verified: bool| -> Asset {
            serde_json::from_value(
                json!({"id": uuid::Uuid::new_v4(), "legacyId": id, "displayName": id,
                "blockchainId": uuid::Uuid::from_u128(on),
                "displaySymbol": id, "assetClass": class,
                "metadata": {"scope": "GLOBAL", "verified": verified, "deprecated": false}}),
            )
            .expect("an asset")
        };
        let chains = [chain(1, "ETH"), chain(2, "SOL")];
        let assets = [
            asset("ETH", 1, "NATIVE", true),
            asset("FREE_MONEY", 1, "FT", false),
            asset("APE", 1, "NFT", true),
            asset("SOL", 2, "NATIVE", true),
        ];
        let by = |value| {
            let rule: AssetRule = serde_json::from_value(value).expect("a rule");
            let found = rule.resolve(&assets, &chains);
            found.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let named = |ids: &[&str]| Ok(ids.iter().map(ToString::to_string).collect());
        assert_eq!(
            by(json!({"blockchains": ["ETH"]})),
            named(&["APE", "ETH", "FREE_MONEY"])
        );
        assert_eq!(
            by(json!({"no_nfts": true})),
            named(&["ETH", "FREE_MONEY", "SOL"])
        );
        assert_eq!(by(json!({"no_spam": true})), named(&["APE", "ETH", "SOL"]));
        assert_eq!(
            by(json!({"blockchains": ["ETH"], "no_nfts": true, "no_spam": true})),
            named(&["ETH"])
        );
        assert_eq!(
            by(json!({"blockchains": ["DOGE"]})),
            Err(BadRule::NoSuchBlockchain("DOGE".to_owned()))
        );
    }
}
