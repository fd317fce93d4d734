//! What the contract says of each operation's query, body and answers: JSON Schema 2020-12, as
//! `cargo xtask contract` distils it, and of operations that only the newest client knows, what its
//! models say. Names, types and bounds; no prose.
//!
//! ```json
//! {"operations": {"ID": {"query": {"NAME": {"schema": ..., "required": true}}, "body": ...,
//!                        "bodyRequired": true, "answers": {"200": ...}}}, "$defs": {"NAME": ...}}
//! ```

use std::sync::LazyLock;

use serde_json::Value;

const DATA: &str = include_str!("data/contract.json");

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(DATA).unwrap_or(Value::Null));

/// The whole document; references are `#/$defs/NAME`.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// What it says of an operation, if the contract or the newest client has it.
pub fn operation(id: &str) -> Option<&'static Value> {
    document()["operations"].get(id)
}

/// What a reference of the document stands for; the schema itself where it is none.
pub fn resolved(schema: &'static Value) -> &'static Value {
    let mut found = schema;
    // As deep as references go, and no deeper: two that name each other end here.
    for _ in 0..16 {
        let target = found["$ref"]
            .as_str()
            .and_then(|text| text.strip_prefix('#'));
        match target.and_then(|at| document().pointer(at)) {
            Some(next) => found = next,
            None => return found,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{self, Origin};

    #[test]
    fn every_operation_of_today_has_a_shape_and_no_reference_hangs() {
        let shapes = document()["operations"].as_object().expect("operations");
        for operation in operations::all() {
            let known = shapes.contains_key(operation.id.as_str());
            assert_eq!(
                known,
                operation.origin != Origin::Former,
                "{}",
                operation.id
            );
        }
        let defs = document()["$defs"].as_object().expect("definitions");
        let mut open = vec![document()];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(parts) => {
                    if let Some(Value::String(target)) = parts.get("$ref") {
                        let name = target.strip_prefix("#/$defs/").expect("one form");
                        assert!(defs.contains_key(name), "{target}");
                    }
                    open.extend(parts.values());
                }
                Value::Array(parts) => open.extend(parts),
                _ => {}
            }
        }
    }

    #[test]
    fn a_reference_is_followed() {
        let body = &operation("createVaultAccount").expect("known")["body"];
        assert_eq!(resolved(body)["type"], "object");
        assert!(
            operation("getAudits").is_none(),
            "neither the contract nor the newest client has it"
        );
    }
}
