//! Asks a workspace's policy about a transaction, in the deed that judges it; and about what a
//! window has counted.

use ledger::{Fault, LookBack, Scope};
use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId};
use protocol::model::policy::Matches;
use protocol::model::transaction::{Peer, PeerKind, Transaction};
use protocol::time::Millis;
use serde_json::{Value, json};

use super::asked::{Asked, Place};
use super::check::roster;
use super::roster::Roster;
use super::rule::{AnyOf, Rule, Window};
use super::v2::{Participant, currency, over_time};
use super::{Verdict, judge};
use crate::deed::Deed;
use crate::flight::Flight;
use crate::rows::flights;

impl Deed<'_, '_> {
    /// What the policy says of a transaction.
    pub(crate) fn judged(
        &mut self,
        transaction: &Transaction,
        flight: &Flight,
    ) -> Result<Verdict, Fault> {
        let policy = self.policy()?;
        // A rule that cannot be read never got into force.
        let rules: Vec<Option<Rule>> = policy
            .active
            .rules
            .iter()
            .map(|written| written.read().ok().flatten())
            .collect();
        let roster = self.roster()?;
        let mut verdict = None;
        for mut asked in Asked::all(transaction) {
            if asked.destination.address.is_empty() {
                asked
                    .destination
                    .address
                    .clone_from(&flight.destination_address);
            }
            if rules.iter().flatten().any(Rule::asks_for_tags) {
                self.tag(&mut asked)?;
            }
            let own = judge(&rules, &roster, &asked, |rule, window, asked| {
                self.before(rule, window, asked, transaction.created_at)
            })?;
            verdict = Some(match verdict {
                None => own,
                Some(others) => Verdict::and(others, own),
            });
        }
        Ok(verdict.unwrap_or(Verdict::Blocked { rule: None }))
    }

    fn roster(&mut self) -> Result<Roster, Fault> {
        let users = self.hall.books.users(&Scope::whole(self.hall.id()));
        Ok(roster(users, self.all_kept()?))
    }

    /// What was asked for in a window that ends with what is asked for now.
    fn before(
        &mut self,
        rule: &Rule,
        window: &Window,
        asked: &Asked,
        now: Millis,
    ) -> Result<Vec<Asked>, Fault> {
        let same = |matches: Matches, place: &Place| {
            let id = (matches == Matches::PerSingleMatch && !place.id.is_empty())
                .then(|| place.id.clone());
            id.map(|id| (place.peer, id))
        };
        let ids: &[String] = match &rule.assets.ids {
            AnyOf::All => &[],
            AnyOf::These(ids) => ids,
        };
        let look_back = LookBack {
            after: now.plus(-1_000 * i64::from(window.seconds)),
            before: now,
            source: same(window.sources, &asked.source),
            destination: same(window.destinations, &asked.destination),
            assets: ids
                .iter()
                .filter_map(|id| id.parse::<AssetId>().ok())
                .collect(),
        };
        let found = self.batch.look_back(self.writing, &look_back)?;
        let mut all: Vec<Asked> = found.iter().flat_map(Asked::all).collect();
        for one in &mut all {
            // Shown once it is on the chain; until then its flight knows.
            if one.is_one_time() && one.destination.address.is_empty() {
                one.destination.address = self.address_under_way(one.id)?;
            }
            if rule.asks_for_tags() {
                self.tag(one)?;
            }
        }
        Ok(all)
    }

    fn address_under_way(&mut self, id: TxId) -> Result<String, Fault> {
        let kept = flights::one(self.writing, self.hall.id(), id)?;
        let read = kept.and_then(|text| serde_json::from_str::<Flight>(&text).ok());
        Ok(read
            .map(|flight| flight.destination_address)
            .unwrap_or_default())
    }

    /// The tags of both its places.
    fn tag(&mut self, asked: &mut Asked) -> Result<(), Fault> {
        for place in [&mut asked.source, &mut asked.destination] {
            if let (PeerKind::VaultAccount, Ok(id)) = (place.peer, place.id.parse()) {
                let account = self.batch.account(self.writing, id)?;
                let tags = account.map(|account| account.tags).unwrap_or_default();
                place.tags = tags.into_iter().map(|tag| tag.id.to_string()).collect();
            }
        }
        Ok(())
    }
}

/// What the window of a rule in force has counted; nothing if there is no such rule.
pub(crate) fn quota(deed: &mut Deed<'_, '_>, wanted: &Wanted) -> Result<Quota, Fault> {
    let policy = deed.policy()?;
    let Some(written) = policy
        .active
        .rules
        .iter()
        .find(|rule| rule.id == wanted.rule)
    else {
        return Ok(Quota::NoRule);
    };
    let Ok(Some(rule)) = written.read() else {
        return Ok(Quota::NoWindow);
    };
    let Some(window) = &rule.window else {
        return Ok(Quota::NoWindow);
    };
    let each = |matches: Matches| matches == Matches::PerSingleMatch;
    let missing = [
        (window.initiators, wanted.initiator.is_none(), "initiator"),
        (window.sources, wanted.source.is_none(), "source"),
        (
            window.destinations,
            wanted.destination.is_none(),
            "destination",
        ),
    ];
    if let Some((_, _, name)) = missing.into_iter().find(|(m, none, _)| each(*m) && *none) {
        return Ok(Quota::Missing(name));
    }
    let place = |participant: &Option<Participant>| {
        let mut place = Place::of(&Peer::UNKNOWN);
        if let Some(participant) = participant {
            place.peer = peer_kind(&participant.kind);
            place.id.clone_from(&participant.id);
        }
        place
    };
    let asked = Asked {
        id: TxId(uuid::Uuid::nil()),
        kind: rule.kinds.first().cloned().unwrap_or_default(),
        initiator: wanted.initiator.clone().unwrap_or_default(),
        asset: String::new(),
        is_nft: false,
        source: place(&wanted.source),
        destination: place(&wanted.destination),
        amount: None,
        usd: None,
        counts: false,
    };
    let roster = deed.roster()?;
    let now = deed.at;
    let before = deed.before(&rule, window, &asked, now)?;
    let (amount, count) = window
        .total(&rule, &roster, &asked, &before)
        .unwrap_or((Amount::zero(), 0));
    let end = now.seconds();
    Ok(Quota::Counted(json!({
        "amount": amount,
        "quotaConfig": over_time(window),
        "currency": currency(window.range.currency),
        "windowStart": end - i64::from(window.seconds),
        "windowEnd": end,
        "transactionCount": count,
    })))
}

/// The peer that a type of the policy's means.
fn peer_kind(kind: &str) -> PeerKind {
    match kind {
        "VAULT" => PeerKind::VaultAccount,
        "EXCHANGE" => PeerKind::ExchangeAccount,
        "INTERNAL" => PeerKind::InternalWallet,
        "EXTERNAL" | "UNMANAGED" => PeerKind::ExternalWallet,
        other => other.parse().unwrap_or(PeerKind::Unknown),
    }
}

/// Whose quota is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) rule: String,
    pub(crate) initiator: Option<String>,
    pub(crate) source: Option<Participant>,
    pub(crate) destination: Option<Participant>,
}

/// What a window has counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Quota {
    Counted(Value),
    NoRule,
    NoWindow,
    /// The window counts for each of these by itself.
    Missing(&'static str),
}
