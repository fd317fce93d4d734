//! Typed structured data (EIP-712): the hash that is signed. Pure.
//!
//! There is no library that fits: the maintained one brings over a hundred crates, the small ones
//! are years old or under the GPL.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::world::keys::keccak256;

/// Deepest that structures and arrays lie in one another.
const MAX_DEPTH: usize = 32;
/// The structure of the domain.
const DOMAIN: &str = "EIP712Domain";
/// Its fields, where the message does not say which.
const DOMAIN_FIELDS: [(&str, &str); 5] = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
];

/// A field of a structure.
#[derive(Clone, Debug, Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

type Types = BTreeMap<String, Vec<Field>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedData {
    types: Types,
    primary_type: String,
    domain: Map<String, Value>,
    #[serde(default)]
    message: Value,
}

/// A type, read.
enum Kind<'a> {
    Struct(&'a str),
    /// Of how many elements, where that is fixed.
    Array(&'a str, Option<usize>),
    Bool,
    Address,
    Text,
    Bytes,
    /// So many.
    FixedBytes(usize),
    /// Of so many bits.
    Number {
        bits: usize,
        signed: bool,
    },
}

/// The hash of a message. Why it has none, in words for whoever sent it.
pub(super) fn hash(data: &Value) -> Result<[u8; 32], String> {
    let mut data: TypedData = protocol::objects::read(data).map_err(|why| why.to_string())?;
    let domain = &data.domain;
    data.types.entry(DOMAIN.to_owned()).or_insert_with(|| {
        let given = DOMAIN_FIELDS
            .into_iter()
            .filter(|(name, _)| domain.contains_key(*name));
        given
            .map(|(name, kind)| Field {
                name: name.to_owned(),
                kind: kind.to_owned(),
            })
            .collect()
    });
    let types = &data.types;
    let domain = Value::Object(data.domain);
    let mut whole = b"\x19\x01".to_vec();
    whole.extend(of_struct(types, DOMAIN, &domain, DOMAIN, 0)?);
    if data.primary_type != DOMAIN {
        let primary = &data.primary_type;
        whole.extend(of_struct(types, primary, &data.message, primary, 0)?);
    }
    Ok(keccak256(&whole))
}

/// `hashStruct`. `at`: where the value stands.
fn of_struct(
    types: &Types,
    name: &str,
    value: &Value,
    at: &str,
    depth: usize,
) -> Result<[u8; 32], String> {
    let fields = types
        .get(name)
        .ok_or_else(|| format!("{at}: the type {name} is not among the types"))?;
    let value = value
        .as_object()
        .ok_or_else(|| format!("{at} must be an object of type {name}"))?;
    let mut encoded = keccak256(described(types, name)?.as_bytes()).to_vec();
    for field in fields {
        let at = format!("{at}.{}", field.name);
        let given = value.get(&field.name).unwrap_or(&Value::Null);
        encoded.extend(encode(types, &field.kind, given, &at, depth + 1)?);
    }
    Ok(keccak256(&encoded))
}

/// `encodeType`: the structure, and after it all that it is made of, by name.
fn described(types: &Types, name: &str) -> Result<String, String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![name];
    while let Some(next) = waiting.pop() {
        let Some((known, fields)) = types.get_key_value(next) else {
            continue;
        };
        if found.insert(known.as_str()) {
            waiting.extend(fields.iter().map(|field| element(&field.kind)));
        }
    }
    found.remove(name);
    let one = |name: &str| {
        let fields = types.get(name).map_or(&[][..], Vec::as_slice);
        let fields: Vec<_> = fields
            .iter()
            .map(|field| format!("{} {}", field.kind, field.name))
            .collect();
        format!("{name}({})", fields.join(","))
    };
    Ok(std::iter::once(name).chain(found).map(one).collect())
}

/// What a type's arrays are of.
fn element(kind: &str) -> &str {
    kind.split_once('[').map_or(kind, |(element, _)| element)
}

fn kind<'a>(types: &'a Types, text: &'a str) -> Option<Kind<'a>> {
    if let Some(rest) = text.strip_suffix(']') {
        let (element, length) = rest.rsplit_once('[')?;
        let length = (!length.is_empty()).then(|| length.parse()).transpose();
        return Some(Kind::Array(element, length.ok()?));
    }
    if let Some((name, _)) = types.get_key_value(text) {
        return Some(Kind::Struct(name));
    }
    Some(match text {
        "bool" => Kind::Bool,
        "address" => Kind::Address,
        "string" => Kind::Text,
        "bytes" => Kind::Bytes,
        _ => {
            if let Some(length) = text.strip_prefix("bytes") {
                let length = length.parse().ok();
                return length
                    .filter(|length| (1..=32).contains(length))
                    .map(Kind::FixedBytes);
            }
            let (bits, signed) = match text.strip_prefix("uint") {
                Some(bits) => (bits, false),
                None => (text.strip_prefix("int")?, true),
            };
            let bits = if bits.is_empty() {
                Some(256)
            } else {
                bits.parse().ok()
            };
            let bits = bits.filter(|bits| bits % 8 == 0 && (8..=256).contains(bits))?;
            Kind::Number { bits, signed }
        }
    })
}

