//! What requests and answers look like: from the contract's OpenAPI 3.0 to JSON Schema 2020-12,
//! which is what OpenAPI 3.1 speaks and what validators know. Names, types and bounds; no prose.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::drift;

/// Keywords that say something about a value. Everything else of the contract is prose.
const KEYWORDS: [&str; 17] = [
    "type",
    "format",
    "enum",
    "required",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];
/// Keywords that hold schemas.
const UNIONS: [&str; 3] = ["oneOf", "anyOf", "allOf"];
/// Shapes that the contract has not yet.
const NEWER: &str = include_str!("newer.json");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The compact document: `{"operations": {id: ...}, "$defs": {name: schema}}`.
pub fn distil(contract: &Value) -> Result<Value> {
    let mut operations = Map::new();
    let paths = contract["paths"].as_object().context("paths")?;
    for methods in paths.values() {
        for method in METHODS {
            let Some(found) = methods.get(method) else {
                continue;
            };
            let shared = methods.get("parameters");
            let id = found["operationId"].as_str().context("operationId")?;
            operations.insert(id.to_owned(), operation(contract, found, shared));
        }
    }
    let mut defs = Map::new();
    let schemas = contract["components"]["schemas"]
        .as_object()
        .context("components.schemas")?;
    for (name, found) in schemas {
        defs.insert(name.clone(), schema(found));
    }
    add_newer(&mut operations, &mut defs)?;
    operations.sort_keys();
    defs.sort_keys();
    let mut document = json!({ "operations": operations, "$defs": defs });
    drift::apply(&mut document)?;
    keep_named(&mut document);
    Ok(document)
}

/// Operations that only the newest official client knows, by its own models (`newer.py`). What the
/// contract has, it says itself.
fn add_newer(operations: &mut Map<String, Value>, defs: &mut Map<String, Value>) -> Result<()> {
    let mut newer: Value = serde_json::from_str(NEWER).context("newer.json")?;
    for (part, known) in [("operations", operations), ("$defs", defs)] {
        let found = newer[part].as_object_mut().context("newer.json")?;
        for (name, told) in std::mem::take(found) {
            known.entry(name).or_insert(told);
        }
    }
    Ok(())
}

/// One line an operation and one a definition, so that a difference can be read.
pub fn print(document: &Value) -> String {
    let part = |name: &str| {
        let rows = document[name].as_object().into_iter().flatten();
        let rows: Vec<_> = rows
            .map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())))
            .collect();
        format!("{}:{{\n{}\n}}", Value::from(name), rows.join(",\n"))
    };
    format!("{{{},\n{}}}\n", part("operations"), part("$defs"))
}

/// What is different, a line each.
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for part in ["operations", "$defs"] {
        let of = |document: &'_ Value| document[part].as_object().cloned().unwrap_or_default();
        let (old, new) = (of(before), of(after));
        for (name, value) in &new {
            match old.get(name) {
                None => lines.push(format!("new      {part} {name}")),
                Some(before) if before != value => lines.push(format!("changed  {part} {name}")),
                Some(_) => {}
            }
        }
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        lines.extend(gone.map(|name| format!("gone     {part} {name}")));
    }
    lines
}

fn operation(contract: &Value, found: &Value, shared: Option<&Value>) -> Value {
    let mut out = Map::new();
    let parameters = [shared, found.get("parameters")];
    let parameters = parameters.into_iter().flatten().filter_map(Value::as_array);
    for parameter in parameters.flatten() {
        let parameter = resolved(contract, parameter);
        let (Some(name), Some(place)) = (parameter["name"].as_str(), parameter["in"].as_str())
        else {
            continue;
        };
        if !matches!(place, "query" | "path") {
            continue;
        }
        let mut told = json!({ "schema": schema(&parameter["schema"]) });
        if place == "query" && parameter["required"] == true {
            told["required"] = Value::Bool(true);
        }
        let places = out.entry(place).or_insert_with(|| json!({}));
        places[name] = told;
    }
    if let Some(body) = found.get("requestBody") {
        let body = resolved(contract, body);
        if let Some(of) = body["content"].get("application/json") {
            out.insert("body".to_owned(), schema(&of["schema"]));
            if body["required"] == true {
                out.insert("bodyRequired".to_owned(), Value::Bool(true));
            }
        }
    }
    let mut answers = Map::new();
    for (status, answer) in found["responses"].as_object().into_iter().flatten() {
        let answer = resolved(contract, answer);
        let json = answer["content"].get("application/json");
        let json = json.or_else(|| answer["content"].get("*/*"));
        answers.insert(
            status.clone(),
            json.map_or(Value::Null, |json| schema(&json["schema"])),
        );
    }
    answers.sort_keys();
    out.insert("answers".to_owned(), answers.into());
    out.into()
}

