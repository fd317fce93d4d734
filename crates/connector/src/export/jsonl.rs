//! JSON lines: first what it is, then one object a line, in the wire's own shapes.

use serde::Serialize;
use serde_json::json;

use super::Holdings;

/// The whole books.
pub(super) fn print(holdings: &Holdings) -> String {
    let mut text = String::new();
    let mut line = |kind: &str, value: serde_json::Value| {
        text.push_str(&json!({"kind": kind, "value": value}).to_string());
        text.push('\n');
    };
    line(
        "books",
        json!({
            "client": holdings.client, "workspaceId": holdings.workspace, "asOf": holdings.as_of,
        }),
    );
    for account in &holdings.accounts {
        line("account", value(account));
    }
    for (account, address) in &holdings.addresses {
        line(
            "address",
            json!({"vaultAccountId": account, "address": value(address)}),
        );
    }
    let mut rows: Vec<_> = holdings.transactions.iter().collect();
    rows.sort_by_key(|transaction| (transaction.created_at, transaction.id));
    for transaction in rows {
        line("transaction", value(transaction));
    }
    text
}

fn value(of: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default()
}