/// `encodeData` of one value.
fn encode(
    types: &Types,
    text: &str,
    value: &Value,
    at: &str,
    depth: usize,
) -> Result<[u8; 32], String> {
    if depth > MAX_DEPTH {
        return Err(format!("{at} lies too deep"));
    }
    let must = |what: &str| format!("{at} must be {what}");
    let kind = kind(types, text).ok_or_else(|| format!("{at}: there is no type {text}"))?;
    match kind {
        // A structure that is left out.
        Kind::Struct(_) if value.is_null() => Ok([0; 32]),
        Kind::Struct(name) => of_struct(types, name, value, at, depth),
        Kind::Array(element, length) => {
            let list = value.as_array().ok_or_else(|| must("a list"))?;
            if length.is_some_and(|length| length != list.len()) {
                return Err(must(&format!("a list of {}", length.unwrap_or_default())));
            }
            let mut encoded = Vec::with_capacity(32 * list.len());
            for (number, one) in list.iter().enumerate() {
                let at = format!("{at}[{number}]");
                encoded.extend(encode(types, element, one, &at, depth + 1)?);
            }
            Ok(keccak256(&encoded))
        }
        Kind::Bool => {
            let value = value.as_bool().ok_or_else(|| must("true or false"))?;
            let mut word = [0; 32];
            word[31] = u8::from(value);
            Ok(word)
        }
        Kind::Text => {
            let text = value.as_str().ok_or_else(|| must("a string"))?;
            Ok(keccak256(text.as_bytes()))
        }
        Kind::Bytes => {
            let bytes = bytes(value).ok_or_else(|| must("hexadecimal digits after 0x"))?;
            Ok(keccak256(&bytes))
        }
        Kind::Address => {
            let bytes = bytes(value).filter(|bytes| bytes.len() == 20);
            let bytes = bytes.ok_or_else(|| must("an address: 20 bytes in hexadecimal"))?;
            Ok(padded(&bytes, false))
        }
        Kind::FixedBytes(length) => {
            let bytes = bytes(value).filter(|bytes| bytes.len() == length);
            let bytes = bytes.ok_or_else(|| must(&format!("{length} bytes in hexadecimal")))?;
            Ok(padded(&bytes, true))
        }
        Kind::Number { bits, signed } => number(value, bits, signed)
            .ok_or_else(|| must(&format!("a whole number of type {text}"))),
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.strip_prefix("0x")?).ok()
}

/// In a word of 32 bytes, at its beginning or at its end.
fn padded(bytes: &[u8], first: bool) -> [u8; 32] {
    let mut word = [0; 32];
    let from = if first { 0 } else { 32 - bytes.len() };
    word[from..from + bytes.len()].copy_from_slice(bytes);
    word
}

/// A whole number of so many bits: decimal, or hexadecimal after `0x`.
fn number(value: &Value, bits: usize, signed: bool) -> Option<[u8; 32]> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let (base, digits) = match digits.strip_prefix("0x") {
        Some(digits) => (16, digits),
        None => (10, digits),
    };
    if digits.is_empty() || (negative && !signed) {
        return None;
    }
    let mut word = [0_u8; 32];
    for digit in digits.chars() {
        times_plus(&mut word, base, digit.to_digit(base)?)?;
    }
    let used = 256 - leading_zeros(&word);
    // Of negative ones there is one more: -2^(bits-1).
    let least = negative && used == bits && trailing_zeros(&word) == bits - 1;
    let most = if signed { bits - 1 } else { bits };
    if used > most && !least {
        return None;
    }
    if negative {
        word = word.map(|byte| !byte);
        times_plus(&mut word, 1, 1).or(Some(()))?;
    }
    Some(word)
}

/// `word = word * factor + more`; nothing where that is too much.
fn times_plus(word: &mut [u8; 32], factor: u32, more: u32) -> Option<()> {
    let mut carry = more;
    for byte in word.iter_mut().rev() {
        carry += u32::from(*byte) * factor;
        let [.., low] = carry.to_be_bytes();
        *byte = low;
        carry >>= 8;
    }
    (carry == 0).then_some(())
}

fn leading_zeros(word: &[u8; 32]) -> usize {
    let zeros = word.iter().take_while(|byte| **byte == 0).count();
    let next = word.get(zeros).map_or(0, |byte| byte.leading_zeros());
    8 * zeros + usize::try_from(next).unwrap_or_default()
}

