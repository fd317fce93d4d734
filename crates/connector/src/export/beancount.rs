//! Beancount (versions 2 and 3).
//!
//! Names: `Assets:Vault:12` by the account's number, so that a renamed account stays the same; its
//! name stands beside it as metadata. A commodity must begin with a capital letter, end with one or
//! a digit and have 2 to 24 characters: an asset id that does so is its own commodity; another is
//! written `X.` and its id (`X.1INCH`), or where that does not do, `X.H` and 16 hex digits of the
//! id's UUIDv5. Two assets never share a commodity, and the id stands beside it as metadata.
//!
//! Beancount computes with Python decimals of 28 significant digits: beyond that it would round, so
//! such books are refused.

use std::collections::BTreeMap;
use std::fmt::Write;

use protocol::amount::Amount;
use protocol::ids::AssetId;
use protocol::model::transaction::PeerKind;
use protocol::time::Millis;
use uuid::Uuid;

use super::postings::{Account, Journal, journal};
use super::{ExportError, Holdings};

/// What Beancount computes with.
pub(super) const MAX_DIGITS: usize = 28;
/// Longest commodity of version 2.
const MAX_COMMODITY: usize = 24;

/// The whole books.
pub(super) fn print(holdings: &Holdings) -> Result<String, ExportError> {
    let journal = journal(holdings)?;
    check_digits(&journal)?;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, holdings, &journal);
    Ok(text)
}

fn write(out: &mut String, holdings: &Holdings, journal: &Journal) -> std::fmt::Result {
    let names: BTreeMap<_, _> = holdings
        .accounts
        .iter()
        .map(|account| (account.id, account.name.as_str()))
        .collect();
    writeln!(
        out,
        "option \"title\" {}",
        quoted(&format!(
            "{} (workspace {})",
            holdings.client, holdings.workspace
        ))
    )?;
    writeln!(out)?;
    let begins = day(journal.begins);
    for asset in journal.assets() {
        writeln!(out, "{begins} commodity {}", commodity(&asset))?;
        writeln!(out, "  asset: {}", quoted(asset.as_str()))?;
    }
    writeln!(out)?;
    for account in journal.accounts() {
        writeln!(out, "{begins} open {}", account_name(&account))?;
        match &account {
            Account::Vault(id) => writeln!(
                out,
                "  name: {}",
                quoted(names.get(id).copied().unwrap_or_default())
            )?,
            Account::Outside(_, Some(id)) => writeln!(out, "  peer: {}", quoted(id))?,
            _ => {}
        }
    }
    for entry in &journal.entries {
        writeln!(out, "\n{} * {}", day(entry.at), quoted(&entry.text))?;
        if let Some(id) = entry.transaction {
            writeln!(out, "  transaction: \"{id}\"")?;
        }
        if !entry.hash.is_empty() {
            writeln!(out, "  hash: {}", quoted(&entry.hash))?;
        }
        for posting in &entry.postings {
            writeln!(
                out,
                "  {}  {} {}",
                account_name(&posting.account),
                posting.amount,
                commodity(&posting.asset)
            )?;
        }
    }
    writeln!(out)?;
    // An assertion holds at the beginning of its day; `~ 0`: Beancount would let the last digit differ.
    let closes = day(journal.closes.plus(Millis::DAY));
    for ((id, asset), amount) in &journal.closing {
        writeln!(
            out,
            "{closes} balance {}  {amount} ~ 0 {}",
            account_name(&Account::Vault(*id)),
            commodity(asset)
        )?;
    }
    Ok(())
}

