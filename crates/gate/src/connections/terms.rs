//! What a connection may do, and whether a change of it narrows or widens. Pure.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use ipnet::IpNet;
use ledger::{AssetFilter, Directions, PartScope, Shown};
use protocol::certificate::SpkiPin;
use protocol::ids::{UserId, VaultAccountId};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::{BudgetName, Budgets, Connection, Followed, Mode, Place};
use crate::mail::MailAddress;

/// All of a connection that says what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How it works with the workspace.
    #[serde(default)]
    pub mode: Mode,
    /// What it may do.
    pub role: ProviderRole,
    /// Where it may come from.
    pub addresses: Vec<IpNet>,
    /// Why a wide range among them is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses_reason: Option<String>,
    /// The key of the client certificate that it must show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SpkiPin>,
    /// What it may see.
    pub part: PartScope,
    /// Accounts that come and go with protected tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
    /// Whether what the books do not hold is asked upstream for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forward: bool,
    /// How much it may use.
    #[serde(default, skip_serializing_if = "Budgets::are_usual")]
    pub budgets: Budgets,
    /// Where its transactions are approved.
    pub place: Place,
    /// The API user upstream that proposes for it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor: Option<UserId>,
    /// When it ends.
    pub until: Millis,
    /// Who of the provider's is written to before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<MailAddress>,
}

/// What a change of terms is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Nothing that could not be done before can be done after: one operator may.
    Narrows,
    /// Something can: the quorum decides.
    Widens,
}

impl Terms {
    /// A connection's.
    pub fn of(connection: &Connection) -> Self {
        Self {
            mode: connection.mode,
            role: connection.role,
            addresses: connection.addresses.clone(),
            addresses_reason: connection.addresses_reason.clone(),
            client_certificate: connection.client_certificate,
            part: connection.part.clone(),
            followed: connection.followed.clone(),
            forward: connection.forward,
            budgets: connection.budgets,
            place: connection.place,
            editor: connection.editor,
            until: connection.until,
            contact: connection.contact.clone(),
        }
    }

    /// Names them: equal terms have equal digests, hex.
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        hex::encode(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// The connection under these terms.
    pub fn put(self, connection: &mut Connection) {
        let Self {
            mode,
            role,
            addresses,
            addresses_reason,
            client_certificate,
            part,
            followed,
            forward,
            budgets,
            place,
            editor,
            until,
            contact,
        } = self;
        connection.mode = mode;
        connection.role = role;
        connection.addresses = addresses;
        connection.addresses_reason = addresses_reason;
        connection.client_certificate = client_certificate;
        connection.part = part;
        connection.followed = followed;
        connection.forward = forward;
        connection.budgets = budgets;
        connection.place = place;
        connection.editor = editor;
        connection.until = until;
        connection.contact = contact;
    }
}

/// Whether a change narrows in every dimension, or widens in one. A new dimension does not compile
/// until somebody says here what its widening is.
pub fn classify(before: &Terms, after: &Terms) -> Direction {
    let Terms {
        mode,
        role,
        addresses,
        // Words for people: the range that they explain is what counts.
        addresses_reason: _,
        client_certificate,
        part,
        followed: _,
        forward,
        budgets,
        place,
        editor,
        until,
        // Who hears of the end decides nothing.
        contact: _,
    } = after;
    let within = mode_within(*mode, before.mode)
        && role_within(*role, before.role)
        && addresses_within(addresses, &before.addresses)
        // Who need not show any may show any; the holder of another key is somebody else.
        && (before.client_certificate.is_none() || *client_certificate == before.client_certificate)
        && part_within(part, &before.part)
        && follows_within(after, before)
        && (before.forward || !forward)
        && budgets.within(&before.budgets)
        && place_within(*place, before.place)
        // The workspace's policy may let one API user do what it keeps another from.
        && *editor == before.editor
        && *until <= before.until;
    if within {
        Direction::Narrows
    } else {
        Direction::Widens
    }
}

fn mode_within(after: Mode, before: Mode) -> bool {
    // A key straight at Fireblocks and one at the gate reach different things.
    after == before || (before, after) == (Mode::Guarded, Mode::Fed)
}

fn role_within(after: ProviderRole, before: ProviderRole) -> bool {
    match (before, after) {
        (ProviderRole::Editor, _) | (_, ProviderRole::Viewer) => true,
        (ProviderRole::Viewer, ProviderRole::Editor) => false,
    }
}

fn place_within(after: Place, before: Place) -> bool {
    match (before, after) {
        (Place::Fireblocks, _) | (_, Place::Gate) => true,
        (Place::Gate, Place::Fireblocks) => false,
    }
}

fn addresses_within(after: &[IpNet], before: &[IpNet]) -> bool {
    let union = IpNet::aggregate(&before.to_vec());
    after
        .iter()
        .all(|net| union.iter().any(|known| known.contains(net)))
}

fn part_within(after: &PartScope, before: &PartScope) -> bool {
    let PartScope {
        accounts,
        assets,
        whitelists,
        history_from,
        exchange_accounts,
        fiat_accounts,
        directions,
        shown,
        only_of,
    } = after;
    let same_wallets = *accounts == before.accounts && *assets == before.assets;
    accounts.is_subset(&before.accounts)
        && assets_within(assets, &before.assets)
        // A transaction within the scope comes in from outside when one of its accounts has left:
        // where a way is hidden, fewer wallets may show more.
        && (before.directions.all() || same_wallets)
        && whitelists.is_subset(&before.whitelists)
        && exchange_accounts.is_subset(&before.exchange_accounts)
        && fiat_accounts.is_subset(&before.fiat_accounts)
        && directions_within(*directions, before.directions)
        && shown_within(*shown, before.shown)
        && (before.only_of.is_none() || *only_of == before.only_of)
        && match (before.history_from, history_from) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(before), Some(after)) => *after >= before,
        }
}

