//! Maps of names and values that are changed name by name, and whose values are never shown.

use std::collections::BTreeMap;

use protocol::error::ApiError;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Largest map, in bytes of JSON.
const MAX_LEN: usize = 16 * 1024;

/// A field that was given, perhaps as null: with `#[serde(default)]` a missing one is `None`.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A map after a change: a value sets its name, null takes it away, a name that is not named stays;
/// null for the whole takes all away. `read` makes name and value what they must be.
pub(super) fn merged<T: Clone + Serialize>(
    field: &str,
    before: &BTreeMap<String, T>,
    change: Option<&Map<String, Value>>,
    name: impl Fn(&str) -> Result<String, ApiError>,
    value: impl Fn(&str, &Value) -> Result<T, ApiError>,
) -> Result<BTreeMap<String, T>, ApiError> {
    let Some(change) = change else {
        return Ok(BTreeMap::new());
    };
    let mut after = before.clone();
    let mut named = std::collections::BTreeSet::new();
    for (key, wanted) in change {
        let key = name(key)?;
        if !named.insert(key.clone()) {
            return Err(ApiError::invalid(
                field,
                format_args!("'{key}' stands twice"),
            ));
        }
        if wanted.is_null() {
            after.remove(&key);
        } else {
            let read = value(&key, wanted)?;
            after.insert(key, read);
        }
    }
    let len = serde_json::to_vec(&after).map_or(MAX_LEN, |text| text.len());
    if len >= MAX_LEN {
        return Err(ApiError::invalid(field, "less than 16 KB in all"));
    }
    Ok(after)
}

/// A text, of whatever length.
pub(super) fn text(field: &str, name: &str, value: &Value) -> Result<String, ApiError> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| ApiError::invalid(field, format_args!("the value of '{name}' is a string")))
}

/// A name that is not empty and none of those that are set otherwise.
pub(super) fn unreserved(field: &str, name: &str, reserved: &[&str]) -> Result<String, ApiError> {
    if name.is_empty() || reserved.contains(&name) {
        return Err(ApiError::invalid(
            field,
            format_args!("'{name}' cannot be set"),
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(before: &[(&str, &str)], change: &Value) -> Result<Vec<(String, String)>, ApiError> {
        let before = before
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let lower = |name: &str| Ok(name.to_lowercase());
        let read = |name: &str, value: &Value| text("map", name, value);
        merged("map", &before.collect(), change.as_object(), lower, read)
            .map(|after| after.into_iter().collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_name_is_set_taken_away_or_left() {
        let before = [("a", "1"), ("b", "2"), ("c", "3")];
        let after = change(&before, &json!({"A": "one", "b": null, "d": "", "e": null}));
        assert_eq!(after, Ok(pairs(&[("a", "one"), ("c", "3"), ("d", "")])));
        assert_eq!(change(&before, &Value::Null), Ok(Vec::new()));
        assert_eq!(change(&before, &json!({})), Ok(pairs(&before)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            json!({"a": 5}),
            json!({"a": ["x"]}),
            json!({"A": "1", "a": "2"}),
            json!({"a": "x".repeat(MAX_LEN)}),
        ] {
            assert!(change(&[], &bad).is_err(), "{bad}");
        }
    }
}
