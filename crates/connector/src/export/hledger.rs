//! hledger's journal. Commodities are the asset ids, quoted, so none needs another name; amounts
//! are exact at any length. Accounts and commodities are declared: `hledger check --strict` holds.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::beancount::day;
use super::postings::{Account, Journal, journal};
use super::{ExportError, Holdings};

/// The whole books.
pub(super) fn print(holdings: &Holdings) -> Result<String, ExportError> {
    let journal = journal(holdings)?;
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
        "; {} (workspace {})",
        holdings.client, holdings.workspace
    )?;
    writeln!(out, "decimal-mark .\n")?;
    for asset in journal.assets() {
        // The number of places only says how amounts are shown.
        writeln!(
            out,
            "commodity 1000.{} \"{asset}\"",
            "0".repeat(places(journal, asset.as_str()))
        )?;
    }
    writeln!(out)?;
    for account in journal.accounts() {
        let name = match &account {
            Account::Vault(id) => names.get(id).copied().unwrap_or_default(),
            _ => "",
        };
        let comment = if name.is_empty() {
            String::new()
        } else {
            format!("  ; {}", plain(name))
        };
        writeln!(out, "account {}{comment}", account_name(&account))?;
    }
    for entry in &journal.entries {
        let code = entry
            .transaction
            .map_or_else(|| "opening".to_owned(), |id| id.to_string());
        write!(out, "\n{} * ({code}) {}", day(entry.at), plain(&entry.text))?;
        writeln!(out)?;
        if !entry.hash.is_empty() {
            writeln!(out, "    ; hash: {}", plain(&entry.hash))?;
        }
        for posting in &entry.postings {
            writeln!(
                out,
                "    {}  {} \"{}\"",
                account_name(&posting.account),
                posting.amount,
                posting.asset
            )?;
        }
    }
    if !journal.closing.is_empty() {
        writeln!(
            out,
            "\n{} * (closing) The balances that the books hold",
            day(journal.closes)
        )?;
        for ((id, asset), amount) in &journal.closing {
            writeln!(
                out,
                "    {}  0 \"{asset}\" = {amount} \"{asset}\"",
                account_name(&Account::Vault(*id))
            )?;
        }
    }
    Ok(())
}

fn places(journal: &Journal, asset: &str) -> usize {
    let posted = journal.entries.iter().flat_map(|entry| &entry.postings);
    let amounts = posted
        .filter(|posting| posting.asset.as_str() == asset)
        .map(|posting| &posting.amount);
    let closing = journal
        .closing
        .iter()
        .filter(|((_, of), _)| of.as_str() == asset)
        .map(|(_, amount)| amount);
    let most = amounts
        .chain(closing)
        .map(protocol::amount::Amount::decimals)
        .max()
        .unwrap_or(0);
    usize::try_from(most).unwrap_or(0)
}

/// One name an account, for ever the same.
fn account_name(account: &Account) -> String {
    match account {
        Account::Vault(id) => format!("assets:vault:{id}"),
        Account::NetworkFees => "expenses:network fees".to_owned(),
        Account::Opening => "equity:opening balances".to_owned(),
        Account::Outside(kind, id) => {
            let kind = kind.as_str().to_lowercase().replace('_', " ");
            match id.as_deref() {
                Some(id) => format!("equity:{kind}:{}", component(id)),
                None => format!("equity:{kind}"),
            }
        }
    }
}

/// An id as a component of an account's name: what could mean something there is written in hex.
fn component(id: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || c == '-';
    id.chars().fold(String::new(), |mut name, c| {
        if kept(c) {
            name.push(c);
        } else {
            let _ = write!(name, "_{:x}_", u32::from(c));
        }
        name
    })
}

/// Words in a line: nothing in them begins a comment, a note or another line.
fn plain(text: &str) -> String {
    let words = text.chars().map(|c| match c {
        ';' | '|' => ',',
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => ' ',
        c => c,
    });
    words.collect::<String>().trim().to_owned()
}
