//! The OpenAPI document of `/_sandbox`, from a table of its calls.

use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Desk, PREFIX};

/// A call of the control listener.
pub(super) struct Told {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    id: &'static str,
    does: &'static str,
    /// The schema of its body, if it takes one.
    body: Option<&'static str>,
    /// What it answers where all is well.
    status: &'static str,
}

const fn told(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    does: &'static str,
    body: Option<&'static str>,
    status: &'static str,
) -> Told {
    Told {
        method,
        path,
        id,
        does,
        body,
        status,
    }
}

const W: &str = "/workspaces/{workspace}";
const MOMENT: &str =
    r#"{"oneOf":[{"type":"integer","minimum":0},{"type":"string","format":"date-time"}]}"#;
const MAKE: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"name":{"type":"string","minLength":1,"maxLength":100},
"from":{"type":"object","minProperties":1,"maxProperties":1,"additionalProperties":false,"properties":{
 "fund":{"enum":["mainnet","testnet"]},"exchange":{"enum":["mainnet","testnet"]},
 "treasury":{"enum":["mainnet","testnet"]},"empty":{"enum":["mainnet","testnet"]},
 "file":{"type":"string"},
 "snapshot":{"type":"object","required":["workspace","name"],"properties":{"workspace":{"type":"string","format":"uuid"},"name":{"type":"string"}}}}},
"clock":{"type":"object","additionalProperties":false,"properties":{"at":{"$ref":"MOMENT"},"frozen":{"type":"boolean"}}}}}"#;
const NAME: &str = r#"{"type":"object","required":["name"],"additionalProperties":false,"properties":{"name":{"type":"string","minLength":1,"maxLength":100}}}"#;
const CLOCK: &str = r#"{"type":"object","additionalProperties":false,"properties":{"at":{"$ref":"MOMENT"},"millis":{"type":"integer","minimum":0}}}"#;
const INCOMING: &str = r#"{"type":"object","required":["vaultAccountId","assetId","amount"],"additionalProperties":false,"properties":{
"vaultAccountId":{"type":"string"},"assetId":{"type":"string"},"amount":{"type":"string"},"sourceAddress":{"type":"string"}}}"#;
const WHO: &str = r#"{"type":"object","additionalProperties":false,"properties":{"user":{"type":"string","format":"uuid"}}}"#;
const FAIL: &str = r#"{"type":"object","required":["subStatus"],"additionalProperties":false,"properties":{"subStatus":{"type":"string"}}}"#;
const FEES: &str = r#"{"type":"object","required":["percent"],"additionalProperties":false,"properties":{"percent":{"type":"integer","minimum":0}}}"#;
const SCREENING: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"aml":{"enum":["OFF","PASS","REJECT","WAIT"]},"enrichment":{"enum":["OFF","PASS","WAIT"]}}}"#;
const COUNT: &str = r#"{"type":"object","additionalProperties":false,"properties":{"count":{"type":"integer","minimum":0}}}"#;
const ADDRESSES: &str = r#"{"type":"object","required":["addresses"],"additionalProperties":false,"properties":{"addresses":{"type":"array","items":{"type":"string"}}}}"#;
const FAULT: &str = r#"{"type":"object","required":["fault"],"additionalProperties":false,"properties":{
"operation":{"type":"string"},"method":{"type":"string"},"path":{"type":"string"},"user":{"type":"string","format":"uuid"},
"external_tx_id":{"type":"string"},"after":{"type":"integer","minimum":0},"times":{"type":"integer","minimum":1},
"fault":{"oneOf":[{"enum":["internal_error","cut_connection","lost_answer","wrong_content_type"]},
 {"type":"object","required":["latency"],"properties":{"latency":{"type":"object","required":["millis"],"properties":{"millis":{"type":"integer","minimum":0,"maximum":600000}}}}},
 {"type":"object","required":["too_many_requests"],"properties":{"too_many_requests":{"type":"object","required":["retry_after"],"properties":{"retry_after":{"type":"integer","minimum":0}}}}}]}}}"#;
