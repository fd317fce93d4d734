//! Messages to be signed, of `RAW` and `TYPED_MESSAGE`. Pure.

use protocol::error::ApiError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::typed_data;
use crate::world::assets::{self, AssetRow, Chain};
use crate::world::keys::{Algorithm, Keyring, algorithm_of, keccak256, sha256};

/// Most messages of one transaction.
const MAX_MESSAGES: usize = 1_000;
/// Longest message, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;
/// Most steps of a derivation path.
const MAX_STEPS: usize = 10;

/// A message, read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// As it was given; of structured data its hash.
    content: String,
    typed: bool,
    /// What the key signs: of ECDSA a hash, else the message itself.
    signed: Vec<u8>,
    algorithm: Algorithm,
    key: Key,
}

/// Which key signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Key {
    /// One of the source's on the asset's chain.
    OfSource { change: u32, index: u32 },
    /// That of a path.
    At(Vec<u32>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMessageData {
    #[serde(default)]
    algorithm: Option<Algorithm>,
    messages: Vec<Unsigned>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unsigned {
    content: Value,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default, rename = "bip44change")]
    change: Option<u32>,
    #[serde(default, rename = "bip44addressIndex", alias = "index")]
    index: Option<u32>,
    #[serde(default)]
    derivation_path: Option<Vec<u32>>,
}

fn bad(why: impl std::fmt::Display) -> ApiError {
    ApiError::bad_transaction(format_args!("extraParameters.rawMessageData: {why}"))
}

/// Reads `rawMessageData`.
pub(super) fn read(data: &Value, typed: bool, asset: &AssetRow) -> Result<Vec<Message>, ApiError> {
    let data: RawMessageData = protocol::objects::read(data).map_err(bad)?;
    let chain = assets::chain_of(asset).ok_or_else(ApiError::internal)?;
    if data.messages.is_empty() || data.messages.len() > MAX_MESSAGES {
        return Err(bad(format_args!("1 to {MAX_MESSAGES} messages")));
    }
    let algorithm = data.algorithm.unwrap_or_else(|| algorithm_of(chain));
    let read = |message| one(message, typed, algorithm, chain);
    data.messages.into_iter().map(read).collect()
}

fn one(
    message: Unsigned,
    typed: bool,
    algorithm: Algorithm,
    chain: &Chain,
) -> Result<Message, ApiError> {
    let structured = typed && message.kind.as_deref() == Some("EIP712");
    let (content, bytes) = if structured {
        let hash = structured_hash(&message.content)?;
        (hex::encode(hash), hash.to_vec())
    } else {
        plain(&message.content)?
    };
    let signed = match (typed, message.kind.as_deref()) {
        (false, None) => bytes,
        (true, Some("EIP712")) if algorithm == Algorithm::Ecdsa => bytes,
        (true, Some("EIP191")) if algorithm == Algorithm::Ecdsa => {
            let head = format!("\x19Ethereum Signed Message:\n{}", bytes.len());
            keccak256(&[head.as_bytes(), &bytes].concat()).to_vec()
        }
        (true, Some("BTC_MESSAGE")) if algorithm == Algorithm::Ecdsa && bytes.len() < 0xfd => {
            let mut all = b"\x18Bitcoin Signed Message:\n".to_vec();
            all.extend(u8::try_from(bytes.len()));
            all.extend(bytes);
            sha256(&sha256(&all)).to_vec()
        }
        (true, Some(kind)) => {
            return Err(bad(format_args!(
                "messages of type {kind} are not served by this sandbox"
            )));
        }
        (true, None) => return Err(bad("type is required of typed messages")),
        (false, Some(_)) => return Err(bad("type is of typed messages alone")),
    };
    if algorithm == Algorithm::Ecdsa && signed.len() != 32 {
        return Err(bad("what ECDSA signs is a hash: 32 bytes"));
    }
    let key = match message.derivation_path {
        Some(path) if path.is_empty() || path.len() > MAX_STEPS => {
            return Err(bad(format_args!(
                "a derivationPath has 1 to {MAX_STEPS} steps"
            )));
        }
        Some(path) => Key::At(path),
        None if algorithm == algorithm_of(chain) => Key::OfSource {
            change: message.change.unwrap_or(0),
            index: message.index.unwrap_or(0),
        },
        None => {
            return Err(bad(
                "keys of the asset's chain do not sign by that algorithm",
            ));
        }
    };
    Ok(Message {
        content,
        typed,
        signed,
        algorithm,
        key,
    })
}

