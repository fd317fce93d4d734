//! Rows for the books, and what a reader is told of them.

use std::collections::BTreeSet;

use ledger::change::{Origin, WalletFacts};
use ledger::reads::{Ask, answer};
use ledger::{AccountFacts, AssetFilter, Books, Change, PartScope, Scope, Version};
use protocol::exchange::{Params, Query};
use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::operations;
use protocol::time::Millis;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const NOW: Millis = Millis(1_790_000_000_000);

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId(Uuid::from_u128(7))
}

pub(crate) fn asset(name: &str) -> AssetId {
    name.parse().expect("an asset")
}

pub(crate) fn account(number: u32) -> (Version, Change) {
    let facts = AccountFacts {
        id: VaultAccountId::new(number),
        name: format!("Account {number}"),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: Vec::new(),
    };
    (Version::at(NOW), Change::Account(facts))
}

pub(crate) fn wallet(number: u32, name: &str, total: &str, time: i64) -> (Version, Change) {
    let amount: protocol::amount::Amount = total.parse().expect("an amount");
    let balance = VaultAsset {
        total: amount.clone(),
        available: amount.clone(),
        balance: Some(amount),
        ..VaultAsset::empty(asset(name))
    };
    (
        Version::at(Millis(time)),
        Change::Wallet(
            VaultAccountId::new(number),
            WalletFacts {
                balance,
                created_at: NOW,
            },
        ),
    )
}

pub(crate) fn address(number: u32, name: &str, text: &str) -> (Version, Change) {
    let address = json!({"assetId": name, "address": text});
    let address: VaultWalletAddress = serde_json::from_value(address).expect("an address");
    (
        Version::at(NOW),
        Change::Address(VaultAccountId::new(number), address),
    )
}

pub(crate) fn vault(number: u32) -> Value {
    json!({"type": "VAULT_ACCOUNT", "id": number.to_string(), "name": format!("Account {number}")})
}

pub(crate) fn transaction(
    id: u128,
    from: Value,
    to: Value,
    status: &str,
    updated: i64,
    confirmations: u32,
) -> (Version, Change) {
    let doc = json!({
        "id": Uuid::from_u128(id), "status": status, "assetId": "ETH", "source": from, "destination": to,
        "amountInfo": {"amount": "1"}, "feeInfo": {"networkFee": "0.01"}, "txHash": format!("0x{id:x}"), "note": "secret",
        "createdBy": "somebody", "numOfConfirmations": confirmations, "externalTxId": format!("theirs-{id}"),
        "createdAt": NOW.0 - i64::try_from(id % 97).expect("small") * 3_600_000, "lastUpdated": updated,
    });
    let transaction: Transaction = serde_json::from_value(doc).expect("a transaction");
    (
        Version::of_transaction(&transaction),
        Change::Transaction(Box::new(transaction), Origin::default()),
    )
}

pub(crate) fn part(accounts: &[u32], assets: AssetFilter) -> Scope {
    let accounts = accounts.iter().copied().map(VaultAccountId::new).collect();
    Scope::part(
        workspace(),
        PartScope {
            accounts,
            assets,
            whitelists: BTreeSet::new(),
            ..PartScope::default()
        },
    )
}

pub(crate) async fn read(
    books: &Books,
    scope: &Scope,
    id: &str,
    params: &[(&'static str, &str)],
    query: &str,
) -> (u16, Value, Option<String>) {
    read_beside(books, scope, id, params, query, &[]).await
}

pub(crate) async fn read_beside(
    books: &Books,
    scope: &Scope,
    id: &str,
    params: &[(&'static str, &str)],
    query: &str,
    beside: &[Transaction],
) -> (u16, Value, Option<String>) {
    let params: Params = params
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let query = Query::parse(query).expect("a query");
    let operation = operations::by_id(id).expect("an operation");
    let ask = Ask {
        books,
        scope,
        params: &params,
        query: &query,
        origin: "http://x",
        now: NOW.plus(1),
        beside,
        seal: None,
    };
    let reply = answer(operation, ask)
        .await
        .expect("served")
        .unwrap_or_else(Into::into);
    let next = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "next-page")
        .map(|(_, value)| value.clone());
    (
        reply.status,
        serde_json::from_slice(&reply.body).expect("JSON"),
        next,
    )
}

/// A small history: accounts, balances that change, transactions that walk their statuses.
pub(crate) fn history() -> Vec<(Version, Change)> {
    let mut changes = Vec::new();
    for number in 0..4 {
        changes.push(account(number));
        changes.push(address(number, "ETH", &format!("0x{number}")));
        for (step, total) in ["1", "2.5", "0.75"].into_iter().enumerate() {
            changes.push(wallet(
                number,
                "ETH",
                total,
                NOW.0 + i64::try_from(step).expect("small"),
            ));
            changes.push(wallet(
                number,
                "BTC",
                total,
                NOW.0 - i64::try_from(step).expect("small"),
            ));
        }
    }
    for id in 1..6 {
        let (from, to) = (
            vault(u32::try_from(id % 4).expect("small")),
            vault(u32::try_from((id + 1) % 4).expect("small")),
        );
        changes.push(transaction(
            id,
            from.clone(),
            to.clone(),
            "SUBMITTED",
            NOW.0,
            0,
        ));
        changes.push(transaction(
            id,
            from.clone(),
            to.clone(),
            "CONFIRMING",
            NOW.0 + 10,
            1,
        ));
        changes.push(transaction(
            id,
            from.clone(),
            to.clone(),
            "CONFIRMING",
            NOW.0 + 10,
            2,
        ));
        changes.push(transaction(id, from, to, "COMPLETED", NOW.0 + 10, 2));
    }
    changes
}

/// Everything that a reader can see, in one text.
pub(crate) async fn everything(books: &Books, scope: &Scope) -> String {
    let mut all = Vec::new();
    for (id, params) in [
        ("getPagedVaultAccounts", &[][..]),
        ("getVaultAssets", &[]),
        ("getAssetWallets", &[]),
        ("getTransactions", &[]),
        (
            "getVaultAccountAssetAddresses",
            &[("vaultAccountId", "1"), ("assetId", "ETH")],
        ),
    ] {
        all.push(read(books, scope, id, params, "").await.1.to_string());
    }
    all.join("\n")
}
