//! Fields of a body that the contract has not: misspelt, mostly, and without effect.

use protocol::contract;
use protocol::operations::Operation;
use serde_json::Value;

/// Most that are named.
const MOST: usize = 20;
/// Deepest that is looked.
const DEEPEST: usize = 32;

/// The fields of a body that the contract has not, as paths.
pub(crate) fn fields(operation: &Operation, body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let shape = contract::operation(operation.id.as_str());
    if let Some(schema) = shape.and_then(|shape| shape.get("body")) {
        look(&[schema], body, "", &mut found, DEEPEST);
    }
    found
}

fn look(
    schemas: &[&'static Value],
    value: &Value,
    path: &str,
    found: &mut Vec<String>,
    deeper: usize,
) {
    let Some(deeper) = deeper.checked_sub(1) else {
        return;
    };
    let mut all = Vec::new();
    for schema in schemas {
        gather(schema, &mut all, DEEPEST);
    }
    match value {
        Value::Object(parts) if !all.iter().any(|schema| is_open(schema)) => {
            for (name, part) in parts {
                let at = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let of_name = all
                    .iter()
                    .filter_map(|schema| schema.get("properties")?.get(name));
                let of_name: Vec<&'static Value> = of_name.collect();
                if !of_name.is_empty() {
                    look(&of_name, part, &at, found, deeper);
                } else if found.len() < MOST {
                    found.push(at);
                }
            }
        }
        Value::Array(parts) => {
            let items: Vec<_> = all
                .iter()
                .filter_map(|schema| schema.get("items"))
                .collect();
            for (number, part) in parts.iter().enumerate() {
                look(&items, part, &format!("{path}.{number}"), found, deeper);
            }
        }
        _ => {}
    }
}

/// A schema, and all that it is put together from.
fn gather(schema: &'static Value, all: &mut Vec<&'static Value>, deeper: usize) {
    let Some(deeper) = deeper.checked_sub(1) else {
        return;
    };
    let schema = contract::resolved(schema);
    all.push(schema);
    for part in ["allOf", "oneOf", "anyOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            gather(one, all, deeper);
        }
    }
}

/// Whether a schema says nothing of the names that an object has.
fn is_open(schema: &Value) -> bool {
    let more = schema.get("additionalProperties");
    let parts = ["properties", "allOf", "oneOf", "anyOf"];
    let says_nothing = parts.iter().all(|part| schema.get(part).is_none())
        && (schema["type"] == "object" || schema.get("type").is_none());
    more.is_some_and(|more| *more != Value::Bool(false)) || says_nothing
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::operations;
    use serde_json::json;

    fn of(id: &str, body: &Value) -> Vec<String> {
        fields(operations::by_id(id).expect("known"), body)
    }

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        let body = json!({
            "assetId": "SOL", "ammount": "1",
            "source": {"type": "VAULT_ACCOUNT", "id": "0", "idd": 1},
            "destinations": [{"amount": "1", "destination": {"type": "VAULT_ACCOUNT", "id": "1"}}, {"amuont": "1"}],
            "extraParameters": {"anything": {"goes": 1}},
        });
        let found = of("createTransaction", &body);
        assert_eq!(found, ["ammount", "source.idd", "destinations.1.amuont"]);
        assert_eq!(
            of(
                "createVaultAccount",
                &json!({"name": "A", "autoFuel": true})
            ),
            [""; 0]
        );
        assert_eq!(of("createVaultAccount", &json!({"Name": "A"})), ["Name"]);
        assert_eq!(of("createVaultAccount", &json!(["A"])), [""; 0]);
    }
}
