//! A workspace that holds nothing but what is in scope, made from the plan of one that holds more. The
//! rules of `docs/gate-access.md`, written once more: what is taken over is named field by field.

use std::collections::BTreeSet;

use ledger::change::WalletFacts;
use ledger::{AccountFacts, AssetFilter, Change, PartScope, Version};
use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::asset::AssetNote;
use protocol::model::transaction::{
    AmountInfo, DestinationPart, FeeInfo, Peer, PeerKind, Transaction, TransactionStatus,
};
use protocol::model::vault::VaultAsset;
use protocol::time::Millis;
use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

/// Who reads.
pub(super) const READER: &str = "acme";
/// Tokens that the workspace registered itself.
const TOKENS: u8 = 8;

/// Some transactions were proposed, by the reader and by somebody else.
pub(super) fn propose_some(plan: &mut [(Version, Change)], random: &mut StdRng) {
    for (number, (_, change)) in plan.iter_mut().enumerate() {
        if let Change::Transaction(transaction, origin) = change {
            let proposer = match random.random_range(0..4) {
                0 => Some(READER),
                1 => Some("somebody"),
                _ => None,
            };
            origin.proposer = proposer.map(str::to_owned);
            transaction.note = format!("note {number}");
            if proposer.is_some() {
                transaction.external_tx_id = Some(format!("external-{number}"));
                transaction.customer_ref_id = Some(format!("customer-{number}"));
            }
        }
    }
}

/// People wrote on accounts, addresses, whitelists and assets.
pub(super) fn write_on_some(plan: &mut [(Version, Change)], random: &mut StdRng) {
    for (number, (_, change)) in plan.iter_mut().enumerate() {
        if random.random_bool(0.5) {
            continue;
        }
        let reference = Some(format!("customer-{number}"));
        match change {
            Change::Account(facts) => facts.customer_ref_id = reference,
            Change::Address(_, address) => {
                address.description = format!("label {number}");
                address.customer_ref_id = reference;
            }
            Change::Whitelist(_, wallet) => wallet.customer_ref_id = reference,
            Change::Asset(_, asset) => {
                asset.metadata.note = Some(AssetNote {
                    text: format!("note {number}"),
                    user_id: "1".to_owned(),
                    user_name: "Somebody".to_owned(),
                    updated_at: "2026-01-01T00:00:00.000Z".to_owned(),
                });
            }
            _ => {}
        }
    }
}

/// Some transactions wait for a third party or ended there, and some go to several places; with many it
/// cannot be seen on the chain yet.
pub(super) fn divert_some(plan: &mut [(Version, Change)], random: &mut StdRng) {
    use TransactionStatus as S;
    let ends = [
        (S::Pending3rdParty, "3RD_PARTY_PROCESSING"),
        (
            S::Pending3rdPartyManualApproval,
            "PENDING_3RD_PARTY_MANUAL_APPROVAL",
        ),
        (S::Cancelled, "3RD_PARTY_REJECTED"),
        (S::Completed, "3RD_PARTY_COMPLETED"),
        (S::PendingSignature, ""),
    ];
    let vault = |number: u32| Peer {
        kind: PeerKind::VaultAccount,
        id: Some(number.to_string()),
        name: format!("Account {number}"),
        sub_type: String::new(),
    };
    for (version, change) in plan {
        let Change::Transaction(transaction, _) = change else {
            continue;
        };
        if random.random_bool(0.2) {
            let (status, why) = ends[random.random_range(0..ends.len())];
            transaction.status = status;
            transaction.sub_status = why.to_owned();
        }
        if random.random_bool(0.2) {
            let amount = |text: &str| text.parse::<Amount>().expect("an amount");
            let first = std::mem::replace(&mut transaction.destination, Peer::UNKNOWN);
            let others = [vault(1), vault(random.random_range(0..40))];
            let ends = std::iter::once(first).chain(others);
            let part = |(destination, text): (Peer, &str)| DestinationPart {
                amount: amount(text),
                destination,
                destination_address: "somewhere".to_owned(),
            };
            let parts = ends.zip(["0.0001", "0.0088", "3"]).map(part);
            transaction.destinations = parts.collect();
            transaction.amount_info.amount = Some(amount("3.0089"));
            transaction.amount_info.net_amount = Some(amount("3.0089"));
        }
        if random.random_bool(0.3) {
            transaction.tx_hash = String::new();
            transaction.nonce = Some("17".to_owned());
        }
        *version = Version::of_transaction(transaction);
    }
}

