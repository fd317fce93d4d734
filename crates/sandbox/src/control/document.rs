//! The OpenAPI document of `/_sandbox`, from the table of its calls.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::PREFIX;
use super::calls::{Call, Calls, all};

const MOMENT: &str =
    r#"{"oneOf":[{"type":"integer","minimum":0},{"type":"string","format":"date-time"}]}"#;

fn described(call: &Call) -> Value {
    let parameters: Vec<_> = call
        .parameters()
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    let error = json!({"description": "An error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}});
    let mut answers = Map::new();
    answers.insert(call.status.to_string(), json!({"description": call.does}));
    for status in ["400", "401", "404", "409"] {
        answers.insert(status.to_owned(), error.clone());
    }
    let mut described = json!({
        "operationId": call.id,
        "summary": call.does,
        "parameters": parameters,
        "responses": answers,
    });
    if let Some(body) = call.body {
        let schema: Value = serde_json::from_str(body).unwrap_or_default();
        described["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    }
    described
}

fn build() -> Value {
    let mut paths = Map::new();
    for call in all() {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method.to_lowercase()] = described(call);
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

pub(super) fn calls() -> Calls {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&build()).unwrap_or_default().into());
    let document = || async { ([(CONTENT_TYPE, "application/json")], DOCUMENT.clone()) };
    Calls::default().get("/openapi.json", "getDocument", "This document", document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_of_a_body_is_one_and_every_id_is_its_own() {
        let mut ids: Vec<_> = all().iter().map(|call| call.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().len());
        for call in all() {
            if let Some(body) = call.body {
                let schema: Value = serde_json::from_str(body).expect(call.id);
                let mut whole = json!({"$defs": {"here": schema}, "$ref": "#/$defs/here"});
                whole["components"] = build()["components"].clone();
                let known = jsonschema::validator_for(&whole);
                assert!(known.is_ok(), "{}: {known:?}", call.id);
                assert!(
                    !known.expect("a schema").is_valid(&json!([])),
                    "{}",
                    call.id
                );
            }
        }
    }
}
