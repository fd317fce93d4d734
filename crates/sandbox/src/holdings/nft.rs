//! NFTs: tokens, and which accounts own them.

use protocol::ids::VaultAccountId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::shelf::Kept;

/// Tokens that one contract has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Collection {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) symbol: String,
    /// `ERC721` (one of each token) or `ERC1155` (some).
    pub(crate) standard: String,
    /// The contract's word for the chain.
    pub(crate) blockchain: String,
    pub(crate) contract: String,
}

impl Kept for Collection {
    const KIND: &'static str = "nft_collection";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    /// Its number within its collection.
    pub(crate) number: u64,
    pub(crate) collection: Collection,
    pub(crate) name: String,
    /// Whether its metadata have been read: before that nobody knows its name.
    pub(crate) read: bool,
    /// Whether Fireblocks holds it for spam.
    pub(crate) spam: bool,
    pub(crate) owners: Vec<Ownership>,
}

impl Kept for Token {
    const KIND: &'static str = "nft";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// That an account owns some of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ownership {
    pub(crate) account: VaultAccountId,
    pub(crate) balance: u64,
    /// Since when.
    pub(crate) since: Millis,
    /// When it last changed.
    pub(crate) updated: Millis,
    pub(crate) status: Status,
    /// What the workspace holds it for; nothing: what Fireblocks does.
    #[serde(default)]
    pub(crate) spam: Option<bool>,
    /// Whether the workspace has seen it on the chain.
    pub(crate) seen: bool,
}

/// Whether an owned token is shown among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Listed,
    Archived,
}

/// The contract's word for the chain of a native asset, where NFTs live on it.
pub(crate) fn blockchain(native: &str) -> Option<&'static str> {
    Some(match native {
        "ETH" => "ETH",
        "ETH_TEST5" => "ETH_TEST5",
        "MATIC_POLYGON" => "POLYGON",
        "AMOY" => "AMOY_POLYGON_TEST",
        _ => return None,
    })
}

impl Token {
    /// Whether the workspace holds it for spam, and whose word that is.
    pub(crate) fn spam_of(&self, owner: &Ownership) -> (bool, &'static str) {
        match owner.spam {
            Some(spam) => (spam, "OWNER"),
            None => (self.spam, "SYSTEM"),
        }
    }

    /// What the workspace has seen of its owners.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &Ownership> {
        self.owners.iter().filter(|owner| owner.seen)
    }

    /// Changes every ownership that the workspace has seen.
    pub(crate) fn each_owner(&mut self, at: Millis, how: impl Fn(&mut Ownership)) {
        for owner in self.owners.iter_mut().filter(|owner| owner.seen) {
            let before = owner.clone();
            how(owner);
            if *owner != before {
                owner.updated = at;
            }
        }
    }

    /// The chain is looked at for an account: what of it is new.
    pub(crate) fn look(&mut self, account: VaultAccountId, at: Millis) -> Option<&Ownership> {
        let mut owners = self.owners.iter_mut();
        let new = owners.find(|owner| owner.account == account && !owner.seen)?;
        new.seen = true;
        new.updated = at;
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        let owner = |number, seen| Ownership {
            account: VaultAccountId::new(number),
            balance: 1,
            since: Millis(1),
            updated: Millis(1),
            status: Status::Listed,
            spam: None,
            seen,
        };
        Token {
            id: "NFT-1".to_owned(),
            number: 1,
            collection: Collection {
                id: "c".to_owned(),
                name: "Foxes".to_owned(),
                symbol: "FOX".to_owned(),
                standard: "ERC1155".to_owned(),
                blockchain: "ETH".to_owned(),
                contract: String::new(),
            },
            name: "Fox".to_owned(),
            read: true,
            spam: true,
            owners: vec![owner(1, true), owner(2, false)],
        }
    }

    #[test]
    fn the_owners_word_on_spam_is_above_the_systems() {
        let mut token = token();
        assert_eq!(token.spam_of(&token.owners[0]), (true, "SYSTEM"));
        token.each_owner(Millis(5), |owner| owner.spam = Some(false));
        assert_eq!(token.spam_of(&token.owners[0]), (false, "OWNER"));
        assert_eq!(token.owners[0].updated, Millis(5));
        token.each_owner(Millis(9), |owner| owner.spam = Some(false));
        assert_eq!(token.owners[0].updated, Millis(5), "nothing changed");
        assert_eq!(token.owners[1].spam, None, "nobody has seen it");
    }

    #[test]
    fn what_is_looked_for_is_seen_once() {
        let mut token = token();
        assert_eq!(token.owners().count(), 1);
        assert!(token.look(VaultAccountId::new(3), Millis(5)).is_none());
        assert!(token.look(VaultAccountId::new(2), Millis(5)).is_some());
        assert!(token.look(VaultAccountId::new(2), Millis(6)).is_none());
        assert_eq!(token.owners().count(), 2);
    }
}