/// The workspace registered tokens of its own: some accounts have wallets of some.
pub(super) fn register_some(plan: &mut Vec<(Version, Change)>, random: &mut StdRng) {
    let listed = plan.iter().find_map(|(version, change)| match change {
        Change::Asset(supported, asset) => Some((*version, supported.clone(), asset.clone())),
        _ => None,
    });
    let (version, supported, asset) = listed.expect("an asset");
    let accounts: Vec<_> = plan
        .iter()
        .filter_map(|(_, change)| match change {
            Change::Account(facts) => Some(facts.id),
            _ => None,
        })
        .collect();
    for number in 0..TOKENS {
        let (mut supported, mut asset) = (supported.clone(), asset.clone());
        let id = format!("TKN{number}_ETH");
        supported.id = id.parse().expect("an asset");
        supported.name.clone_from(&id);
        asset.legacy_id = supported.id.clone();
        asset.id = Uuid::from_u128(0x70c0 + u128::from(number));
        asset.display_symbol = format!("TKN{number}");
        asset.metadata.scope = "LOCAL".to_owned();
        let holders = accounts
            .iter()
            .filter(|_| number > 0 && random.random_bool(0.05));
        let wallets: Vec<_> = holders
            .map(|account| {
                let facts = WalletFacts {
                    balance: VaultAsset::empty(supported.id.clone()),
                    created_at: version.time,
                };
                (version, Change::Wallet(*account, facts))
            })
            .collect();
        plan.push((version, Change::Asset(supported, asset)));
        plan.extend(wallets);
    }
}

/// What of these is in scope, as its reader may see it.
pub(super) fn leave_out(plan: &[(Version, Change)], part: &PartScope) -> Vec<(Version, Change)> {
    let mut held = BTreeSet::new();
    for (_, change) in plan {
        if let Change::Wallet(account, facts) = change
            && part.accounts.contains(account)
        {
            held.insert(facts.balance.id.clone());
        }
    }
    let kept = plan
        .iter()
        .filter_map(|(version, change)| Some((*version, kept(change, part, &held)?)));
    kept.collect()
}

fn asset_in(part: &PartScope, asset: &AssetId) -> bool {
    match &part.assets {
        AssetFilter::All => true,
        AssetFilter::Only(assets) => assets.contains(asset),
    }
}

fn wallet_in(part: &PartScope, account: VaultAccountId, asset: &AssetId) -> bool {
    part.accounts.contains(&account) && asset_in(part, asset)
}

fn kept(change: &Change, part: &PartScope, held: &BTreeSet<AssetId>) -> Option<Change> {
    match change {
        Change::Account(facts) => part.accounts.contains(&facts.id).then(|| {
            let mut facts = facts.clone();
            facts.customer_ref_id = facts.customer_ref_id.filter(|_| part.shown.notes);
            Change::Account(facts)
        }),
        Change::Wallet(account, facts) => {
            wallet_in(part, *account, &facts.balance.id).then(|| change.clone())
        }
        Change::Address(account, address) => {
            wallet_in(part, *account, &address.asset_id).then(|| {
                let mut address = address.clone();
                if !part.shown.notes {
                    address.description = String::new();
                    address.customer_ref_id = None;
                }
                Change::Address(*account, address)
            })
        }
        Change::Whitelist(kind, wallet) => part.whitelists.contains(&wallet.id).then(|| {
            let mut wallet = wallet.clone();
            wallet.customer_ref_id = wallet.customer_ref_id.filter(|_| part.shown.notes);
            wallet.assets.retain(|asset| asset_in(part, &asset.id));
            Change::Whitelist(*kind, wallet)
        }),
        Change::Asset(supported, asset) => {
            let known = match &part.assets {
                _ if asset.metadata.scope == "GLOBAL" => true,
                AssetFilter::All => held.contains(&supported.id),
                AssetFilter::Only(assets) => assets.contains(&supported.id),
            };
            if !known {
                return None;
            }
            let mut asset = asset.clone();
            asset.metadata.note = None;
            Some(Change::Asset(supported.clone(), asset))
        }
        Change::Blockchain(_) => Some(change.clone()),
        Change::User(_) => None,
        Change::Transaction(transaction, origin) => {
            let own = origin.proposer.as_deref() == Some(READER);
            let seen = transaction_in(transaction, own, part)?;
            // The reader is nobody's proposer there: what is left is all there is.
            Some(Change::Transaction(
                Box::new(seen),
                ledger::change::Origin::default(),
            ))
        }
        Change::WhitelistRemoved(..) => panic!("a plan takes nothing away"),
    }
}

