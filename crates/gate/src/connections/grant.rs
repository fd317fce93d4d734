//! What a client grants where it is not what was asked for: each dimension by itself. Pure.

use std::collections::BTreeSet;

use ledger::{AssetFilter, Books, Directions, PartScope, Scope, Shown};
use protocol::handover::MAX_SCOPE;
use protocol::ids::{VaultAccountId, WalletId};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::budgets::BudgetGrant;
use super::rules::{AccountRule, AssetRule, BadRule, Followed};
use super::terms::Terms;

/// A scope in place of the one asked for; what is not named stays as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeGrant {
    /// The vault accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<VaultAccountId>>,
    /// More vault accounts, by a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts_by: Option<AccountRule>,
    /// Their assets. All of them is a word of its own: it is never meant by saying nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assets: Option<AssetFilter>,
    /// Their assets, by a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assets_by: Option<AssetRule>,
    /// The whitelisted wallets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whitelists: Option<BTreeSet<WalletId>>,
    /// Accounts at exchanges that are named in transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_accounts: Option<BTreeSet<String>>,
    /// Accounts at banks that are named in transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fiat_accounts: Option<BTreeSet<String>>,
    /// The first moment of the history that is shown; the first of a month, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_from: Option<Millis>,
    /// Which ways transactions go that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directions: Option<Directions>,
    /// What of a transaction is shown beside its amount and its sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    /// Whether other people's transactions are shown, or only what this connection proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<bool>,
    /// Whether what the books do not hold is asked upstream; not unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<bool>,
    /// How much it may use; of a budget that is not named, as much as before.
    #[serde(skip_serializing_if = "BudgetGrant::is_empty")]
    pub budgets: BudgetGrant,
}

/// Why a scope cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGrant {
    /// A rule.
    #[error(transparent)]
    Rule(#[from] BadRule),
    /// A dimension is named twice.
    #[error("assets are named by ids or by a rule, not both")]
    AssetsTwice,
    /// A rule cannot be resolved yet.
    #[error("a rule needs the gate's books, which are not filled yet: try again in a minute")]
    NotFilled,
    /// It names more than a hand-back file can tell.
    #[error(
        "a scope names at most {MAX_SCOPE} vault accounts, assets or whitelisted wallets, each"
    )]
    TooMany,
    /// A history that begins within a month.
    #[error("history_from is the first moment of a month, UTC, in milliseconds since the epoch")]
    WithinAMonth,
}

impl ScopeGrant {
    /// With every rule resolved to ids, as the workspace is now; and what is followed from now on.
    /// Nothing of books that are not filled.
    pub(crate) fn resolved(
        &self,
        books: Option<&Books>,
    ) -> Result<(Self, Option<Followed>), BadGrant> {
        let mut grant = self.clone();
        let mut followed = None;
        if let Some(rule) = grant.accounts_by.take() {
            let books = books.ok_or(BadGrant::NotFilled)?;
            let accounts = books.accounts(&Scope::whole(books.workspace()));
            let (found, follows) = rule.resolve(&accounts)?;
            let fixed = grant.accounts.take().unwrap_or_default();
            followed = follows.map(|follows| Followed {
                fixed: fixed.clone(),
                ..follows
            });
            grant.accounts = Some(fixed.into_iter().chain(found).collect());
        }
        if let Some(rule) = grant.assets_by.take() {
            if grant.assets.is_some() {
                return Err(BadGrant::AssetsTwice);
            }
            let books = books.ok_or(BadGrant::NotFilled)?;
            let found = rule.resolve(&books.assets(), &books.blockchains())?;
            grant.assets = Some(AssetFilter::Only(found));
        }
        check(&grant.of(&PartScope::default(), ""))?;
        Ok((grant, followed))
    }

    /// What a connection may do when this is granted. Whoever names the accounts says anew what is
    /// followed.
    pub fn put(
        &self,
        books: Option<&Books>,
        connection: &str,
        terms: &mut Terms,
    ) -> Result<(), BadGrant> {
        let (grant, followed) = self.resolved(books)?;
        if grant.accounts.is_some() {
            terms.followed = followed;
        }
        terms.part = grant.of(&terms.part, connection);
        terms.forward = grant.forward.unwrap_or(terms.forward);
        terms.budgets = terms.budgets.granting(&grant.budgets);
        Ok(())
    }

    /// What is granted to a connection of what was asked for. Rules are resolved before.
    pub(crate) fn of(&self, asked: &PartScope, connection: &str) -> PartScope {
        fn or<T: Clone>(granted: Option<&T>, asked: &T) -> T {
            granted.unwrap_or(asked).clone()
        }
        PartScope {
            accounts: or(self.accounts.as_ref(), &asked.accounts),
            assets: or(self.assets.as_ref(), &asked.assets),
            whitelists: or(self.whitelists.as_ref(), &asked.whitelists),
            history_from: self.history_from.or(asked.history_from),
            exchange_accounts: or(self.exchange_accounts.as_ref(), &asked.exchange_accounts),
            fiat_accounts: or(self.fiat_accounts.as_ref(), &asked.fiat_accounts),
            directions: self.directions.unwrap_or(asked.directions),
            shown: self.shown.unwrap_or(asked.shown),
            only_of: match self.others {
                None => asked.only_of.clone(),
                Some(true) => None,
                Some(false) => Some(connection.to_owned()),
            },
        }
    }
}

