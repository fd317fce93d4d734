//! `${name}`: what earlier steps have seen, put into later ones.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is known by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Value>);

/// A name that nothing is known by: what would have told it was not played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("${{{0}}} is not known")]
pub(super) struct Unknown(pub(super) String);

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Plain(&'a str),
    Name(&'a str),
}

/// The pieces of a text. `$${` stands for `${` itself, and a `${` without an end for what it is.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Plain(before), Piece::Plain("${")]);
            rest = from.strip_prefix("${").unwrap_or_default();
            continue;
        }
        let Some(end) = from.find('}') else { break };
        pieces.push(Piece::Plain(before));
        pieces.push(Piece::Name(from.get(2..end).unwrap_or_default()));
        rest = from.get(end + 1..).unwrap_or_default();
    }
    pieces.push(Piece::Plain(rest));
    pieces.retain(|piece| *piece != Piece::Plain(""));
    pieces
}

/// Every name in a value.
pub(super) fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => names_of(text),
        Value::Array(parts) => parts.iter().flat_map(names).collect(),
        Value::Object(members) => members.values().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// Every name in a text.
pub(super) fn names_of(text: &str) -> Vec<&str> {
    let names = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Plain(_) => None,
    });
    names.collect()
}

/// A value as it stands within a text.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Variables {
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    pub(super) fn get(&self, name: &str) -> Result<&Value, Unknown> {
        self.0.get(name).ok_or_else(|| Unknown(name.to_owned()))
    }

    /// The text, filled in.
    pub(super) fn text(&self, text: &str) -> Result<String, Unknown> {
        let filled = pieces(text).into_iter().map(|piece| match piece {
            Piece::Plain(text) => Ok(text.to_owned()),
            Piece::Name(name) => self.get(name).map(text_of),
        });
        filled.collect()
    }

    /// The value, filled in. A text that is one name alone becomes the value of that name, whatever
    /// its type.
    pub(super) fn value(&self, value: &Value) -> Result<Value, Unknown> {
        match value {
            Value::String(text) => match pieces(text)[..] {
                [Piece::Name(name)] => self.get(name).cloned(),
                _ => self.text(text).map(Value::from),
            },
            Value::Array(parts) => parts.iter().map(|part| self.value(part)).collect(),
            Value::Object(members) => {
                let filled = members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.value(value)?)));
                filled.collect::<Result<_, _>>().map(Value::Object)
            }
            other => Ok(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_filled_in_wherever_they_stand() {
        let mut known = Variables::default();
        known.set("id", "7");
        known.set("amount", json!(1.5));
        let value = json!({"a": ["${id}", "x${id}y${amount}"], "b": "${amount}", "c": true});
        assert_eq!(names(&value), ["id", "id", "amount", "amount"]);
        let filled = known.value(&value).expect("known");
        assert_eq!(filled, json!({"a": ["7", "x7y1.5"], "b": 1.5, "c": true}));
        assert_eq!(known.text("$${id} ${"), Ok("${id} ${".to_owned()));
        assert_eq!(known.text("${who}"), Err(Unknown("who".to_owned())));
    }
}