fn check_digits(journal: &Journal) -> Result<(), ExportError> {
    let mut sums: BTreeMap<(Account, AssetId), Amount> = BTreeMap::new();
    let mut most: BTreeMap<AssetId, (usize, usize)> = BTreeMap::new();
    let mut see = |asset: &AssetId, amount: &Amount| {
        let text = amount.to_string();
        let (whole, part) = text
            .trim_start_matches('-')
            .split_once('.')
            .map_or((text.trim_start_matches('-').len(), 0), |(w, p)| {
                (w.len(), p.len())
            });
        let seen = most.entry(asset.clone()).or_default();
        *seen = (seen.0.max(whole), seen.1.max(part));
    };
    for posting in journal.entries.iter().flat_map(|entry| &entry.postings) {
        let sum = sums
            .entry((posting.account.clone(), posting.asset.clone()))
            .or_default();
        let too_large = super::PostingError::TooLarge {
            asset: posting.asset.clone(),
        };
        *sum = sum.checked_add(&posting.amount).ok_or(too_large)?;
        see(&posting.asset, &posting.amount);
        see(&posting.asset, sum);
    }
    journal
        .closing
        .iter()
        .for_each(|((_, asset), amount)| see(asset, amount));
    match most
        .into_iter()
        .find(|(_, (whole, part))| whole + part > MAX_DIGITS)
    {
        Some((asset, (whole, part))) => Err(ExportError::TooPrecise {
            asset,
            digits: whole + part,
        }),
        None => Ok(()),
    }
}

/// One name an account, for ever the same.
fn account_name(account: &Account) -> String {
    match account {
        Account::Vault(id) => format!("Assets:Vault:{id}"),
        Account::NetworkFees => "Expenses:Network-Fees".to_owned(),
        Account::Opening => "Equity:Opening-Balances".to_owned(),
        Account::Outside(kind, None) => format!("Equity:{}", kind_name(*kind)),
        Account::Outside(kind, Some(id)) => {
            format!("Equity:{}:{}", kind_name(*kind), component(id))
        }
    }
}

/// `EXTERNAL_WALLET` as `External-Wallet`.
fn kind_name(kind: PeerKind) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{first}{}", rest.to_lowercase())
    };
    kind.as_str()
        .split('_')
        .map(capital)
        .collect::<Vec<_>>()
        .join("-")
}

/// An id as a component of an account's name: capital letters, digits and dashes are kept; an id
/// that holds anything else becomes its UUIDv5. A UUID is spelled in capitals.
fn component(id: &str) -> String {
    if let Ok(uuid) = Uuid::try_parse(id) {
        return uuid.to_string().to_uppercase();
    }
    let kept = id
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if kept && !id.is_empty() {
        id.to_owned()
    } else {
        format!("X-{}", hash(id))
    }
}

/// What Beancount calls an asset.
fn commodity(asset: &AssetId) -> String {
    let id = asset.as_str();
    let plain = id.bytes().all(|byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.')
    });
    let ends_well = id.ends_with(|last: char| last.is_ascii_uppercase() || last.is_ascii_digit());
    let begins_well = id.starts_with(|first: char| first.is_ascii_uppercase());
    if plain
        && begins_well
        && ends_well
        && (2..=MAX_COMMODITY).contains(&id.len())
        && !id.starts_with("X.")
    {
        return id.to_owned();
    }
    if plain && ends_well && !begins_well && id.len() + 2 <= MAX_COMMODITY {
        return format!("X.{id}");
    }
    format!("X.H{}", hash(id))
}

/// 16 hex digits that stand for a text.
fn hash(text: &str) -> String {
    let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
        .simple()
        .to_string()
        .to_uppercase();
    name.get(16..).unwrap_or_default().to_owned()
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn day(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(id: &str) -> String {
        commodity(&id.parse().expect("an asset"))
    }

    #[test]
    fn an_id_that_beancount_refuses_gets_a_name_that_it_takes() {
        assert_eq!(of("USDC_ETH_TEST5_0GER"), "USDC_ETH_TEST5_0GER");
        assert_eq!(of("1INCH"), "X.1INCH");
        assert!(of("W").starts_with("X.H"));
        assert!(
            of("X.1INCH").starts_with("X.H"),
            "or two assets would share a commodity"
        );
    }

    proptest! {
        #[test]
        fn commodities_are_valid_and_never_shared(a in "[A-Za-z0-9_.-]{0,31}[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", b in "[.]{0,2}[X1Hh][X.1Hh]{0,2}") {
            for id in [&a, &b] {
                let name = of(id);
                prop_assert!((2..=MAX_COMMODITY).contains(&name.len()));
                prop_assert!(name.starts_with(|c: char| c.is_ascii_uppercase()));
                prop_assert!(name.ends_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()), "{}", name);
            }
            prop_assert_eq!(of(&a) == of(&b), a == b);
        }
    }
}
