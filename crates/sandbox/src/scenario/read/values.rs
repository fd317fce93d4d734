//! TOML values as the JSON that is sent.

use serde_json::{Map, Number, Value};

/// The same value in JSON.
pub(super) fn json(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => {
            let number = Number::from_f64(*number);
            number.ok_or("a number is finite")?.into()
        }
        toml::Value::Boolean(is) => Value::from(*is),
        toml::Value::Datetime(at) => Value::from(at.to_string()),
        toml::Value::Array(parts) => parts.iter().map(json).collect::<Result<_, _>>()?,
        toml::Value::Table(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), json(value)?)));
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
    })
}
