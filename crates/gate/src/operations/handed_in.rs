//! What somebody handed in, byte for byte: a private key that is no text must be seen as it is. It is
//! read without copies that stay behind, and overwritten when it has been looked at.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::error::ApiError;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::refused;

/// A text, or `{"base64": "..."}`.
pub struct HandedIn(Form);

enum Form {
    Text(Zeroizing<String>),
    Base64(Zeroizing<String>),
}

impl std::fmt::Debug for HandedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // There may be a private key in it.
        f.write_str("HandedIn(..)")
    }
}

impl HandedIn {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self(Form::Text(Zeroizing::new(text.to_owned())))
    }

    /// Any bytes, in base64.
    pub fn base64(text: &str) -> Self {
        Self(Form::Base64(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn bytes(mut self) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        let bytes = match &mut self.0 {
            Form::Text(text) => std::mem::take(&mut **text).into_bytes(),
            Form::Base64(text) => STANDARD
                .decode(text.as_bytes())
                .map_err(|_| refused(400, "base64 is not base64"))?,
        };
        Ok(Zeroizing::new(bytes))
    }
}

impl<'de> Deserialize<'de> for HandedIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = HandedIn;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or an object with base64")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<HandedIn, E> {
                Ok(HandedIn::text(text))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<HandedIn, M::Error> {
                let one = map.next_entry::<String, String>()?;
                let more = map.next_key::<String>()?;
                match (one, more) {
                    (Some((name, text)), None) if name == "base64" => {
                        Ok(HandedIn(Form::Base64(Zeroizing::new(text))))
                    }
                    _ => Err(M::Error::custom("the object has base64 and nothing else")),
                }
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Option<Vec<u8>> {
        let handed: HandedIn = protocol::objects::read(&json).ok()?;
        handed.bytes().ok().map(|bytes| bytes.to_vec())
    }

    #[test]
    fn a_text_is_its_bytes_and_base64_is_what_it_stands_for() {
        use serde_json::json;
        assert_eq!(read(json!("a\nb")), Some(b"a\nb".to_vec()));
        assert_eq!(read(json!({"base64": "AP8="})), Some(vec![0, 255]));
        for bad in [
            json!({}),
            json!({"base64": "?"}),
            json!({"base64": "", "a": ""}),
            json!({"hex": ""}),
            json!(["AP8="]),
            json!(null),
            json!(7),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }

    /// Invariant 8: secrets never show in debug output.
    #[test]
    fn invariant_8_what_was_handed_in_does_not_print() {
        assert_eq!(format!("{:?}", HandedIn::text("secret")), "HandedIn(..)");
    }
}