fn directions_within(after: Directions, before: Directions) -> bool {
    let Directions {
        incoming,
        outgoing,
        internal,
    } = after;
    (before.incoming || !incoming)
        && (before.outgoing || !outgoing)
        && (before.internal || !internal)
}

fn shown_within(after: Shown, before: Shown) -> bool {
    let Shown { usd, notes, users } = after;
    (before.usd || !usd) && (before.notes || !notes) && (before.users || !users)
}

/// Whatever the accounts are tagged with tomorrow: what follows nothing has its accounts for good.
fn follows_within(after: &Terms, before: &Terms) -> bool {
    let none = BTreeSet::new();
    let tags = |terms: &Terms| -> BTreeSet<String> {
        let followed = terms.followed.as_ref();
        followed.map_or(&none, |it| &it.tags).clone()
    };
    tags(after).is_subset(&tags(before)) && for_good(after).is_subset(for_good(before))
}

/// The accounts in scope that no tag takes out of it.
fn for_good(terms: &Terms) -> &BTreeSet<VaultAccountId> {
    let followed = terms.followed.as_ref();
    followed.map_or(&terms.part.accounts, |it| &it.fixed)
}

fn assets_within(after: &AssetFilter, before: &AssetFilter) -> bool {
    match (before, after) {
        (AssetFilter::All, _) => true,
        (AssetFilter::Only(_), AssetFilter::All) => false,
        (AssetFilter::Only(before), AssetFilter::Only(after)) => after.is_subset(before),
    }
}

/// In which dimensions two differ, in words: before and after.
pub fn differences(before: &Terms, after: &Terms) -> Vec<(&'static str, String, String)> {
    let of = |terms: &Terms| {
        let budget = |name: BudgetName| (name.as_str(), terms.budgets.of(name).to_string());
        let words = [
            ("mode", terms.mode.as_str().to_owned()),
            ("role", terms.role.to_string()),
            ("addresses", joined(&terms.addresses)),
            (
                "addresses_reason",
                terms.addresses_reason.clone().unwrap_or_default(),
            ),
            (
                "client_certificate",
                terms
                    .client_certificate
                    .map_or_else(|| "none".to_owned(), |pin| pin.to_string()),
            ),
            ("accounts", joined(&terms.part.accounts)),
            ("assets", assets_words(&terms.part.assets)),
            ("whitelists", joined(&terms.part.whitelists)),
            (
                "history_from",
                terms
                    .part
                    .history_from
                    .map_or_else(|| "the beginning".to_owned(), |at| at.to_string()),
            ),
            ("exchange_accounts", joined(&terms.part.exchange_accounts)),
            ("fiat_accounts", joined(&terms.part.fiat_accounts)),
            ("directions", directions_words(terms.part.directions)),
            ("shown", shown_words(terms.part.shown)),
            (
                "only_of",
                terms
                    .part
                    .only_of
                    .clone()
                    .unwrap_or_else(|| "anybody".to_owned()),
            ),
            ("followed", followed_words(terms.followed.as_ref())),
            ("forward", terms.forward.to_string()),
            ("place", terms.place.as_str().to_owned()),
            (
                "editor",
                terms
                    .editor
                    .map_or_else(|| "the gate's".to_owned(), |id| id.to_string()),
            ),
            ("until", terms.until.to_string()),
            (
                "contact",
                terms
                    .contact
                    .as_ref()
                    .map_or_else(|| "nobody".to_owned(), ToString::to_string),
            ),
        ];
        words.into_iter().chain(BudgetName::ALL.map(budget))
    };
    of(before)
        .zip(of(after))
        .filter(|(before, after)| before != after)
        .map(|((what, before), (_, after))| (what, before, after))
        .collect()
}

fn assets_words(assets: &AssetFilter) -> String {
    match assets {
        AssetFilter::All => "all".to_owned(),
        AssetFilter::Only(assets) => joined(assets),
    }
}

/// The words of what is so.
fn words<const N: usize>(all: [(&str, bool); N]) -> String {
    let so = all.into_iter().filter(|(_, so)| *so);
    so.map(|(word, _)| word).collect::<Vec<_>>().join(", ")
}

fn directions_words(ways: Directions) -> String {
    words([
        ("incoming", ways.incoming),
        ("outgoing", ways.outgoing),
        ("internal", ways.internal),
    ])
}

fn shown_words(shown: Shown) -> String {
    words([
        ("usd", shown.usd),
        ("notes", shown.notes),
        ("users", shown.users),
    ])
}

fn followed_words(followed: Option<&Followed>) -> String {
    followed.map_or_else(String::new, |it| {
        format!(
            "tags {}; accounts for good {}",
            joined(&it.tags),
            joined(&it.fixed)
        )
    })
}

fn joined<'a, T: ToString + 'a>(items: impl IntoIterator<Item = &'a T>) -> String {
    let texts: BTreeSet<_> = items.into_iter().map(ToString::to_string).collect();
    texts.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod tests;