const RATES: &str = r#"{"oneOf":[{"type":"object","required":["profile"],"additionalProperties":false,"properties":{"profile":{"enum":["sandbox","testnet","mainnet"]}}},
{"type":"object","required":["shared_by","window","limits"],"additionalProperties":false,"properties":{
 "shared_by":{"enum":["user","workspace"]},"window":{"type":"integer","minimum":1,"maximum":86400},
 "limits":{"type":"object","additionalProperties":{"type":"integer","minimum":0}}}}]}"#;

/// Every call. Paths that begin with a slash and no workspace are the whole sandbox's.
pub(super) const CALLS: [Told; 40] = [
    told(
        "get",
        "/openapi.json",
        "getDocument",
        "This document",
        None,
        "200",
    ),
    told(
        "get",
        "/workspaces",
        "listWorkspaces",
        "The workspaces there are",
        None,
        "200",
    ),
    told(
        "post",
        "/workspaces",
        "makeWorkspace",
        "Make a workspace, with its users and keys",
        Some(MAKE),
        "201",
    ),
    told(
        "get",
        "W",
        "getWorkspace",
        "A workspace, with its users and keys",
        None,
        "200",
    ),
    told(
        "delete",
        "W",
        "removeWorkspace",
        "Take a workspace away, with its snapshots",
        None,
        "204",
    ),
    told(
        "post",
        "W/reset",
        "resetWorkspace",
        "Make a workspace again what it was when it was made",
        None,
        "200",
    ),
    told(
        "get",
        "W/snapshots",
        "listSnapshots",
        "The snapshots of a workspace",
        None,
        "200",
    ),
    told(
        "post",
        "W/snapshots",
        "takeSnapshot",
        "Keep a workspace as it is, under a name",
        Some(NAME),
        "201",
    ),
    told(
        "post",
        "W/snapshots/{name}/restore",
        "restoreSnapshot",
        "Go back to a snapshot, clock and all",
        None,
        "200",
    ),
    told(
        "delete",
        "W/snapshots/{name}",
        "dropSnapshot",
        "Forget a snapshot",
        None,
        "204",
    ),
    told(
        "get",
        "W/clock",
        "getClock",
        "What a workspace's clock shows",
        None,
        "200",
    ),
    told(
        "post",
        "W/clock/{act}",
        "turnClock",
        "freeze, unfreeze, set or advance a workspace's clock",
        Some(CLOCK),
        "200",
    ),
    told(
        "post",
        "/clock/{act}",
        "turnClocks",
        "The same with every workspace's",
        Some(CLOCK),
        "200",
    ),
    told(
        "get",
        "W/events",
        "hearWorkspace",
        "What happens in a workspace, as server-sent events",
        None,
        "200",
    ),
    told(
        "get",
        "/events",
        "hear",
        "Everything that happens, as server-sent events",
        None,
        "200",
    ),
    told(
        "get",
        "W/faults",
        "listFaults",
        "The faults that are planned",
        None,
        "200",
    ),
    told(
        "post",
        "W/faults",
        "planFault",
        "Plan a fault on calls of the API",
        Some(FAULT),
        "201",
    ),
    told(
        "delete",
        "W/faults",
        "clearFaults",
        "Forget every fault",
        None,
        "204",
    ),
    told(
        "delete",
        "W/faults/{id}",
        "forgetFault",
        "Forget a fault",
        None,
        "204",
    ),
    told(
        "get",
        "W/rate_limits",
        "getRateLimits",
        "How often may be called",
        None,
        "200",
    ),
    told(
        "put",
        "W/rate_limits",
        "setRateLimits",
        "Set how often may be called",
        Some(RATES),
        "200",
    ),
    told(
        "delete",
        "W/rate_limits",
        "dropRateLimits",
        "As often as anybody likes",
        None,
        "200",
    ),
    told(
        "post",
        "W/incoming",
        "receive",
        "Something arrives at a vault account from outside",
        Some(INCOMING),
        "200",
    ),
    told(
        "post",
        "W/mine",
        "mine",
        "A block is mined: everything that waits for one moves on",
        None,
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/approve",
        "approve",
        "Somebody who is asked approves a transaction",
        Some(WHO),
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/sign",
        "sign",
        "The signer signs a transaction",
        Some(WHO),
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/reject",
        "reject",
        "Somebody who is asked rejects a transaction",
        Some(WHO),
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/process",
        "process",
        "An exchange or a bank takes up what it is to send",
        None,
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/hold",
        "hold",
        "An exchange or a bank looks first at what it is to send",
        None,
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/pass",
        "pass",
        "The screening or enrichment that a transaction waits for lets it through",
        None,
        "200",
    ),
    told(
        "get",
        "W/screening",
        "getScreening",
        "What the services do that transactions wait for",
        None,
        "200",
    ),
    told(
        "put",
        "W/screening",
        "setScreening",
        "Set what they do: nothing, let through, refuse, or wait to be told",
        Some(SCREENING),
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/fail",
        "failTransaction",
        "A transaction fails, with a sub-status",
        Some(FAIL),
        "200",
    ),
    told(
        "post",
        "W/transactions/{id}/reorganise",
        "reorganise",
        "The chain goes on without the block that a transaction was in",
        None,
        "200",
    ),
    told(
        "put",
        "W/fees/{chain}",
        "setFees",
        "What a chain's fees are, in percent of what is usual",
        Some(FEES),
        "200",
    ),
    told(
        "post",
        "W/webhooks/{id}/drop_next",
        "dropNext",
        "The next notifications of a webhook get lost",
        Some(COUNT),
        "200",
    ),
    told(
        "post",
        "W/users/{id}/approve",
        "approveUser",
        "The quorum lets an API user in",
        None,
        "200",
    ),
    told(
        "put",
        "W/users/{id}/ip_addresses",
        "setIpAddresses",
        "The owner sets a key's IP allow-list",
        Some(ADDRESSES),
        "200",
    ),
    told(
        "post",
        "W/wallets/{id}/{decision}",
        "decideOnAddresses",
        "The quorum approves or rejects the addresses of a list's entry",
        None,
        "200",
    ),
    told(
        "get",
        "W/exports/{kind}",
        "export",
        "A file as the Console exports it: transactions or vault_accounts",
        None,
        "200",
    ),
];

