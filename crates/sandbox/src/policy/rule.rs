//! A rule as it is judged by, whichever shape it was written in.

use std::collections::BTreeSet;

use protocol::amount::Amount;
use protocol::model::policy::{AmountCurrency, Matches};

use super::asked::{Asked, Place};
use super::roster::Roster;

/// A rule: which transactions it is of, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// What is done: `TRANSFER`, `CONTRACT_CALL`... The first names the policy that it stands in.
    pub(crate) kinds: Vec<String>,
    pub(crate) initiators: Initiators,
    pub(crate) assets: Assets,
    pub(crate) source: Places,
    pub(crate) destination: Places,
    pub(crate) address: AddressType,
    /// Of one transaction.
    pub(crate) amount: Option<Range>,
    pub(crate) window: Option<Window>,
    pub(crate) action: Action,
}

/// Who initiates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Initiators {
    Anybody,
    These(People),
}

/// Users, by themselves and by their groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct People {
    pub(crate) users: Vec<String>,
    pub(crate) groups: Vec<String>,
}

/// Of which assets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assets {
    pub(crate) ids: AnyOf,
    /// NFTs alone, or none; nothing: both.
    pub(crate) nfts: Option<bool>,
}

/// All, or those named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnyOf {
    All,
    These(Vec<String>),
}

impl AnyOf {
    fn names(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.iter().any(|one| one == id),
        }
    }
}

/// From where, or to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    Anywhere,
    These(Vec<PlaceRule>),
}

/// Places of this type, subtype, id, address and tag, as far as they are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlaceRule {
    pub(crate) kind: Option<String>,
    pub(crate) sub_type: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) tag: Option<String>,
}

/// Whether the destination must stand on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressType {
    Any,
    Whitelisted,
    OneTime,
}

/// More than the one (or anything, at 0), no more than the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) over: Amount,
    pub(crate) up_to: Option<Amount>,
    pub(crate) currency: AmountCurrency,
}

/// An amount of all transactions of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) seconds: u32,
    pub(crate) range: Range,
    pub(crate) initiators: Matches,
    pub(crate) sources: Matches,
    pub(crate) destinations: Matches,
}

/// What becomes of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Block,
    /// It goes on, once these have approved.
    Go(Option<Approval>, Signers),
}

/// Who approves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) logic: Logic,
    /// Whether the initiator's own approval counts.
    pub(crate) initiator_counts: bool,
    pub(crate) groups: Vec<ApprovalGroup>,
}

/// Whether all groups approve, or one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
}

impl Logic {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }
}

/// Some people, and how many of them approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApprovalGroup {
    pub(crate) people: People,
    pub(crate) threshold: u32,
}

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signers {
    Initiator,
    /// One of these.
    Named(People),
}

impl Rule {
    /// Whether a transaction is one that the rule is of, whatever its amount.
    pub(crate) fn fits(&self, asked: &Asked, roster: &Roster) -> bool {
        self.kinds.contains(&asked.kind)
            && match &self.initiators {
                Initiators::Anybody => true,
                Initiators::These(people) => roster.members(people).contains(&asked.initiator),
            }
            && self.assets.names(asked)
            && self.source.name(&asked.source)
            && self.destination.name(&asked.destination)
            && match self.address {
                AddressType::Any => true,
                AddressType::Whitelisted => !asked.is_one_time(),
                AddressType::OneTime => asked.is_one_time(),
            }
    }

    /// Whether it asks for the tags of places.
    pub(crate) fn asks_for_tags(&self) -> bool {
        [&self.source, &self.destination]
            .into_iter()
            .any(|places| match places {
                Places::Anywhere => false,
                Places::These(list) => list.iter().any(|one| one.tag.is_some()),
            })
    }
}

impl Assets {
    fn names(&self, asked: &Asked) -> bool {
        self.nfts.is_none_or(|nfts| nfts == asked.is_nft) && self.ids.names(&asked.asset)
    }
}

impl Places {
    fn name(&self, place: &Place) -> bool {
        match self {
            Self::Anywhere => true,
            Self::These(list) => list.iter().any(|one| one.names(place)),
        }
    }
}

impl PlaceRule {
    fn names(&self, place: &Place) -> bool {
        let is =
            |wanted: &Option<String>, it: &str| wanted.as_ref().is_none_or(|wanted| wanted == it);
        let address = |wanted: &String| wanted.eq_ignore_ascii_case(&place.address);
        is(&self.kind, place.kind)
            && is(&self.sub_type, &place.sub_type)
            && is(&self.id, &place.id)
            && self.address.as_ref().is_none_or(address)
            && self.tag.as_ref().is_none_or(|tag| place.tags.contains(tag))
    }
}

impl Range {
    /// Whether the amount is in it. What has no amount is in it if nothing is asked of that.
    pub(crate) fn takes(&self, amount: Option<&Amount>) -> bool {
        if self.over.is_zero() && self.up_to.is_none() {
            return true;
        }
        amount.is_some_and(|amount| {
            (self.over.is_zero() || *amount > self.over)
                && self.up_to.as_ref().is_none_or(|most| amount <= most)
        })
    }
}

impl Window {
    /// What the transactions before this one add up to, of those that the rule is of and that
    /// this window counts together with it; and how many they are.
    pub(crate) fn total(
        &self,
        rule: &Rule,
        roster: &Roster,
        asked: &Asked,
        before: &[Asked],
    ) -> Option<(Amount, usize)> {
        let alike = |one: &Asked| {
            let each = |matches| matches == Matches::PerSingleMatch;
            one.id != asked.id
                && one.counts
                && (!each(self.initiators) || one.initiator == asked.initiator)
                && (!each(self.sources) || one.source.is_same(&asked.source))
                && (!each(self.destinations) || one.destination.is_same(&asked.destination))
                && rule.fits(one, roster)
        };
        let counted: Vec<_> = before.iter().filter(|one| alike(one)).collect();
        let ids: BTreeSet<_> = counted.iter().map(|one| one.id).collect();
        let total = counted
            .iter()
            .filter_map(|one| one.amount_in(self.range.currency))
            .try_fold(Amount::zero(), |sum, amount| sum.checked_add(&amount))?;
        Some((total, ids.len()))
    }
}
