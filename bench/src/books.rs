//! Made-up transactions, as a report and as webhooks tell them.

use ledger::change::Origin;
use ledger::{Change, Version};
use protocol::ids::WorkspaceId;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use serde_json::{Value, json};
use uuid::Uuid;

/// Whose.
pub(crate) const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
/// When the first was made.
pub(crate) const SINCE: Millis = Millis(1_760_000_000_000);
/// Vault accounts that they are between.
const ACCOUNTS: u32 = 50;
/// Their assets.
const ASSETS: [&str; 4] = ["BTC", "ETH", "SOL", "USDC"];

/// The transaction of a number, as Fireblocks prints it. A minute apart from each other.
pub(crate) fn transaction(number: u32) -> Value {
    // Random, as Fireblocks' ids are: what is stored by id comes in no order.
    let id = Uuid::new_v4();
    let asset = usize::try_from(number).unwrap_or(0) % ASSETS.len();
    let at = SINCE.plus(i64::from(number) * Millis::MINUTE).0;
    let account = |number: u32| {
        let id = number % ACCOUNTS;
        json!({"type": "VAULT_ACCOUNT", "id": id.to_string(), "name": format!("Account {id}")})
    };
    json!({
        "id": id, "status": "COMPLETED", "subStatus": "CONFIRMED", "operation": "TRANSFER",
        "assetId": ASSETS.get(asset), "assetType": "BASE_ASSET", "note": "monthly settlement",
        "source": account(number), "destination": account(number / 7 + 1),
        "sourceAddress": format!("0x{:040x}", number), "destinationAddress": format!("0x{:040x}", number + 1),
        "amountInfo": {"amount": format!("{}.25", number % 1_000), "requestedAmount": format!("{}.25", number % 1_000),
            "netAmount": format!("{}.25", number % 1_000), "amountUSD": "1234.5"},
        "feeInfo": {"networkFee": "0.00021"}, "feeCurrency": ASSETS.get(asset),
        "txHash": format!("0x{:064x}", id.as_u128()), "numOfConfirmations": 3,
        "createdAt": at, "lastUpdated": at + 90_000, "createdBy": Uuid::from_u128(3),
    })
}

/// The same as a change of the books.
pub(crate) fn change(number: u32) -> anyhow::Result<(Version, Change)> {
    let transaction: Transaction = serde_json::from_value(transaction(number))?;
    let version = Version::of_transaction(&transaction);
    Ok((
        version,
        Change::Transaction(Box::new(transaction), Origin::default()),
    ))
}