/// What is given in hexadecimal.
fn plain(content: &Value) -> Result<(String, Vec<u8>), ApiError> {
    let text = content.as_str();
    let text = text.ok_or_else(|| bad("content must be a string of hexadecimal digits"))?;
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok();
    let bytes = bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= MAX_MESSAGE);
    let must = format_args!("content must be 1 to {MAX_MESSAGE} bytes in hexadecimal");
    bytes
        .map(|bytes| (text.to_owned(), bytes))
        .ok_or_else(|| bad(must))
}

/// The hash of typed structured data, which may also be given as a text.
fn structured_hash(content: &Value) -> Result<[u8; 32], ApiError> {
    let read = match content.as_str() {
        Some(text) => serde_json::from_str(text),
        None => Ok(content.clone()),
    };
    let data: Value = read.map_err(|why| bad(format_args!("content is no JSON: {why}")))?;
    typed_data::hash(&data).map_err(|why| bad(format_args!("content: {why}")))
}

impl Message {
    /// Whether a text for people was signed, and not a bare hash.
    pub(crate) const fn is_typed(&self) -> bool {
        self.typed
    }

    /// As the transaction shows it once it is signed by a key of an account.
    pub(crate) fn signed(&self, keys: &Keyring, asset: &AssetRow, account: u32) -> Value {
        let path = match &self.key {
            Key::At(path) => path.clone(),
            Key::OfSource { change, index } => assets::chain_of(asset)
                .map(|chain| {
                    let [purpose, coin, account, _, _] = keys.path(chain, account, 0);
                    vec![purpose, coin, account, *change, *index]
                })
                .unwrap_or_default(),
        };
        let mut shown = json!({
            "content": self.content,
            "algorithm": self.algorithm,
            "derivationPath": path,
            "publicKey": hex::encode(keys.public(self.algorithm, &path)),
        });
        if let Some(signature) = keys.sign(self.algorithm, &path, &self.signed) {
            shown["signature"] = json!(signature);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(id: &str) -> &'static AssetRow {
        assets::find(&id.parse().expect("an id")).expect("an asset")
    }

    #[test]
    fn the_standards_own_hashes() {
        let content = hex::encode("hello world");
        let typed = |kind: &str, content: &str| {
            let data = json!({"messages": [{"type": kind, "content": content}]});
            let read = read(&data, true, asset("ETH")).expect("a message");
            hex::encode(&read[0].signed)
        };
        // EIP-191: what eth_account makes of the same text.
        let ethereum = "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68";
        assert_eq!(typed("EIP191", &content), ethereum);
        let short = sha256(&sha256(b"\x18Bitcoin Signed Message:\n\x0bhello world"));
        assert_eq!(typed("BTC_MESSAGE", &content), hex::encode(short));
    }

    #[test]
    fn what_no_key_would_sign_is_refused() {
        let hash = "ab".repeat(32);
        let one = |message: Value| json!({"messages": [message]});
        for (typed, id, data) in [
            (false, "ETH", json!({"messages": []})),
            (false, "ETH", json!({})),
            (false, "ETH", one(json!({"content": "abcd"}))),
            (false, "ETH", one(json!({"content": "no hex"}))),
            (
                false,
                "ETH",
                one(json!({"content": hash, "type": "EIP191"})),
            ),
            (
                false,
                "ETH",
                one(json!({"content": hash, "derivationPath": []})),
            ),
            (true, "ETH", one(json!({"content": hash}))),
            (true, "ETH", one(json!({"content": hash, "type": "OTHER"}))),
            (
                true,
                "ETH",
                one(json!({"content": {"domain": {}}, "type": "EIP712"})),
            ),
            (true, "SOL", one(json!({"content": hash, "type": "EIP191"}))),
            (
                false,
                "ETH",
                json!({"messages": [{"content": hash}], "algorithm": "MPC_EDDSA_ED25519"}),
            ),
            (
                false,
                "ETH",
                json!({"messages": [{"content": hash}], "algorithm": "ROT13"}),
            ),
        ] {
            let error = read(&data, typed, asset(id)).expect_err(&data.to_string());
            assert_eq!((error.status(), error.code()), (400, Some(1409)), "{data}");
        }
        assert!(read(&one(json!({"content": "abcd"})), false, asset("SOL")).is_ok());
        assert!(read(&one(json!({"content": hash})), false, asset("ETH")).is_ok());
    }
}
