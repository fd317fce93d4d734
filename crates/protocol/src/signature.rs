//! Webhook signatures, both generations, and the JWKS they are checked with.
//!
//! New: `Fireblocks-Webhook-Signature`, a detached JWS in compact form (`header..signature`),
//! RS512 with a `kid`, over `header.base64url(body)`. Legacy: `Fireblocks-Signature`, base64 of
//! RSASSA-PKCS1-v1_5 with SHA-512 over the body. (Fireblocks' page *Validating webhooks*.)

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::keys::{KeyError, PrivateKey, PublicKey};

/// The header of the detached JWS.
pub const JWS_HEADER: &str = "fireblocks-webhook-signature";
/// The legacy header.
pub const LEGACY_HEADER: &str = "fireblocks-signature";
/// Longest signature header read, in bytes.
const MAX_HEADER_LEN: usize = 8 * 1024;
/// Most keys read from one JWKS.
const MAX_KEYS: usize = 32;

/// A key that signs webhooks, by its name.
#[derive(Clone, Debug)]
pub struct WebhookKey {
    kid: String,
    key: PrivateKey,
}

impl WebhookKey {
    /// A key of that name.
    pub fn new(kid: impl Into<String>, key: PrivateKey) -> Self {
        Self {
            kid: kid.into(),
            key,
        }
    }

    /// The detached JWS of a body.
    pub fn sign_jws(&self, body: &[u8]) -> Result<String, KeyError> {
        let header = URL_SAFE_NO_PAD
            .encode(serde_json::json!({"alg": "RS512", "kid": self.kid}).to_string());
        let signature = self
            .key
            .sign_rs512(signing_input(&header, body).as_bytes())?;
        Ok(format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The legacy signature of a body.
    pub fn sign_legacy(&self, body: &[u8]) -> Result<String, KeyError> {
        Ok(STANDARD.encode(self.key.sign_rs512(body)?))
    }

    /// Its public half, as it stands in a JWKS.
    pub fn public(&self) -> Jwk {
        Jwk {
            kid: self.kid.clone(),
            key: self.key.public().clone(),
        }
    }
}

fn signing_input(header: &str, body: &[u8]) -> String {
    let mut input = String::with_capacity(header.len() + 1 + body.len() * 4 / 3 + 4);
    input.push_str(header);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(body, &mut input);
    input
}

/// A public key that verifies webhooks, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    /// Its name.
    pub kid: String,
    /// The key.
    pub key: PublicKey,
}

/// A set of keys (RFC 7517), as Fireblocks serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jwks {
    /// The keys; those that are no RSA keys are left out.
    pub keys: Vec<Jwk>,
}

#[derive(Serialize, Deserialize)]
struct WireJwks {
    keys: Vec<WireJwk>,
}

#[derive(Serialize, Deserialize)]
struct WireJwk {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(rename = "use", default)]
    usage: String,
    #[serde(default)]
    alg: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl Jwks {
    /// Reads a set.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        let wire: WireJwks = serde_json::from_slice(json).map_err(|_| KeyError::Unreadable)?;
        if wire.keys.len() > MAX_KEYS {
            return Err(KeyError::Unreadable);
        }
        let read = |jwk: WireJwk| {
            let usable = jwk.kty == "RSA"
                && matches!(jwk.alg.as_str(), "RS512" | "")
                && matches!(jwk.usage.as_str(), "sig" | "");
            let n = URL_SAFE_NO_PAD.decode(jwk.n).ok().filter(|_| usable)?;
            let key = PublicKey::from_parts(&n, &URL_SAFE_NO_PAD.decode(jwk.e).ok()?).ok()?;
            Some(Jwk { kid: jwk.kid, key })
        };
        Ok(Self {
            keys: wire.keys.into_iter().filter_map(read).collect(),
        })
    }

    /// Prints a set.
    pub fn to_json(&self) -> String {
        let print = |jwk: &Jwk| WireJwk {
            kty: "RSA".to_owned(),
            kid: jwk.kid.clone(),
            usage: "sig".to_owned(),
            alg: "RS512".to_owned(),
            n: URL_SAFE_NO_PAD.encode(jwk.key.modulus()),
            e: URL_SAFE_NO_PAD.encode(jwk.key.exponent()),
        };
        let wire = WireJwks {
            keys: self.keys.iter().map(print).collect(),
        };
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// The key of that name.
    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.keys
            .iter()
            .find(|jwk| jwk.kid == kid)
            .map(|jwk| &jwk.key)
    }
}

