//! Headers that a webhook's owner adds to each delivery. Their values are never shown.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use protocol::error::ApiError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::maps::merged;

/// Most headers of one webhook.
const MAX_HEADERS: usize = 10;
/// Longest name, in characters.
const MAX_NAME: usize = 128;
/// What the sender itself sets.
const RESERVED: [&str; 10] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "user-agent",
    "accept",
    "accept-encoding",
    "fireblocks-signature",
    "fireblocks-webhook-signature",
];
/// What may stand on one line alone.
const ONE_LINE: [&str; 2] = ["authorization", "cookie"];

/// The lines of each header, by its name in lower case.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CustomHeaders(BTreeMap<String, Vec<String>>);

impl fmt::Debug for CustomHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomHeaders({:?})", self.names())
    }
}

impl CustomHeaders {
    /// The headers after a change; null for the whole takes all away.
    pub(crate) fn changed(&self, change: Option<&Map<String, Value>>) -> Result<Self, ApiError> {
        let name = |text: &str| name(text, &RESERVED);
        let after = merged("customHeaders", &self.0, change, name, lines)?;
        if after.len() > MAX_HEADERS {
            let must = format_args!("at most {MAX_HEADERS} headers");
            return Err(ApiError::invalid("customHeaders", must));
        }
        Ok(Self(after))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds them to what is sent.
    pub(crate) fn add_to(&self, sent: &mut HeaderMap) {
        for (name, lines) in &self.0 {
            let Ok(name) = HeaderName::try_from(name.as_str()) else {
                continue;
            };
            for line in lines {
                if let Ok(mut value) = HeaderValue::try_from(line.as_str()) {
                    value.set_sensitive(true);
                    sent.append(name.clone(), value);
                }
            }
        }
    }
}

/// A header's name, as it is kept; none of those that are set otherwise.
pub(super) fn name(text: &str, reserved: &[&str]) -> Result<String, ApiError> {
    let must = |why: &str| ApiError::invalid("customHeaders", format_args!("'{text}' {why}"));
    if text.len() > MAX_NAME {
        return Err(must("has more than 128 characters"));
    }
    let name = HeaderName::try_from(text).map_err(|_| must("is no name of a header"))?;
    if reserved.contains(&name.as_str()) {
        return Err(must("cannot be set"));
    }
    Ok(name.as_str().to_owned())
}

/// A header's line: what can stand in one.
pub(super) fn line(name: &str, value: &Value) -> Result<String, ApiError> {
    let line = value
        .as_str()
        .filter(|text| text.is_ascii() && HeaderValue::from_str(text).is_ok());
    line.map(str::to_owned).ok_or_else(|| {
        let must = format_args!("the value of '{name}' is printable ASCII on one line");
        ApiError::invalid("customHeaders", must)
    })
}

fn lines(name: &str, value: &Value) -> Result<Vec<String>, ApiError> {
    match value {
        Value::Array(_) if ONE_LINE.contains(&name) => Err(ApiError::invalid(
            "customHeaders",
            format_args!("the value of '{name}' is one string"),
        )),
        Value::Array(values) if values.is_empty() => Err(ApiError::invalid(
            "customHeaders",
            format_args!("'{name}' has no value"),
        )),
        Value::Array(values) => values.iter().map(|value| line(name, value)).collect(),
        one => Ok(vec![line(name, one)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(change: &Value) -> Result<CustomHeaders, ApiError> {
        CustomHeaders::default().changed(change.as_object())
    }

    #[test]
    fn lines_are_sent_and_names_alone_are_shown() {
        let made =
            changed(&json!({"X-Gateway-Key": "abc", "X-Region": ["eu", "us"], "x-empty": ""}));
        let made = made.expect("headers");
        assert_eq!(made.names(), ["x-empty", "x-gateway-key", "x-region"]);
        assert!(!format!("{made:?}").contains("abc"));
        let mut sent = HeaderMap::new();
        made.add_to(&mut sent);
        assert_eq!(sent["x-gateway-key"], "abc");
        assert_eq!(
            sent.get_all("x-region").iter().collect::<Vec<_>>(),
            ["eu", "us"]
        );
        let fewer = made
            .changed(json!({"x-REGION": null}).as_object())
            .expect("fewer");
        assert_eq!(fewer.names(), ["x-empty", "x-gateway-key"]);
        assert_eq!(fewer.changed(None).expect("none"), CustomHeaders::default());
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let eleven: Map<_, _> = (0..11).map(|n| (format!("x-{n}"), json!("1"))).collect();
        for bad in [
            json!({"Host": "x"}),
            json!({"fireblocks-SIGNATURE": "x"}),
            json!({"a b": "x"}),
            json!({"": "x"}),
            json!({"ü": "x"}),
            json!({"x".repeat(129): "x"}),
            json!({"x-a": "one\r\nx-b: two"}),
            json!({"x-a": "ü"}),
            json!({"x-a": 5}),
            json!({"x-a": []}),
            json!({"x-a": ["1", 2]}),
            json!({"Cookie": ["a=1", "b=2"]}),
            json!({"X-A": "1", "x-a": "2"}),
            Value::Object(eleven),
        ] {
            assert!(changed(&bad).is_err(), "{bad}");
        }
        assert!(changed(&json!({"Authorization": "Basic x", "Cookie": "a=1"})).is_ok());
    }
}