fn trailing_zeros(word: &[u8; 32]) -> usize {
    let zeros = word.iter().rev().take_while(|byte| **byte == 0).count();
    let next = word
        .iter()
        .rev()
        .nth(zeros)
        .map_or(0, |byte| byte.trailing_zeros());
    8 * zeros + usize::try_from(next).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mail() -> Value {
        json!({
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
                "Mail": [
                    {"name": "from", "type": "Person"},
                    {"name": "to", "type": "Person"},
                    {"name": "contents", "type": "string"},
                ],
            },
            "primaryType": "Mail",
            "domain": {
                "name": "Ether Mail",
                "version": "1",
                "chainId": 1,
                "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
            },
            "message": {
                "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
                "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
                "contents": "Hello, Bob!",
            },
        })
    }

    /// What the EIP says of its own example.
    #[test]
    fn the_standards_own_example() {
        let types: Types = serde_json::from_value(mail()["types"].clone()).expect("types");
        let told = described(&types, "Mail").expect("a type");
        assert_eq!(
            told,
            "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
        );
        let of = |name: &str, value: &Value| {
            hex::encode(of_struct(&types, name, value, "", 0).expect("a hash"))
        };
        assert_eq!(
            hex::encode(keccak256(told.as_bytes())),
            "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"
        );
        assert_eq!(
            of(DOMAIN, &mail()["domain"]),
            "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
        );
        assert_eq!(
            of("Mail", &mail()["message"]),
            "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
        );
        let whole = "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2";
        assert_eq!(hash(&mail()).map(hex::encode).as_deref(), Ok(whole));
        let mut without = mail();
        without["types"]
            .as_object_mut()
            .expect("types")
            .remove(DOMAIN);
        assert_eq!(hash(&without).map(hex::encode).as_deref(), Ok(whole));
    }

    #[test]
    fn numbers_fit_their_type_or_are_none() {
        let word = |text: &str, value: Value| {
            let word = encode(&Types::new(), text, &value, "n", 0);
            word.ok().map(hex::encode)
        };
        let (ones, zeros) = ("ff".repeat(32), "00".repeat(32));
        assert_eq!(
            word("uint8", json!(255)),
            Some(format!("{}ff", &zeros[2..]))
        );
        assert_eq!(
            word("uint8", json!("0xff")),
            Some(format!("{}ff", &zeros[2..]))
        );
        assert_eq!(word("uint8", json!(256)), None);
        assert_eq!(word("uint8", json!(-1)), None);
        assert_eq!(word("int8", json!(-1)), Some(ones.clone()));
        assert_eq!(word("int8", json!(-128)), Some(format!("{}80", &ones[2..])));
        assert_eq!(word("int8", json!("-129")), None);
        assert_eq!(word("int8", json!(127)), Some(format!("{}7f", &zeros[2..])));
        assert_eq!(word("int8", json!(128)), None);
        assert_eq!(word("int256", json!(0)), Some(zeros.clone()));
        let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(word("uint256", json!(most)), Some(ones));
        let more = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        assert_eq!(word("uint256", json!(more)), None);
        for bad in [
            json!(1.5),
            json!("1e3"),
            json!(""),
            json!("0x"),
            json!(true),
            json!(null),
        ] {
            assert_eq!(word("uint256", bad.clone()), None, "{bad}");
        }
        for unknown in [
            "uint7", "uint264", "bytes33", "bytes0", "float", "Person", "uint8[x]",
        ] {
            assert_eq!(word(unknown, json!(1)), None, "{unknown}");
        }
    }

    #[test]
    fn what_does_not_fit_says_where() {
        for (pointer, wrong, where_) in [
            (
                "/message/from/wallet",
                json!("0x12"),
                "Mail.from.wallet must be an address",
            ),
            (
                "/message/contents",
                json!(7),
                "Mail.contents must be a string",
            ),
            (
                "/message/from",
                json!("Cow"),
                "Mail.from must be an object of type Person",
            ),
            (
                "/primaryType",
                json!("Letter"),
                "the type Letter is not among the types",
            ),
            (
                "/types/Mail/2/type",
                json!("text"),
                "Mail.contents: there is no type text",
            ),
            (
                "/types/Mail/2/type",
                json!("string[]"),
                "Mail.contents must be a list",
            ),
            ("/types/Mail", json!("all"), ""),
        ] {
            let mut data = mail();
            *data.pointer_mut(pointer).expect("a place") = wrong;
            let why = hash(&data).expect_err(pointer);
            assert!(why.contains(where_), "{pointer}: {why}");
        }
        let mut deep =
            json!({"types": {"A": [{"name": "a", "type": "A"}]}, "primaryType": "A", "domain": {}});
        let mut message = json!(null);
        for _ in 0..100 {
            message = json!({ "a": message });
        }
        deep["message"] = message;
        assert!(hash(&deep).expect_err("too deep").contains("too deep"));
    }
}
