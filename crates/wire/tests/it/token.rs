//! Tokens that can be wrong in every way.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::token::body_hash;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::world::{KEY, NOW};

/// A token that is right until it is made wrong.
#[derive(Clone)]
pub struct Token {
    header: Value,
    claims: Map<String, Value>,
    key: PrivateKey,
}

impl Token {
    pub fn of(user: UserId, target: &str, body: &[u8]) -> Self {
        let claims = json!({
            "uri": target, "nonce": Uuid::new_v4(), "iat": NOW, "exp": NOW + 55, "sub": user, "bodyHash": body_hash(body),
        });
        Self {
            header: json!({"alg": "RS256", "typ": "JWT"}),
            claims: claims.as_object().cloned().expect("an object"),
            key: KEY.clone(),
        }
    }

    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.claims.shift_remove(name).expect("a claim");
        self
    }

    pub fn header(mut self, header: Value) -> Self {
        self.header = header;
        self
    }

    pub fn signed_by(mut self, key: &PrivateKey) -> Self {
        self.key = key.clone();
        self
    }

    pub fn signing_input(&self) -> String {
        let part = |value: String| URL_SAFE_NO_PAD.encode(value);
        let claims = Value::Object(self.claims.clone()).to_string();
        format!("{}.{}", part(self.header.to_string()), part(claims))
    }

    pub fn text(&self) -> String {
        let input = self.signing_input();
        let signature = self.key.sign_rs256(input.as_bytes()).expect("signed");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// With an HMAC over it, as if the public key were a shared secret.
    pub fn text_hs256(&self, secret: &[u8]) -> String {
        let input = self.signing_input();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    }
}
