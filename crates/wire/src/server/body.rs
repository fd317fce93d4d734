//! Bodies: limited in size, time and depth, strict JSON.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use protocol::error::ApiError;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use zeroize::Zeroize;

use super::{MAX_BODY_LEN, MAX_BODY_SECONDS, MAX_JSON_DEPTH};

/// Reads a body whole, or says why not.
pub(crate) async fn read<B>(body: B) -> Result<Bytes, ApiError>
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Most requests have none: no timer is set for those.
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // What is promised to be too large is not waited for.
    let promised = usize::try_from(body.size_hint().lower());
    if promised.is_ok_and(|promised| promised > MAX_BODY_LEN) {
        return Err(ApiError::body_too_large());
    }
    let whole = Limited::new(body, MAX_BODY_LEN).collect();
    match tokio::time::timeout(Duration::from_secs(MAX_BODY_SECONDS), whole).await {
        Err(_) => Err(ApiError::uncoded(408, "The body took too long")),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(ApiError::body_too_large())
        }
        Ok(Err(_)) => Err(ApiError::bad_body("it broke off")),
    }
}

/// Reads JSON that has no name twice in one object and is not deeper than [`MAX_JSON_DEPTH`]:
/// two readers can never understand it differently.
pub fn strict_json(bytes: &[u8]) -> Result<Value, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let checked = Depth(MAX_JSON_DEPTH)
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    checked
        .and_then(|()| serde_json::from_slice(bytes))
        .map_err(ApiError::bad_body)
}

/// Walks a value; how deep it may still go.
struct Depth(usize);

impl Depth {
    fn below<E: de::Error>(&self) -> Result<Self, E> {
        self.0
            .checked_sub(1)
            .map(Self)
            .ok_or_else(|| E::custom("it is too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.below()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(self.below()?)?;
            if let Some(twice) = names.replace(name) {
                return Err(de::Error::custom(format_args!(
                    "the name '{twice}' stands twice in one object"
                )));
            }
        }
        Ok(())
    }
}

/// Overwrites a body that nobody else holds.
pub(super) fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        assert!(strict_json(br#"{"a":{"b":[1,2.5,"x",null,true]}}"#).is_ok());
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(strict_json(deep(MAX_JSON_DEPTH).as_bytes()).is_ok());
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"[{"x":{"y":1,"y":1}}]"#,
            &deep(MAX_JSON_DEPTH + 1),
            "{} {}",
            "",
            "{'a':1}",
            "nul",
        ] {
            assert!(strict_json(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_keeps_its_text() {
        let value = strict_json(b"[0.1000000000000000000000000001]").expect("JSON");
        assert_eq!(value.to_string(), "[0.1000000000000000000000000001]");
    }
}