impl Told {
    /// Its path, with the workspace's.
    pub(super) fn whole_path(&self) -> String {
        match self.path.strip_prefix('W') {
            Some(rest) => format!("{W}{rest}"),
            None => self.path.to_owned(),
        }
    }

    fn described(&self) -> Value {
        let path = self.whole_path();
        let names = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<_> = names
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        let error = json!({"description": "An error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}});
        let mut answers = Map::new();
        answers.insert(self.status.to_owned(), json!({"description": self.does}));
        for status in ["400", "401", "404", "409"] {
            answers.insert(status.to_owned(), error.clone());
        }
        let mut described = json!({
            "operationId": self.id,
            "summary": self.does,
            "parameters": parameters,
            "responses": answers,
        });
        if let Some(body) = self.body {
            let text = body.replace("\"MOMENT\"", "\"#/components/schemas/Moment\"");
            let schema: Value = serde_json::from_str(&text).unwrap_or_default();
            described["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        }
        described
    }
}

fn build() -> Value {
    let mut paths = Map::new();
    for call in &CALLS {
        let path = paths.entry(call.whole_path()).or_insert_with(|| json!({}));
        path[call.method] = call.described();
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Vestibule sandbox: control", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {
                "Error": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
                "Moment": serde_json::from_str::<Value>(MOMENT).unwrap_or_default(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

pub(super) fn routes() -> Router<Desk> {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&build()).unwrap_or_default().into());
    let document = || async { ([("content-type", "application/json")], DOCUMENT.clone()) };
    Router::new().route("/openapi.json", get(document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_of_a_body_is_one_and_every_id_is_its_own() {
        let mut ids: Vec<_> = CALLS.iter().map(|call| call.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CALLS.len());
        let document = build();
        for call in CALLS.iter().filter(|call| call.body.is_some()) {
            let described = &document["paths"][call.whole_path()][call.method];
            let schema = &described["requestBody"]["content"]["application/json"]["schema"];
            assert!(schema.is_object(), "{}", call.id);
        }
    }
}
