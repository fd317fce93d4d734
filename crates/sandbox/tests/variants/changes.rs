//! What is changed within a body, one thing at a time: where, and to what.

use protocol::contract;
use serde_json::{Map, Value, json};

use crate::sample::kind;

/// How deep within a body things are changed.
const DEEP: usize = 3;

pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What can be said of a value's schema when only the value is known.
pub(crate) fn inferred(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": "number"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(parts) => {
            json!({"type": "array", "items": parts.first().map_or_else(|| json!({}), inferred)})
        }
        Value::Object(parts) => {
            let parts = parts
                .iter()
                .map(|(name, part)| (name.clone(), inferred(part)));
            json!({"type": "object", "properties": Value::Object(parts.collect())})
        }
    }
}

/// Values at, below and above what a schema allows.
pub(crate) fn bounds(schema: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    for (bound, beyond) in [("minimum", -1), ("maximum", 1)] {
        if let Some(at) = schema[bound].as_i64() {
            values.extend([json!(at), json!(at.saturating_add(beyond))]);
        }
    }
    for (bound, beyond) in [("minLength", -1), ("maxLength", 1)] {
        if let Some(at) = schema[bound].as_i64() {
            for len in [at, at.saturating_add(beyond)] {
                if let Ok(len @ 0..=20_000) = usize::try_from(len) {
                    values.push("a".repeat(len).into());
                }
            }
        }
    }
    values
}

/// Other values for a field: of other types, out of bounds, strange.
pub(crate) fn replacements(schema: &Value) -> Vec<(String, Value)> {
    let mut values = vec![("null".to_owned(), Value::Null)];
    let mut add = |what: &str, value: Value| values.push((what.to_owned(), value));
    for (number, value) in bounds(schema).into_iter().enumerate() {
        add(&format!("bound-{number}"), value);
    }
    if let Some(words) = schema["enum"].as_array() {
        for word in words.iter().take(6) {
            add(&format!("word-{}", text_of(word)), word.clone());
        }
        add("no-such-word", json!("NO_SUCH_WORD"));
        add("lower-word", json!("no_such_word"));
    }
    match kind(schema) {
        "string" => {
            add("number", json!(5));
            add("object", json!({"a": 1}));
            add("list", json!(["a"]));
            add("empty", json!(""));
            add("long", "x".repeat(10_000).into());
            add("letters", json!("ü漢\u{202e}\u{0}"));
            add("quotes", json!("'\"; DROP TABLE things; --"));
        }
        "integer" | "number" => {
            add("text", json!("x"));
            add("negative", json!(-1));
            add("zero", json!(0));
            add("fraction", json!(1.5));
            add(
                "huge",
                serde_json::from_str("123456789012345678901234567890").expect("a number"),
            );
            add("flag", json!(true));
        }
        "boolean" => {
            add("text", json!("yes"));
            add("number", json!(1));
            add("true", json!(true));
            add("false", json!(false));
        }
        "array" => {
            add("empty", json!([]));
            add("object", json!({}));
            add("text", json!("a"));
            add("nulls", json!([null]));
            add("lists", json!([[[]]]));
            if let Some(most @ 0..=2_000) = schema["maxItems"].as_u64() {
                let count = usize::try_from(most).unwrap_or(0) + 1;
                add("too-many", vec!["a"; count].into());
            }
        }
        _ => {
            add("empty", json!({}));
            add("list", json!([]));
            add("text", json!("a"));
            add("number", json!(5));
        }
    }
    values
}

/// Where within a body something stands, and of which schema it is.
pub(crate) fn places_of(
    schema: &'static Value,
    value: &Value,
    at: &str,
    depth: usize,
    found: &mut Vec<(String, &'static Value)>,
) {
    let schema = contract::resolved(schema);
    if depth > DEEP {
        return;
    }
    let parts = ["allOf", "oneOf", "anyOf"]
        .iter()
        .filter_map(|name| schema[name].as_array())
        .flatten();
    for part in parts {
        places_of(part, value, at, depth, found);
    }
    for (name, told) in schema["properties"].as_object().into_iter().flatten() {
        let Some(there) = value.get(name) else {
            continue;
        };
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        if found.iter().any(|(known, _)| *known == place) {
            continue;
        }
        found.push((place.clone(), contract::resolved(told)));
        places_of(told, there, &place, depth + 1, found);
    }
    if let Some(first) = value.get(0) {
        let place = format!("{at}/0");
        if !found.iter().any(|(known, _)| *known == place) {
            found.push((place.clone(), contract::resolved(&schema["items"])));
            places_of(&schema["items"], first, &place, depth + 1, found);
        }
    }
}

/// A null says no more than a field that is missing.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(parts) => {
            let kept = parts.iter().filter(|(_, part)| !part.is_null());
            kept.map(|(name, part)| (name.clone(), without_nulls(part)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(parts) => parts.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
