//! What the stories share: a workspace, its events, its books.

use std::sync::Arc;

use ledger::{Books, Digest, Scope};
use protocol::ids::{AssetId, NotificationId, VaultAccountId, WorkspaceId};
use protocol::time::Millis;
use serde_json::{Value, json};
use store::Store;
use sync::Inbox;
use uuid::Uuid;
use wire::clock::ManualClock;
use wire::hooks_in::{Content, Inbox as _, Stored, VerifiedEvent};

pub const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
pub const NOW: Millis = Millis(1_790_000_000_000);

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

pub async fn books(store: &Store) -> Books {
    Books::open(store, WORKSPACE).await.expect("books")
}

pub fn inbox(store: &Store) -> Inbox {
    Inbox::new(store, WORKSPACE, "c", clock())
}

pub fn event(id: u128, kind: &str, at: i64, data: &Value) -> String {
    json!({"id": NotificationId(Uuid::from_u128(id)), "workspaceId": WORKSPACE, "webhookId": Uuid::from_u128(2),
        "eventType": kind, "createdAt": at, "data": data})
    .to_string()
}

pub fn balance(id: u128, at: i64, account: u32, total: &str) -> String {
    let data = json!({"vaultAccountId": account, "assetId": "ETH", "total": total, "pending": "0", "frozen": "0"});
    event(id, "vault_account.asset.balance_updated", at, &data)
}

pub fn added(id: u128, at: i64, account: u32) -> String {
    let data = json!({"accountId": account.to_string(), "accountName": "x", "assetId": "ETH"});
    event(id, "vault_account.asset.added", at, &data)
}

pub fn created(id: u128, at: i64, account: u32) -> String {
    let data =
        json!({"id": account.to_string(), "name": format!("Account {account}"), "assets": []});
    event(id, "vault_account.created", at, &data)
}

pub fn transaction(id: u128, status: &str, created: i64, updated: i64) -> Value {
    json!({"id": Uuid::from_u128(id), "status": status, "assetId": "ETH", "createdAt": created, "lastUpdated": updated,
        "source": {"type": "VAULT_ACCOUNT", "id": "1"}, "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
        "amountInfo": {"amount": "1"}})
}

pub fn moved(id: u128, status: &str, created: i64, updated: i64) -> String {
    let data = transaction(id, status, created, updated);
    event(
        id * 1_000 + u128::try_from(updated % 1_000).expect("small"),
        "transaction.status.updated",
        updated,
        &data,
    )
}

pub async fn post(inbox: &Inbox, body: &str) -> Stored {
    let content = match serde_json::from_str(body) {
        Ok(envelope) => Content::Understood(envelope),
        Err(error) => Content::Aside(error.to_string()),
    };
    let event = VerifiedEvent {
        body: body.to_owned().into(),
        content,
    };
    inbox.store(event).await.expect("stored")
}

pub async fn digest(books: &Books) -> Digest {
    books
        .digest(&Scope::whole(books.workspace()))
        .await
        .expect("a digest")
}

pub async fn total(books: &Books, account: u32) -> Option<String> {
    wallet(books, account).await.map(|(total, _)| total)
}

/// A wallet's total, and when it was made.
pub async fn wallet(books: &Books, account: u32) -> Option<(String, i64)> {
    let (asset, ages): (AssetId, _) = ("ETH".parse().expect("an asset"), Millis(i64::MAX));
    let facts = books
        .wallet_as_of(
            &Scope::whole(books.workspace()),
            VaultAccountId::new(account),
            &asset,
            ages,
            ages,
        )
        .await
        .expect("a read");
    facts.map(|facts| (facts.balance.total.to_string(), facts.created_at.0))
}