fn inside(peer: &Peer, asset: &AssetId, part: &PartScope) -> bool {
    let id = peer.id.as_deref().unwrap_or_default();
    peer.kind == PeerKind::VaultAccount
        && id
            .parse()
            .is_ok_and(|account| wallet_in(part, account, asset))
}

fn named(peer: &Peer, asset: &AssetId, part: &PartScope) -> bool {
    let id = peer.id.clone().unwrap_or_default();
    match peer.kind {
        PeerKind::VaultAccount => inside(peer, asset, part),
        PeerKind::InternalWallet | PeerKind::ExternalWallet | PeerKind::Contract => {
            id.parse().is_ok_and(|id| part.whitelists.contains(&id))
        }
        PeerKind::ExchangeAccount => part.exchange_accounts.contains(&id),
        PeerKind::FiatAccount => part.fiat_accounts.contains(&id),
        _ => false,
    }
}

/// How far it would be, and why, if it waited for no third party.
fn without_third_party(
    status: TransactionStatus,
    why: &str,
    on_chain: bool,
) -> (TransactionStatus, String) {
    use TransactionStatus as S;
    let status = match status {
        S::Pending3rdParty | S::Pending3rdPartyManualApproval if on_chain => S::Broadcasting,
        S::Pending3rdParty | S::Pending3rdPartyManualApproval => S::PendingSignature,
        status => status,
    };
    let why = match status {
        _ if !why.contains("3RD_PARTY") => why,
        S::Cancelled => "CANCELLED_BY_USER",
        S::Completed => "CONFIRMED",
        _ => "",
    };
    (status, why.to_owned())
}