/// Whether a scope is one that reports, digests and hand-back files can tell: of a month, digests know
/// all or nothing.
pub(super) fn check(part: &PartScope) -> Result<(), BadGrant> {
    let assets = match &part.assets {
        AssetFilter::Only(assets) => assets.len(),
        AssetFilter::All => 0,
    };
    let named = [
        assets,
        part.accounts.len(),
        part.whitelists.len(),
        part.exchange_accounts.len(),
        part.fiat_accounts.len(),
    ];
    if named.into_iter().any(|named| named > MAX_SCOPE) {
        return Err(BadGrant::TooMany);
    }
    if part.history_from.is_some_and(|from| !begins_month(from)) {
        return Err(BadGrant::WithinAMonth);
    }
    Ok(())
}

/// Whether it is the first moment of a month, UTC: the month before it is another.
fn begins_month(at: Millis) -> bool {
    ledger::digest::month(at) != ledger::digest::month(at.plus(-1))
}

#[cfg(test)]
mod tests {
    use protocol::role::ProviderRole;
    use serde_json::json;

    use super::*;
    use crate::testing::{accounts, connection};

    fn asked() -> PartScope {
        PartScope {
            assets: assets(&["BTC", "ETH"]),
            whitelists: [wallet(3)].into(),
            ..accounts([1, 2])
        }
    }

    fn assets(ids: &[&str]) -> AssetFilter {
        let id = |id: &&str| id.parse().expect("an asset");
        AssetFilter::Only(ids.iter().map(id).collect())
    }

    fn wallet(number: u128) -> WalletId {
        WalletId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn invariant_2_what_is_not_named_stays_as_it_was_asked_for() {
        let nothing = ScopeGrant::default();
        assert_eq!(nothing.of(&asked(), "acme"), asked());
        let asset = ScopeGrant {
            assets: Some(assets(&["BTC"])),
            ..ScopeGrant::default()
        };
        let narrow = PartScope {
            assets: assets(&["BTC"]),
            ..asked()
        };
        assert_eq!(asset.of(&asked(), "acme"), narrow, "the accounts stay");
        let account = ScopeGrant {
            accounts: Some(accounts([1]).accounts),
            ..ScopeGrant::default()
        };
        let narrow = PartScope {
            accounts: accounts([1]).accounts,
            ..asked()
        };
        assert_eq!(account.of(&asked(), "acme"), narrow, "the assets stay");
        let none = ScopeGrant {
            whitelists: Some(BTreeSet::new()),
            ..ScopeGrant::default()
        };
        assert!(none.of(&asked(), "acme").whitelists.is_empty());
        assert_eq!(none.of(&asked(), "acme").assets, asked().assets);
    }

    #[test]
    fn a_grant_is_bounded_and_a_history_begins_with_a_month() {
        let grant = |value| serde_json::from_value::<ScopeGrant>(value).expect("a grant");
        let resolved = |value| grant(value).resolved(None).map(drop);
        let most = u32::try_from(MAX_SCOPE).expect("a number");
        assert_eq!(
            resolved(json!({"accounts": accounts(0..most).accounts})),
            Ok(())
        );
        let more = json!({"accounts": accounts(0..=most).accounts});
        assert_eq!(resolved(more), Err(BadGrant::TooMany));
        assert_eq!(
            resolved(json!({"history_from": 1_767_225_600_000_i64})),
            Ok(())
        );
        for within in [1_767_225_600_001_i64, 1_767_225_599_999] {
            let within = json!({ "history_from": within });
            assert_eq!(resolved(within), Err(BadGrant::WithinAMonth));
        }
        // A rule is never taken for no rule, where it cannot be resolved.
        let rule = json!({"assets_by": {"no_spam": true}});
        assert_eq!(resolved(rule), Err(BadGrant::NotFilled));
    }

    #[test]
    fn invariant_2_who_names_the_accounts_says_anew_what_is_followed() {
        let viewer = ProviderRole::Viewer;
        let mut terms = Terms::of(&connection("acme", viewer, asked()));
        terms.followed = Some(Followed {
            tags: ["a tag".to_owned()].into(),
            fixed: BTreeSet::new(),
        });
        let after = |value| {
            let (grant, mut after): (ScopeGrant, _) = (
                serde_json::from_value(value).expect("a grant"),
                terms.clone(),
            );
            grant.put(None, "acme", &mut after).expect("granted");
            after
        };
        let other = after(json!({"others": false, "forward": true}));
        assert_eq!(other.followed, terms.followed);
        assert_eq!(other.part.only_of.as_deref(), Some("acme"));
        assert!(other.forward && after(json!({"forward": false})) == terms);
        let named = after(json!({"accounts": ["1"]}));
        assert_eq!(named.followed, None);
        assert_eq!(named.part.accounts, accounts([1]).accounts);
    }

    #[test]
    fn only_the_explicit_word_is_every_asset() {
        let read = |value| serde_json::from_value::<ScopeGrant>(value);
        let grant = read(json!({"accounts": ["1"]})).expect("a grant");
        assert_eq!(grant.of(&asked(), "acme").assets, asked().assets);
        let all = read(json!({"assets": "all"})).expect("a grant");
        assert_eq!(all.of(&asked(), "acme").assets, AssetFilter::All);
        assert!(read(json!({"vault_account": ["1"]})).is_err());
    }
}
