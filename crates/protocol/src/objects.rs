//! A model out of a JSON value, where an object must be an object.
//!
//! What serde derives for a struct takes a list as well, its fields in their order: no client
//! sends that, and a reader of another make would understand it differently. [`read`] refuses it,
//! in the value itself and however deep in it. And JSON has no integers beside its numbers: `2.0`
//! is read where a 2 is.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde_json::{Error, Number, Value};
use zeroize::Zeroize;

/// Reads a model.
pub fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, Error> {
    T::deserialize(Strict(value))
}

/// Overwrites every text in a value, names of members, too: there may have been a secret in it that
/// should not have come.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => {
            for (mut name, mut value) in std::mem::take(members) {
                name.zeroize();
                wipe(&mut value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A value whose lists are no structs.
struct Strict<'de>(&'de Value);

/// What a struct's reader is given in the place of an object.
fn found(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(flag) => Unexpected::Bool(*flag),
        Value::Number(_) => Unexpected::Other("a number"),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

macro_rules! as_the_value_itself {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.0.$method(visitor)
        }
    )*};
}

/// A number whose places are all zero, without them.
fn whole(value: &Value) -> Option<Number> {
    let text = value.as_number()?.to_string();
    let (whole, places) = text.split_once('.')?;
    places.bytes().all(|digit| digit == b'0').then_some(())?;
    whole.parse().ok()
}

macro_rules! as_a_whole_number {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match whole(self.0) {
                Some(whole) => whole.$method(visitor),
                None => self.0.$method(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Strict<'de> {
    type Error = Error;

    as_the_value_itself! {
        deserialize_bool deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit
        deserialize_identifier deserialize_ignored_any
    }

    as_a_whole_number! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(Strict));
                let read = visitor.visit_seq(&mut items)?;
                items.end().map(|()| read)
            }
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), Strict(value)));
                let mut fields = MapDeserializer::new(fields);
                let read = visitor.visit_map(&mut fields)?;
                fields.end().map(|()| read)
            }
            leaf => leaf.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            other => Err(Error::invalid_type(found(other), &"a JSON object")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Strict<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::transaction_request::TransactionRequest;
    use crate::model::user::CreateApiUser;

    #[test]
    fn every_text_is_wiped() {
        let mut value =
            serde_json::json!(["secret", ["secret", 1, null, true], {"secret": {"c": "secret"}}]);
        wipe(&mut value);
        assert_eq!(value, serde_json::json!(["", ["", 1, null, true], {}]));
    }

    #[test]
    fn a_list_is_no_object_however_deep() {
        let transfer = |source: Value, destinations: Value| {
            let body = json!({"assetId": "ETH", "amount": 0.5, "source": source, "destinations": destinations});
            read::<TransactionRequest>(&body).map(|read| read.source.and_then(|source| source.id))
        };
        let place = || json!({"type": "VAULT_ACCOUNT", "id": "1"});
        let listed = || json!(["VAULT_ACCOUNT", "1", null]);
        let part = |place: Value| json!([{"amount": "1", "destination": place}]);
        assert_eq!(
            transfer(place(), part(place())).expect("objects"),
            Some("1".to_owned())
        );
        for (source, destinations) in [
            (listed(), Value::Null),
            (place(), part(listed())),
            (place(), json!([["1", place()]])),
        ] {
            let refused = transfer(source, destinations).expect_err("a list");
            assert!(refused.to_string().contains("a JSON object"), "{refused}");
        }
        for body in [
            json!(["VIEWER", "a name", "a CSR"]),
            json!(null),
            json!(7),
            json!("x"),
            json!([]),
        ] {
            assert!(read::<CreateApiUser>(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_whole_number_may_have_places() {
        let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
        for text in ["2", "2.0", "2.000"] {
            assert_eq!(read::<u8>(&number(text)).expect(text), 2);
            assert_eq!(read::<Option<i64>>(&number(text)).expect(text), Some(2));
        }
        assert_eq!(read::<i64>(&number("-7.0")).expect("whole"), -7);
        for text in ["2.5", "2.01", "256.0", "-1.0"] {
            assert!(read::<u8>(&number(text)).is_err(), "{text}");
        }
    }

    /// Beside that, a value is read as serde reads it.
    #[test]
    fn everything_else_is_read_as_before() {
        let body: Value = serde_json::from_str(
            r#"{"a":[1,-2.5,"x",null,true,{"b":[{}]}],"n":0.1000000000000000000000000001,"big":123456789012345678901234567890}"#,
        )
        .expect("JSON");
        assert_eq!(read::<Value>(&body).expect("a value"), body);
        assert_eq!(
            read::<(u8, String)>(&json!([1, "x"])).expect("a pair"),
            (1, "x".to_owned())
        );
        assert!(
            read::<(u8, String)>(&json!([1, "x", 2])).is_err(),
            "one too many"
        );
    }
}