pub(super) fn transaction_in(
    one: &Transaction,
    own: bool,
    part: &PartScope,
) -> Option<Transaction> {
    let asset = &one.asset_id;
    let mut ends: Vec<&Peer> = one
        .destinations
        .iter()
        .map(|part| &part.destination)
        .collect();
    if ends.is_empty() || one.destination != Peer::UNKNOWN {
        ends.push(&one.destination);
    }
    let from_here = inside(&one.source, asset, part);
    let to_here = ends.iter().filter(|end| inside(end, asset, part)).count();
    let hidden_way = [
        (!from_here && to_here > 0, part.directions.incoming),
        (from_here && to_here < ends.len(), part.directions.outgoing),
        (from_here && to_here > 0, part.directions.internal),
    ];
    if !(from_here || to_here > 0)
        || hidden_way.iter().any(|(goes, shown)| *goes && !shown)
        || part.history_from.is_some_and(|from| one.created_at < from)
        || (part.only_of.is_some() && !own)
    {
        return None;
    }
    let place = |peer: &Peer| {
        if named(peer, asset, part) {
            peer.clone()
        } else {
            Peer::UNKNOWN
        }
    };
    let on_chain = !one.tx_hash.is_empty();
    let address = |peer: &Peer, text: &String| {
        if on_chain || named(peer, asset, part) {
            text.clone()
        } else {
            String::new()
        }
    };
    let (source, destination) = (&one.source, &one.destination);
    let parts = one.destinations.iter();
    let all_named = named(source, asset, part)
        && named(destination, asset, part)
        && parts
            .clone()
            .all(|end| named(&end.destination, asset, part));
    let seen_parts: Vec<_> = parts
        .clone()
        .filter(|end| on_chain || named(&end.destination, asset, part))
        .collect();
    let source_named = named(source, asset, part);
    // What comes from elsewhere is what came here, until the chain tells of the rest.
    let only_some = !source_named && seen_parts.len() < one.destinations.len();
    let sum = seen_parts
        .iter()
        .try_fold(Amount::zero(), |sum, end| sum.checked_add(&end.amount));
    let sum = sum.filter(|_| !seen_parts.is_empty());
    let amount = |amount: &Option<Amount>| match amount {
        Some(_) if only_some => sum.clone(),
        amount => amount.clone(),
    };
    let (status, why) = if all_named {
        (one.status, one.sub_status.clone())
    } else {
        without_third_party(one.status, &one.sub_status, on_chain)
    };
    let (notes, users) = (own || part.shown.notes, part.shown.users);
    let where_named = |text: &String| {
        if all_named {
            text.clone()
        } else {
            String::new()
        }
    };
    let mut seen = Transaction::new(one.id, asset.clone(), one.created_at);
    seen.status = status;
    seen.sub_status = why;
    seen.operation.clone_from(&one.operation);
    seen.asset_type.clone_from(&one.asset_type);
    seen.source = place(source);
    seen.destination = place(destination);
    seen.source_address = address(source, &one.source_address);
    seen.destination_address = address(destination, &one.destination_address);
    seen.destination_tag = address(destination, &one.destination_tag);
    seen.destinations = seen_parts
        .iter()
        .map(|end| DestinationPart {
            amount: end.amount.clone(),
            destination: place(&end.destination),
            destination_address: address(&end.destination, &end.destination_address),
        })
        .collect();
    seen.amount_info = AmountInfo {
        amount: amount(&one.amount_info.amount),
        requested_amount: amount(&one.amount_info.requested_amount),
        net_amount: one.amount_info.net_amount.clone().filter(|_| !only_some),
        amount_usd: one
            .amount_info
            .amount_usd
            .clone()
            .filter(|_| part.shown.usd && !only_some),
    };
    seen.fee_info = FeeInfo {
        service_fee: one.fee_info.service_fee.clone().filter(|_| all_named),
        network_fee: one
            .fee_info
            .network_fee
            .clone()
            .filter(|_| on_chain || source_named),
    };
    seen.fee_currency.clone_from(&one.fee_currency);
    seen.tx_hash.clone_from(&one.tx_hash);
    seen.num_of_confirmations = one.num_of_confirmations;
    seen.block_info.clone_from(&one.block_info);
    seen.index = one.index;
    seen.nonce = one.nonce.clone().filter(|_| on_chain || source_named);
    seen.last_updated = one.last_updated;
    seen.treat_as_gross_amount = one.treat_as_gross_amount;
    seen.replaced_tx_hash.clone_from(&one.replaced_tx_hash);
    seen.address_type = where_named(&one.address_type);
    seen.exchange_tx_id = where_named(&one.exchange_tx_id);
    seen.error_description = where_named(&one.error_description);
    if users || own {
        seen.created_by.clone_from(&one.created_by);
    }
    if users {
        seen.signed_by.clone_from(&one.signed_by);
        seen.rejected_by.clone_from(&one.rejected_by);
        seen.authorization_info.clone_from(&one.authorization_info);
    }
    if notes {
        seen.note.clone_from(&one.note);
        seen.customer_ref_id.clone_from(&one.customer_ref_id);
    }
    if own {
        seen.external_tx_id.clone_from(&one.external_tx_id);
    }
    Some(seen)
}

/// Something of the plan becomes otherwise: the change, which the plan has from then on.
pub(super) fn change_one(plan: &mut [(Version, Change)], random: &mut StdRng) -> (Version, Change) {
    loop {
        let at = random.random_range(0..plan.len());
        let Some((version, change)) = plan.get_mut(at) else {
            continue;
        };
        let later = version.time.plus(1_000);
        match change {
            Change::Account(AccountFacts {
                name, hidden_on_ui, ..
            }) => {
                name.push_str(" II");
                *hidden_on_ui = !*hidden_on_ui;
            }
            Change::Wallet(_, facts) => {
                let more = random.random_range(0..10_000_u32).to_string();
                facts.balance.total = more.parse().expect("an amount");
                facts.balance.available = facts.balance.total.clone();
                facts.balance.balance = Some(facts.balance.total.clone());
            }
            Change::Whitelist(_, wallet) => wallet.name.push_str(" II"),
            Change::Transaction(transaction, _) => {
                transaction.last_updated = Millis(transaction.last_updated.0.max(later.0)).plus(1);
                transaction.num_of_confirmations += 1;
                transaction.status = TransactionStatus::Completed;
                *version = Version::of_transaction(transaction);
                return (*version, change.clone());
            }
            _ => continue,
        }
        *version = Version::at(later);
        return (*version, change.clone());
    }
}