/// Why a webhook is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header cannot be read, or names another algorithm.
    #[error("the signature header cannot be read")]
    Form,
    /// No key of that name is known: the set may have been rotated.
    #[error("no webhook key '{0}' is known")]
    UnknownKid(String),
    /// The signature is not this key's over this body.
    #[error("the webhook signature is wrong")]
    Mismatch,
}

/// The JOSE header. RS512 is pinned; where a header says keys are to be had (`jku`, `x5u`) is not read.
#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: String,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    b64: Option<bool>,
}

/// Checks a detached JWS over a body.
pub fn verify_jws(header: &str, body: &[u8], keys: &Jwks) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER_LEN {
        return Err(SignatureError::Form);
    }
    let (jose, signature) = header.split_once("..").ok_or(SignatureError::Form)?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| SignatureError::Form)
    };
    let parsed: JoseHeader =
        serde_json::from_slice(&decode(jose)?).map_err(|_| SignatureError::Form)?;
    if parsed.alg != "RS512" || parsed.crit.is_some() || parsed.b64 == Some(false) {
        return Err(SignatureError::Form);
    }
    let signature = decode(signature)?;
    let key = keys
        .get(&parsed.kid)
        .ok_or(SignatureError::UnknownKid(parsed.kid))?;
    if key.verifies_rs512(signing_input(jose, body).as_bytes(), &signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Checks a legacy signature over a body.
pub fn verify_legacy(header: &str, body: &[u8], key: &PublicKey) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER_LEN {
        return Err(SignatureError::Form);
    }
    let signature = STANDARD.decode(header).map_err(|_| SignatureError::Form)?;
    if key.verifies_rs512(body, &signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{KEY, OTHER};
    use proptest::prelude::*;

    fn webhook_key() -> WebhookKey {
        WebhookKey::new("webhook-key-1", KEY.clone())
    }

    fn jwks() -> Jwks {
        Jwks {
            keys: vec![
                Jwk {
                    kid: "old".to_owned(),
                    key: OTHER.public().clone(),
                },
                webhook_key().public(),
            ],
        }
    }

    #[test]
    fn a_set_round_trips_and_leaves_out_what_it_cannot_use() {
        let set = jwks();
        assert_eq!(Jwks::parse(set.to_json().as_bytes()).as_ref(), Ok(&set));
        let mixed = set
            .to_json()
            .replace("{\"keys\":[", "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"x\"},");
        assert_eq!(Jwks::parse(mixed.as_bytes()), Ok(set));
        assert!(Jwks::parse(b"[]").is_err());
    }

    #[test]
    fn each_way_of_being_wrong_is_told_apart() {
        let key = webhook_key();
        let good = key.sign_jws(b"body").expect("a signature");
        assert_eq!(verify_jws(&good, b"body", &jwks()), Ok(()));
        assert_eq!(
            verify_jws(&good, b"bodx", &jwks()),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(
            verify_jws(&good, b"body", &Jwks::default()),
            Err(SignatureError::UnknownKid("webhook-key-1".to_owned()))
        );
        let imposter = WebhookKey::new("webhook-key-1", OTHER.clone())
            .sign_jws(b"body")
            .expect("a signature");
        assert_eq!(
            verify_jws(&imposter, b"body", &jwks()),
            Err(SignatureError::Mismatch)
        );
        let (_, signature) = good.split_once("..").expect("detached");
        for header in [
            r#"{"alg":"none","kid":"webhook-key-1"}"#,
            r#"{"alg":"RS256","kid":"webhook-key-1"}"#,
            r#"{"alg":"RS512"}"#,
            r#"{"alg":"RS512","kid":"webhook-key-1","b64":false,"crit":["b64"]}"#,
        ] {
            let forged = format!("{}..{signature}", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(
                verify_jws(&forged, b"body", &jwks()),
                Err(SignatureError::Form),
                "{header}"
            );
        }
        for text in ["", "..", "a.b.c", "ü..ü", &good.replace("..", ".")] {
            assert_eq!(
                verify_jws(text, b"body", &jwks()),
                Err(SignatureError::Form),
                "{text}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn both_generations_round_trip(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = webhook_key();
            prop_assert_eq!(verify_jws(&key.sign_jws(&body).expect("signed"), &body, &jwks()), Ok(()));
            prop_assert_eq!(verify_legacy(&key.sign_legacy(&body).expect("signed"), &body, KEY.public()), Ok(()));
            prop_assert!(verify_legacy(&key.sign_legacy(&body).expect("signed"), &body, OTHER.public()).is_err());
        }

        #[test]
        fn any_header_is_survived(header in ".{0,120}") {
            let _ = verify_jws(&header, b"body", &jwks());
            let _ = verify_legacy(&header, b"body", KEY.public());
        }
    }
}
