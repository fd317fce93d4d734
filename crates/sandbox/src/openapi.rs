//! The sandbox's own OpenAPI document: what it serves, from the operations table and the shapes of
//! the contract. No prose.

use std::sync::LazyLock;

use bytes::Bytes;
use protocol::contract;
use protocol::operations::{self, Operation, PREFIX};
use serde_json::{Map, Value, json};

use crate::operations::{Service, served};

/// Known differences: operations, and what is otherwise.
const DIFFERENCES: &str = include_str!("operations/data/differences.tsv");

/// Statuses that every operation may answer, declared or not: their body is an error's.
const ERRORS: [&str; 5] = ["400", "401", "403", "404", "429"];

/// Where it is fetched, without a key.
pub(crate) fn router() -> axum::Router {
    let told = || async { ([("content-type", "application/json")], document()) };
    axum::Router::new().route("/openapi.json", axum::routing::get(told))
}

/// The document, as JSON.
fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&build()).unwrap_or_default().into());
    DOCUMENT.clone()
}

fn build() -> Value {
    let mut paths = Map::new();
    for (id, service) in served() {
        let Some(operation) = operations::by_id(id) else {
            continue;
        };
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_lowercase()] = described(operation, service);
    }
    paths.sort_keys();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Vestibule sandbox", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": PREFIX}],
        "security": [{"apiKey": [], "token": []}],
        "paths": paths,
        "components": {
            "schemas": contract::document()["$defs"],
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    });
    document["components"]["schemas"]["VestibuleError"] = json!({
        "type": "object",
        "properties": {
            "message": {"type": "string"},
            "code": {"type": "number"},
            "error": {
                "type": "object",
                "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    });
    at_home(&mut document);
    document
}

fn described(operation: &'static Operation, service: Service) -> Value {
    let shape = contract::operation(operation.id.as_str());
    let of = |part: &str| {
        let found = shape.and_then(|shape| shape[part].as_object());
        found.into_iter().flatten()
    };
    let path = operation.parameters.iter().map(|name| {
        let known = shape.and_then(|shape| shape["path"][*name].get("schema"));
        let schema = known.cloned().unwrap_or_else(|| json!({"type": "string"}));
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let query = of("query").map(|(name, told)| {
        let required = told["required"] == true;
        json!({"name": name, "in": "query", "required": required, "schema": told["schema"]})
    });
    let parameters: Vec<Value> = path.chain(query).collect();
    let mut answers = Map::new();
    for (status, schema) in of("answers") {
        answers.insert(status.clone(), answer(schema));
    }
    for status in ERRORS {
        answers
            .entry(status)
            .or_insert_with(|| answer(&json!({"$ref": "#/$defs/VestibuleError"})));
    }
    if shape.is_none() {
        answers.insert("2XX".to_owned(), answer(&Value::Bool(true)));
    }
    answers.sort_keys();
    let roles = operation.roles_stated.then(|| {
        operation
            .roles
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
    });
    let mut described = json!({
        "operationId": operation.id.as_str(),
        "tags": [operation.tag],
        "parameters": parameters,
        "responses": answers,
        "x-roles": roles,
        "x-service": service,
        "x-differences": differences(operation),
        "x-rate-limit-category": operation.category.as_str(),
    });
    if let Some(body) = shape.and_then(|shape| shape.get("body")) {
        let required = shape.is_some_and(|shape| shape["bodyRequired"] == true);
        described["requestBody"] =
            json!({"required": required, "content": {"application/json": {"schema": body}}});
    }
    described
}

/// What is otherwise than at Fireblocks, in words.
fn differences(operation: &Operation) -> Vec<&'static str> {
    let rows = DIFFERENCES.lines().filter_map(|line| line.split_once('\t'));
    rows.filter(|(ids, _)| ids.split(' ').any(|id| id == operation.id.as_str()))
        .map(|(_, words)| words)
        .collect()
}

fn answer(schema: &Value) -> Value {
    if schema.is_null() {
        json!({"description": ""})
    } else {
        json!({"description": "", "content": {"application/json": {"schema": schema}}})
    }
}

/// References, from where the contract has its definitions to where OpenAPI has them.
fn at_home(value: &mut Value) {
    match value {
        Value::Object(parts) => {
            if let Some(Value::String(target)) = parts.get_mut("$ref")
                && let Some(name) = target.strip_prefix("#/$defs/")
            {
                *target = format!("#/components/schemas/{name}");
            }
            parts.values_mut().for_each(at_home);
        }
        Value::Array(parts) => parts.iter_mut().for_each(at_home),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_of_all_that_is_served_and_of_nothing_else() {
        let document: Value = serde_json::from_slice(&document()).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let told: usize = paths
            .values()
            .map(|methods| methods.as_object().map_or(0, Map::len))
            .sum();
        assert_eq!(told, served().count());
        for line in DIFFERENCES.lines() {
            let (ids, _) = line.split_once('\t').expect("two columns");
            for id in ids.split(' ') {
                assert!(served().any(|(known, _)| known == id), "{id} is not served");
            }
        }
        let create = &document["paths"]["/vault/accounts"]["post"];
        assert_eq!(create["operationId"], "createVaultAccount");
        let body = &create["requestBody"]["content"]["application/json"]["schema"];
        assert!(
            body["$ref"].is_string() || body["type"] == "object",
            "{body}"
        );
        assert!(!document.to_string().contains("#/$defs/"));
    }
}
