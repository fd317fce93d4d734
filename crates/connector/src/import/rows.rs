//! One row of each export.

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change, Version};
use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::transaction::{
    AmountInfo, FeeInfo, Peer, PeerKind, Transaction, TransactionStatus,
};
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::time::Millis;

use super::table::{Columns, Row, Wrong};
use super::{ConsoleExport, Names, dates};

/// Columns without which a file is not that export.
const fn needed(export: ConsoleExport) -> &'static [&'static str] {
    match export {
        ConsoleExport::Accounts => &["Account ID", "Account Name", "Asset", "Total Balance"],
        ConsoleExport::Addresses => &["Account ID", "Asset", "Address"],
        ConsoleExport::Transactions => &[
            "Date",
            "Fireblocks TxId",
            "Status",
            "Asset",
            "Amount",
            "Source",
            "Destination",
        ],
    }
}

/// Columns that are used where they are there.
pub(super) const fn wanted(export: ConsoleExport) -> &'static [&'static str] {
    match export {
        ConsoleExport::Accounts => &[
            "Available Balance",
            "Pending Balance",
            "Frozen Balance",
            "Locked Balance",
            "Staked Balance",
        ],
        ConsoleExport::Addresses => &["Tag", "Description"],
        ConsoleExport::Transactions => &[
            "Source Type",
            "Source Address",
            "Destination Type",
            "Destination Address",
            "Network Fee",
            "Fee Asset",
            "Service Fee",
            "Note",
            "TxHash",
        ],
    }
}

/// Which export has these columns; else what each lacks.
pub(super) fn recognise(columns: &Columns) -> Result<ConsoleExport, String> {
    // The address export has accounts too: the more particular one first.
    let order = [
        ConsoleExport::Transactions,
        ConsoleExport::Accounts,
        ConsoleExport::Addresses,
    ];
    let lacks = |export| {
        needed(export)
            .iter()
            .copied()
            .filter(|name| !columns.has(name))
            .collect::<Vec<_>>()
    };
    order
        .into_iter()
        .find(|export| lacks(*export).is_empty())
        .ok_or_else(|| {
            let told = order.map(|export| format!("{} (as {export:?})", lacks(export).join(", ")));
            told.join("; ")
        })
}

/// What a row says; nothing where it has no id.
pub(super) fn read(
    export: ConsoleExport,
    row: &Row<'_>,
    names: &Names,
    exported_at: Millis,
) -> Result<Option<Vec<(Version, Change)>>, Wrong> {
    match export {
        ConsoleExport::Accounts => account(row, exported_at).map(Some),
        ConsoleExport::Addresses => address(row, exported_at).map(Some),
        ConsoleExport::Transactions if row.text("Fireblocks TxId").is_empty() => Ok(None),
        ConsoleExport::Transactions => transaction(row, names).map(Some),
    }
}

fn account(row: &Row<'_>, exported_at: Millis) -> Result<Vec<(Version, Change)>, Wrong> {
    let id: VaultAccountId = row.needed("Account ID")?;
    let facts = AccountFacts {
        id,
        name: row.text("Account Name").to_owned(),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: Vec::new(),
    };
    let version = Version::at(exported_at);
    let mut changes = vec![(version, Change::Account(facts))];
    // An account without wallets has a row too.
    if let Some(asset) = row.optional::<AssetId>("Asset")? {
        let total: Amount = row.needed("Total Balance")?;
        let mut balance = VaultAsset::empty(asset);
        balance.pending = row.optional("Pending Balance")?.unwrap_or_default();
        balance.frozen = row.optional("Frozen Balance")?.unwrap_or_default();
        balance.locked_amount = row.optional("Locked Balance")?.unwrap_or_default();
        balance.staked = row.optional("Staked Balance")?.unwrap_or_default();
        let held = [
            &balance.pending,
            &balance.frozen,
            &balance.locked_amount,
            &balance.staked,
        ];
        let rest = held
            .into_iter()
            .try_fold(total.clone(), |rest, part| rest.checked_sub(part));
        let available = row.optional("Available Balance")?.or(rest);
        balance.available = available.ok_or(Wrong {
            column: "Total Balance",
            why: "it has too many digits".to_owned(),
        })?;
        balance.balance = Some(total.clone());
        balance.total = total;
        changes.push((
            version,
            Change::Wallet(
                id,
                WalletFacts {
                    balance,
                    created_at: exported_at,
                },
            ),
        ));
    }
    Ok(changes)
}

fn address(row: &Row<'_>, exported_at: Millis) -> Result<Vec<(Version, Change)>, Wrong> {
    let id: VaultAccountId = row.needed("Account ID")?;
    let address = VaultWalletAddress {
        asset_id: row.needed("Asset")?,
        address: row.needed("Address")?,
        description: row.text("Description").to_owned(),
        tag: row.text("Tag").to_owned(),
        kind: String::new(),
        customer_ref_id: None,
        address_format: None,
        legacy_address: String::new(),
        enterprise_address: String::new(),
        bip44_address_index: 0,
        user_defined: false,
    };
    Ok(vec![(
        Version::at(exported_at),
        Change::Address(id, address),
    )])
}

fn transaction(row: &Row<'_>, names: &Names) -> Result<Vec<(Version, Change)>, Wrong> {
    let id: TxId = row.needed("Fireblocks TxId")?;
    let date = row.text("Date");
    let at = dates::read(date).ok_or_else(|| Wrong {
        column: "Date",
        why: format!("'{date}' is no date that is known here"),
    })?;
    let status: TransactionStatus = row.needed("Status")?;
    let amount: Amount = row.needed("Amount")?;
    let transaction = Transaction {
        status,
        note: row.text("Note").to_owned(),
        source: peer(row, "Source", "Source Type", names)?,
        destination: peer(row, "Destination", "Destination Type", names)?,
        source_address: row.text("Source Address").to_owned(),
        destination_address: row.text("Destination Address").to_owned(),
        amount_info: AmountInfo {
            amount: Some(amount),
            ..AmountInfo::default()
        },
        fee_info: FeeInfo {
            network_fee: row.optional("Network Fee")?,
            service_fee: row.optional("Service Fee")?,
        },
        fee_currency: row.optional("Fee Asset")?,
        tx_hash: row.text("TxHash").to_owned(),
        ..Transaction::new(id, row.needed("Asset")?, at)
    };
    // The file does not say when the row last changed: whatever the API says of it is later.
    Ok(vec![(
        Version::at(at),
        Change::Transaction(Box::new(transaction), ledger::change::Origin::default()),
    )])
}

fn peer(row: &Row<'_>, column: &'static str, kind: &str, names: &Names) -> Result<Peer, Wrong> {
    let name = row.text(column);
    let word = row.text(kind).to_uppercase().replace(' ', "_");
    let kind = match word.as_str() {
        "VAULT" => PeerKind::VaultAccount,
        // Without a type, a name that one account has is that account's.
        "" if names.id(name).is_ok() => PeerKind::VaultAccount,
        word => word.parse().unwrap_or(PeerKind::Unknown),
    };
    let id = match kind {
        PeerKind::VaultAccount => Some(
            names
                .id(name)
                .map_err(|why| Wrong { column, why })?
                .to_string(),
        ),
        _ => None,
    };
    Ok(Peer {
        kind,
        id,
        name: name.to_owned(),
        sub_type: String::new(),
    })
}
