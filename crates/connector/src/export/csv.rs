//! CSV: a header row, then a row a thing. Times are ISO 8601 in UTC.

use ::csv::{Terminator, WriterBuilder};
use protocol::time::Millis;

use super::{Holdings, guard};

/// Balances, one row a wallet.
pub(super) fn balances(holdings: &Holdings) -> String {
    let header = [
        "vault_account_id",
        "vault_account_name",
        "asset",
        "total",
        "available",
        "pending",
        "frozen",
        "locked",
        "staked",
    ];
    let wallets = holdings
        .accounts
        .iter()
        .flat_map(|account| account.assets.iter().map(move |wallet| (account, wallet)));
    table(
        header,
        wallets.map(|(account, wallet)| {
            [
                account.id.to_string(),
                text(&account.name),
                wallet.id.to_string(),
                wallet.total.to_string(),
                wallet.available.to_string(),
                wallet.pending.to_string(),
                wallet.frozen.to_string(),
                wallet.locked_amount.to_string(),
                wallet.staked.to_string(),
            ]
        }),
    )
}

/// Deposit addresses, one row each.
pub(super) fn addresses(holdings: &Holdings) -> String {
    let header = [
        "vault_account_id",
        "asset",
        "address",
        "tag",
        "description",
        "type",
        "format",
    ];
    table(
        header,
        holdings.addresses.iter().map(|(account, address)| {
            [
                account.to_string(),
                address.asset_id.to_string(),
                text(&address.address),
                text(&address.tag),
                text(&address.description),
                text(&address.kind),
                text(address.address_format.as_deref().unwrap_or_default()),
            ]
        }),
    )
}

/// Transactions, one row each, oldest first.
pub(super) fn transactions(holdings: &Holdings) -> String {
    let header = [
        "id",
        "created_at",
        "last_updated",
        "status",
        "sub_status",
        "operation",
        "asset",
        "amount",
        "network_fee",
        "fee_asset",
        "source_type",
        "source_id",
        "source_name",
        "source_address",
        "destination_type",
        "destination_id",
        "destination_name",
        "destination_address",
        "destination_tag",
        "tx_hash",
        "note",
    ];
    let mut rows: Vec<_> = holdings.transactions.iter().collect();
    rows.sort_by_key(|transaction| (transaction.created_at, transaction.id));
    table(
        header,
        rows.into_iter().map(|t| {
            let amount = |amount: &Option<protocol::amount::Amount>| {
                amount.as_ref().map(ToString::to_string).unwrap_or_default()
            };
            [
                t.id.to_string(),
                iso(t.created_at),
                iso(t.last_updated),
                t.status.to_string(),
                text(&t.sub_status),
                text(&t.operation),
                t.asset_id.to_string(),
                amount(&t.amount_info.amount),
                amount(&t.fee_info.network_fee),
                t.fee_currency
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                t.source.kind.as_str().to_owned(),
                text(t.source.id.as_deref().unwrap_or_default()),
                text(&t.source.name),
                text(&t.source_address),
                t.destination.kind.as_str().to_owned(),
                text(t.destination.id.as_deref().unwrap_or_default()),
                text(&t.destination.name),
                text(&t.destination_address),
                text(&t.destination_tag),
                text(&t.tx_hash),
                text(&t.note),
            ]
        }),
    )
}

fn text(text: &str) -> String {
    guard(text).into_owned()
}

pub(super) fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or_default()
        .to_string()
}

fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing to memory cannot fail, and every row is as long as the header.
    let written = writer.write_record(header).and_then(|()| {
        let mut rows = rows;
        rows.try_for_each(|row| writer.write_record(row))
    });
    debug_assert!(written.is_ok(), "memory takes every row");
    writer
        .into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}
