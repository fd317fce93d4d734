//! The admin listener's OpenAPI 3.1 document, made of the table of operations.

use serde_json::{Map, Value, json};
use wire::server::OWN_PREFIX;

use super::WITNESS_QUORUM;
use super::page::MAX_ROWS;
use super::problem::MEDIA_TYPE;
use super::table::{Name, OPERATIONS, Operation};

/// What bodies and answers look like.
const SCHEMAS: &str = include_str!("schemas.json");

/// Where the document is served.
pub const PATH: &str = "/openapi.json";

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for one in OPERATIONS {
        let path = paths
            .entry(format!("{OWN_PREFIX}{}", one.path.replace("{*", "{")))
            .or_insert_with(|| json!({}));
        path[one.method.to_lowercase()] = told(one);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vestibule gate: admin listener",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the client's people do at the gate. Each call carries X-API-Key (the operator's id) and a bearer token signed with the operator's own key, in the form of Fireblocks' requests.",
        },
        "security": [{"apiKey": [], "token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    })
}

fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn told(one: &Operation) -> Value {
    let mut parameters: Vec<_> = one
        .parameters()
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if one.pages {
        parameters.push(json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS}}));
        parameters.push(json!({"name": "pageCursor", "in": "query", "schema": {"type": "string"}}));
    }
    if one.name == Name::LogProof {
        parameters.push(json!({"name": WITNESS_QUORUM, "in": "query", "description": "How many witnesses must have cosigned its checkpoint.", "schema": {"type": "integer", "minimum": 0}}));
    }
    let (status, schema) = one.answers;
    let mut fine = json!({"description": "Done."});
    if let Some(schema) = schema {
        let body = if one.pages {
            fine["headers"] = json!({"next-page": {"description": "The URL of the next page, if there is one.", "schema": {"type": "string"}}});
            json!({"type": "array", "items": named(schema)})
        } else {
            named(schema)
        };
        fine["content"] = json!({"application/json": {"schema": body}});
    }
    let mut told = json!({
        "operationId": one.id,
        "summary": one.does,
        "x-vestibule-roles": one.who,
        "parameters": parameters,
        "responses": {
            (status.to_string()): fine,
            "default": {"description": "Refused.", "content": {MEDIA_TYPE: {"schema": named("Problem")}}},
        },
    });
    if let Some(schema) = one.takes {
        told["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": named(schema)}}});
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_that_is_named_is_there() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        assert!(schemas.as_object().is_some_and(|all| !all.is_empty()));
        let mut left = vec![&document];
        while let Some(value) = left.pop() {
            if let Some(name) = value["$ref"].as_str() {
                let name = name.rsplit('/').next().unwrap_or_default();
                assert!(!schemas[name].is_null(), "{name}");
            }
            match value {
                Value::Object(members) => left.extend(members.values()),
                Value::Array(items) => left.extend(items),
                _ => {}
            }
        }
    }
}
