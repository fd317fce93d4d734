//! A rule as a client wrote it, but for nulls: they say no more than a field that is missing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::check::Problem;
use super::rule::Rule;
use super::{legacy, v2};
use crate::contract::without_nulls;

/// A rule as it was written, in the shape it was written in, and what it is known by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) id: String,
    shape: Shape,
    rule: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Shape {
    Legacy,
    V2,
}

/// The id in a descriptor: `{"id":"..."}`.
fn described(descriptor: &str) -> Option<String> {
    let read: Value = serde_json::from_str(descriptor).ok()?;
    read.get("id")?.as_str().map(str::to_owned)
}

impl Written {
    /// A rule of the older shape. It keeps the id that its descriptor names, if it names one.
    pub(crate) fn legacy(rule: Value, fresh: impl FnOnce() -> String) -> Self {
        let descriptor = rule.get("externalDescriptor").and_then(Value::as_str);
        Self {
            id: descriptor.and_then(described).unwrap_or_else(fresh),
            shape: Shape::Legacy,
            rule: without_nulls(&rule),
        }
    }

    /// A rule of the newer shape, which names its id.
    pub(crate) fn v2(rule: Value) -> Self {
        let id = rule.get("id").and_then(Value::as_str).unwrap_or_default();
        Self {
            id: id.to_owned(),
            shape: Shape::V2,
            rule: without_nulls(&rule),
        }
    }

    /// What it says, as it is judged by; nothing of a rule that judges no transactions.
    pub(crate) fn read(&self) -> Result<Option<Rule>, Vec<Problem>> {
        match self.shape {
            Shape::Legacy => legacy::read(&self.rule).map(Some),
            Shape::V2 => v2::read(&self.rule),
        }
    }

    /// The type of policy that it stands in.
    pub(crate) fn kind(&self) -> &str {
        let (field, usual) = match self.shape {
            Shape::Legacy => ("transactionType", "TRANSFER"),
            Shape::V2 => ("type", ""),
        };
        self.rule
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or(usual)
    }

    /// What it is known by, as rules of the older shape say it.
    pub(crate) fn descriptor(&self) -> String {
        json!({ "id": self.id }).to_string()
    }

    /// As it was written.
    pub(crate) fn shown(&self) -> &Value {
        &self.rule
    }

    /// In the older shape; nothing of what that shape has no words for.
    pub(crate) fn as_legacy(&self) -> Option<Value> {
        let mut rule = match self.shape {
            Shape::Legacy => self.rule.clone(),
            Shape::V2 => legacy::print(&self.read().ok()??)?,
        };
        let fields = rule.as_object_mut()?;
        fields.insert("externalDescriptor".to_owned(), self.descriptor().into());
        Some(rule)
    }

    /// In the newer shape; nothing of what cannot be read, or has no word there.
    pub(crate) fn as_v2(&self) -> Option<Value> {
        match self.shape {
            Shape::Legacy if !v2::TYPES.contains(&self.kind()) => None,
            Shape::Legacy => Some(v2::print(&self.read().ok()??, &self.id)),
            Shape::V2 => Some(self.rule.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_is_not_kept() {
        let rule = json!({"id": "a", "type": "TRANSFER", "asset": null, "source": {"ids": [null], "type": null}});
        let kept = json!({"id": "a", "type": "TRANSFER", "source": {"ids": [null]}});
        assert_eq!(Written::v2(rule.clone()).shown(), &kept);
        let legacy = Written::legacy(rule, || "fresh".to_owned());
        assert_eq!(legacy.shown(), &kept);
    }
}