/// What a `$ref` outside the schemas stands for.
fn resolved<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix('#'));
    target.and_then(|at| contract.pointer(at)).unwrap_or(value)
}

fn schema(found: &Value) -> Value {
    let Some(found) = found.as_object() else {
        return Value::Bool(true);
    };
    if let Some(target) = found.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let mut out = Map::new();
    for keyword in KEYWORDS {
        if let Some(value) = found.get(keyword) {
            out.insert(keyword.to_owned(), value.clone());
        }
    }
    for union in UNIONS {
        if let Some(parts) = found.get(union).and_then(Value::as_array) {
            out.insert(union.to_owned(), parts.iter().map(schema).collect());
        }
    }
    for keyword in ["items", "not"] {
        if let Some(part) = found.get(keyword) {
            out.insert(keyword.to_owned(), schema(part));
        }
    }
    match found.get("additionalProperties") {
        Some(Value::Bool(any)) => {
            out.insert("additionalProperties".to_owned(), Value::Bool(*any));
        }
        Some(part) => {
            out.insert("additionalProperties".to_owned(), schema(part));
        }
        None => {}
    }
    if let Some(properties) = found.get("properties").and_then(Value::as_object) {
        let properties: Map<_, _> = properties
            .iter()
            .map(|(name, part)| (name.clone(), schema(part)))
            .collect();
        out.insert("properties".to_owned(), properties.into());
    }
    old_words(&mut out, found);
    out.into()
}

/// Three habits of OpenAPI 3.0 in the words of JSON Schema: `nullable`, bounds that exclude, and
/// `required: true` on a single property (which never meant anything).
fn old_words(out: &mut Map<String, Value>, found: &Map<String, Value>) {
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        match out.get(flag) {
            Some(Value::Bool(true)) => {
                if let Some(value) = out.remove(bound) {
                    out.insert(flag.to_owned(), value);
                }
            }
            Some(Value::Bool(false)) => {
                out.remove(flag);
            }
            _ => {}
        }
    }
    if !out.get("required").is_none_or(Value::is_array) {
        out.remove("required");
    }
    if found.get("nullable") == Some(&Value::Bool(true)) {
        if let Some(kind @ Value::String(_)) = out.get("type").cloned() {
            out.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let Some(Value::Array(words)) = out.get_mut("enum")
            && !words.contains(&Value::Null)
        {
            words.push(Value::Null);
        }
        for union in ["oneOf", "anyOf"] {
            if let Some(Value::Array(parts)) = out.get_mut(union) {
                parts.push(json!({ "type": "null" }));
            }
        }
    }
}

/// Leaves out the definitions that no operation leads to.
fn keep_named(document: &mut Value) {
    let mut wanted = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    names(&document["operations"], &mut open);
    while let Some(name) = open.pop() {
        if wanted.insert(name.clone()) {
            names(&document["$defs"][&name], &mut open);
        }
    }
    if let Some(defs) = document["$defs"].as_object_mut() {
        defs.retain(|name, _| wanted.contains(name));
    }
}

fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(parts) => {
            if let Some(Value::String(target)) = parts.get("$ref") {
                found.extend(target.strip_prefix("#/$defs/").map(str::to_owned));
            }
            parts.values().for_each(|part| names(part, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| names(part, found)),
        _ => {}
    }
}
