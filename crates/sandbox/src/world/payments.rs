//! What a new workspace has paid to many, and how its payments flow.

use protocol::amount::Amount;
use protocol::time::Millis;
use serde_json::{Error, Value, json};

use super::assets::{self, AssetRow};
use super::beside::{Document, Ground};
use super::made::{Execution, Flow, Payout};
use super::{Network, units_of};

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let test = ground.network == Network::Testnet;
    let Some(asset) = assets::of_network(test).find(|asset| asset.id.starts_with("USDC")) else {
        return Ok(Vec::new());
    };
    let mut documents = Vec::new();
    for done in [true, false] {
        documents.push(Document::of(&Payout(payout(ground, asset, done)))?);
    }
    let (flow, operation) = (ground.chance.uuid(), ground.chance.uuid());
    let created = ground.now.plus(-12 * Millis::DAY);
    let transfer = json!({
        "operationId": operation,
        "type": "TRANSFER",
        "params": {
            "amount": amount(asset, 150_000),
            "assetId": asset.id,
            "source": {"accountId": "0", "accountType": "VAULT_ACCOUNT"},
            "destination": {"accountId": "15", "accountType": "VAULT_ACCOUNT"},
        },
    });
    let named = json!({
        "configId": flow,
        "configName": "To operations",
        "createdAt": created,
    });
    let mut configuration = named.clone();
    let mut ready = transfer.clone();
    ready["status"] = "READY_FOR_EXECUTION".into();
    configuration["status"] = "READY_FOR_EXECUTION".into();
    configuration["configOperations"] = json!([ready]);
    documents.push(Document::of(&Flow(configuration))?);
    let mut snapshot = named;
    snapshot["configOperations"] = json!([transfer]);
    let (began, ended) = (
        created.plus(Millis::HOUR),
        created.plus(Millis::HOUR + 90_000),
    );
    documents.push(Document::of(&Execution(json!({
        "executionId": ground.chance.uuid(),
        "configSnapshot": snapshot,
        "executionOperations": [{
            "operationId": operation,
            "operationType": "TRANSFER",
            "status": "EXECUTION_COMPLETED",
        }],
        "status": "EXECUTION_COMPLETED",
        "triggeredAt": began,
        "finishedAt": ended,
    })))?);
    Ok(documents)
}

fn amount(asset: &AssetRow, cents: u64) -> Amount {
    Amount::from_units(units_of(asset, cents), asset.decimals)
}

fn payout(ground: &mut Ground, asset: &AssetRow, done: bool) -> Value {
    let days = if done { 9 } else { 4 };
    let instructions: Vec<_> = (20_u64..23)
        .map(|payee| {
            json!({
                "id": ground.chance.uuid(),
                "payeeAccount": {"id": payee.to_string(), "type": "VAULT_ACCOUNT"},
                "amount": {
                    "amount": amount(asset, 10_000 * (payee - 19)).to_string(),
                    "assetId": asset.id,
                },
                "state": if done { "COMPLETED" } else { "NOT_STARTED" },
                "transactions": [],
            })
        })
        .collect();
    let mut payout = json!({
        "payoutId": ground.chance.uuid(),
        "paymentAccount": {"id": "0", "type": "VAULT_ACCOUNT"},
        "createdAt": ground.now.plus(-days * Millis::DAY),
        "state": if done { "FINALIZED" } else { "INSUFFICIENT_BALANCE" },
        "status": if done { "DONE" } else { "INSUFFICIENT_BALANCE" },
        "initMethod": "API",
        "instructionSet": instructions,
    });
    if !done {
        payout["reasonOfFailure"] = "INSUFFICIENT_BALANCE".into();
    }
    payout
}
