//! Values that a schema takes: as little as it asks for, or all that it names.

use jsonschema::Validator;
use protocol::contract;
use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};

use crate::pool::Pool;

/// How deep a value is filled in.
const DEEPEST: usize = 7;

/// How much a sample says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Least,
    All,
    /// What chance says.
    Some,
}

/// A kind that a schema names first.
pub(crate) fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or_default(),
        Value::String(kind) => kind,
        _ if schema["properties"].is_object() => "object",
        _ => "",
    }
}

pub(crate) struct Sampler<'a, R: Rng> {
    pub(crate) pool: &'a Pool,
    pub(crate) random: &'a mut R,
    pub(crate) how: How,
}

impl<R: Rng> Sampler<'_, R> {
    /// A value of a schema, for a field of this name.
    pub(crate) fn value(&mut self, schema: &'static Value, name: &str, depth: usize) -> Value {
        let schema = contract::resolved(schema);
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<_> = words.iter().filter(|word| !word.is_null()).collect();
            let first = words.first().copied();
            let chosen = match self.how {
                How::Least => first,
                _ => words.choose(self.random).copied(),
            };
            return chosen.cloned().unwrap_or(Value::Null);
        }
        for several in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[several].as_array() {
                let chosen = match self.how {
                    How::Least => choices.first(),
                    _ => choices.choose(self.random),
                };
                let value = chosen.map(|chosen| self.value(chosen, name, depth + 1));
                return self.merged(schema, value.unwrap_or(Value::Null), name, depth);
            }
        }
        if schema["allOf"].is_array() || kind(schema) == "object" {
            return self.merged(schema, json!({}), name, depth);
        }
        match kind(schema) {
            "string" => self.text(schema, name),
            "integer" | "number" => self.number(schema, name),
            "boolean" => json!(self.how != How::Least && self.random.random_bool(0.5)),
            "array" => self.list(schema, name, depth),
            "null" => Value::Null,
            _ => json!("text"),
        }
    }

    /// An object of all that a schema says, with what is there already.
    fn merged(&mut self, schema: &'static Value, value: Value, name: &str, depth: usize) -> Value {
        let mut parts = match value {
            Value::Object(parts) => parts,
            Value::Null => Map::new(),
            other => return other,
        };
        for part in schema["allOf"].as_array().into_iter().flatten() {
            if let Value::Object(more) = self.value(part, name, depth + 1) {
                parts.extend(more);
            }
        }
        let required = schema["required"].as_array();
        let is_required =
            |field: &str| required.is_some_and(|all| all.iter().any(|one| one == field));
        for (field, told) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = is_required(field)
                || depth < DEEPEST
                    && match self.how {
                        How::Least => false,
                        How::All => true,
                        How::Some => self.random.random_bool(0.4),
                    };
            if wanted && depth < 2 * DEEPEST && !parts.contains_key(field) {
                let made = self.value(told, field, depth + 1);
                parts.insert(field.clone(), made);
            }
        }
        Value::Object(parts)
    }

    fn list(&mut self, schema: &'static Value, name: &str, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let count = match self.how {
            How::Least => least.max(1),
            How::All => least.max(2),
            How::Some => least.max(self.random.random_range(0..3)),
        };
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        let singular = name.strip_suffix('s').unwrap_or(name);
        let items = (0..count.min(most)).map(|_| self.value(&schema["items"], singular, depth + 1));
        let mut items: Vec<Value> = items.collect();
        items.dedup();
        Value::Array(items)
    }

    fn text(&mut self, schema: &'static Value, name: &str) -> Value {
        let known: Vec<_> = self
            .pool
            .named(name)
            .iter()
            .filter(|value| value.is_string())
            .collect();
        let unique = self.random.random_range(0..1_000_000_u32);
        let by_format = match schema["format"].as_str() {
            Some("uuid") => "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001",
            Some("date-time") => "2026-01-02T03:04:05.000Z",
            Some("date") => "2026-01-02",
            Some("email") => "someone@fund.example",
            Some("uri") => "https://fund.example/",
            Some("numeric") => "1",
            _ => "",
        };
        let own = format!("variant {unique}");
        let mut choices: Vec<Value> = Vec::new();
        // Names are new ones; all else is what is there.
        if name != "name" && !known.is_empty() {
            let chosen = match self.how {
                How::Least => known.first(),
                _ => known.choose(self.random),
            };
            choices.extend(chosen.map(|value| (*value).clone()));
        }
        let usual = [
            "1",
            "0.5",
            "https://fund.example/",
            "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
            "2026-01-02",
            "a",
            "A1",
            "en",
            "AB",
        ];
        choices.extend(
            [by_format, &own]
                .into_iter()
                .filter(|text| !text.is_empty())
                .map(Value::from),
        );
        choices.extend(usual.map(Value::from));
        let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(0);
        choices.push("a".repeat(least.max(1)).into());
        let fits = fits(schema);
        let found = choices.iter().find(|value| fits.is_valid(value)).cloned();
        found.unwrap_or_else(|| own.into())
    }

    fn number(&mut self, schema: &'static Value, name: &str) -> Value {
        let known = self.pool.named(name).iter().find(|value| value.is_number());
        let fits = fits(schema);
        let least = schema["minimum"].clone();
        let choices = [
            known.cloned().unwrap_or(Value::Null),
            json!(1),
            least,
            json!(100),
        ];
        choices
            .into_iter()
            .find(|value| value.is_number() && fits.is_valid(value))
            .unwrap_or_else(|| json!(1))
    }
}

/// A schema that refers to nothing.
fn fits(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("a schema of one value")
}
