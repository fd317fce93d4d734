//! Request tokens: the JWT in `Authorization: Bearer`, as the official clients make it.
//!
//! RS256 alone. Claims `uri`, `nonce`, `iat`, `exp`, `sub`, `bodyHash` (Fireblocks' page *Signing
//! a request*). The checks run in the order form, user, target, times, signature; the body is
//! checked once it is read, against what the verified token promised.

pub mod explain;

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::ids::UserId;
use crate::keys::{KeyFingerprint, PublicKey};

/// Longest token read, in bytes.
pub const MAX_TOKEN_LEN: usize = 32 * 1024;
/// Longest `exp - iat`, in seconds. The documentation says 30, every client sends 55.
pub const MAX_LIFETIME: i64 = 60;
/// How far `iat` may lie in the future, in seconds: clocks differ a little.
pub const MAX_SKEW: i64 = 5;
/// What the official clients put between `iat` and `exp`, in seconds.
pub const LIFETIME: i64 = 55;
/// Longest nonce, in bytes.
pub const MAX_NONCE_LEN: usize = 256;

/// Hashes that clients send when there is no body: of nothing (the official SDKs), of `""` (the
/// legacy Python SDK), of `null` (samples in Go and PHP).
pub const HASHES_OF_NOTHING: [&str; 3] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "12ae32cb1ec02d01eda3581b127c1fee3b0dc53572ed6baf239721a03d82e126",
    "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b",
];

/// Why a token does not open the door. Each is HTTP 401 with the code of Fireblocks' page *API error codes*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// -1: made with another key.
    #[error("Invalid signature")]
    Signature,
    /// -2: no `X-API-Key`, or no `sub`.
    #[error("Missing API key in the JWT")]
    NoUser,
    /// -3: no bearer token.
    #[error("The entire JWT is missing")]
    Missing,
    /// -4: `uri` is not the request target.
    #[error("Wrong URL in the JWT")]
    Target,
    /// -5: it cannot be read.
    #[error("Unauthorized: Invalid token format")]
    Form,
    /// -6: `sub` is not the API key of the header.
    #[error("Wrong user in the JWT")]
    User,
    /// -7: anything else: an unknown key, a foreign address, a used nonce, a wrong body hash.
    #[error("Unauthorized: Token was not accepted")]
    NotAccepted,
    /// -8: the role does not allow it.
    #[error("Insufficient permissions")]
    Role,
    /// -10: `exp` has passed.
    #[error("The request has expired")]
    Expired,
    /// -12: `iat` is in the future.
    #[error("Future issuance timestamp (iat)")]
    Future,
}

impl TokenError {
    /// Every failure.
    pub const ALL: [Self; 10] = [
        Self::Signature,
        Self::NoUser,
        Self::Missing,
        Self::Target,
        Self::Form,
        Self::User,
        Self::NotAccepted,
        Self::Role,
        Self::Expired,
        Self::Future,
    ];

    /// The code in the answer's body.
    pub const fn code(self) -> i32 {
        match self {
            Self::Signature => -1,
            Self::NoUser => -2,
            Self::Missing => -3,
            Self::Target => -4,
            Self::Form => -5,
            Self::User => -6,
            Self::NotAccepted => -7,
            Self::Role => -8,
            Self::Expired => -10,
            Self::Future => -12,
        }
    }
}

/// A nonce, as text: a number and the string of its digits are the same nonce.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(Arc<str>);

impl Nonce {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is no nonce: nothing, or more than [`MAX_NONCE_LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a nonce has 1 to {MAX_NONCE_LEN} bytes")]
pub struct BadNonce;

impl FromStr for Nonce {
    type Err = BadNonce;

    fn from_str(text: &str) -> Result<Self, BadNonce> {
        if (1..=MAX_NONCE_LEN).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(BadNonce)
        }
    }
}

/// A token that was read, of which nothing is believed yet.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    claims: Claims,
}

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The API key of the header.
    pub user: UserId,
    /// The request target as it was on the wire, undecoded.
    pub target: &'a str,
    /// Now, in seconds since the epoch.
    pub now: i64,
}

/// A token that holds. It comes out of [`UnverifiedToken::verify`] alone.
#[derive(Debug)]
pub struct VerifiedToken {
    user: UserId,
    key: KeyFingerprint,
    claims: Claims,
}

/// Reads the value of an `Authorization` header.
pub fn read(authorization: &str) -> Result<UnverifiedToken<'_>, TokenError> {
    let token = authorization
        .strip_prefix("Bearer ")
        .ok_or(TokenError::Missing)?
        .trim_matches(' ');
    if token.is_empty() {
        return Err(TokenError::Missing);
    }
    if token.len() > MAX_TOKEN_LEN {
        return Err(TokenError::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Form)?;
    if claims.contains('.') {
        return Err(TokenError::Form);
    }
    let mut json = Vec::with_capacity(claims.len());
    let Header = decoded(header, &mut json)?;
    let claims = decoded(claims, &mut json)?;
    let signature = URL_SAFE_NO_PAD.decode(signature);
    Ok(UnverifiedToken {
        signed,
        signature: signature.map_err(|_| TokenError::Form)?,
        claims,
    })
}

/// Reads one part of a token, by way of this memory.
fn decoded<'a, T: Deserialize<'a>>(part: &str, json: &'a mut Vec<u8>) -> Result<T, TokenError> {
    json.clear();
    let decoded = URL_SAFE_NO_PAD.decode_vec(part, json);
    decoded.map_err(|_| TokenError::Form)?;
    // Members have names: a list of their values in order is none.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(TokenError::Form);
    }
    serde_json::from_slice(json).map_err(|_| TokenError::Form)
}

impl UnverifiedToken<'_> {
    /// Checks user, target, times, and last (it costs most) the signature.
    pub fn verify(
        self,
        by: &PublicKey,
        expected: &Expected<'_>,
    ) -> Result<VerifiedToken, TokenError> {
        self.verify_either(by, None, expected)
    }

    /// The same while a user's key is replaced: the newest is tried first, then the one before. Who
    /// uses the newest pays for one verification, and nobody for more than two.
    pub fn verify_either(
        self,
        newest: &PublicKey,
        before: Option<&PublicKey>,
        expected: &Expected<'_>,
    ) -> Result<VerifiedToken, TokenError> {
        let claims = self.claims;
        match claims.sub {
            Sub::Nobody => return Err(TokenError::NoUser),
            Sub::User(user) if user == expected.user => {}
            Sub::User(_) | Sub::Other => return Err(TokenError::User),
        }
        if claims.uri != expected.target {
            return Err(TokenError::Target);
        }
        if claims.iat > expected.now.saturating_add(MAX_SKEW) {
            return Err(TokenError::Future);
        }
        if claims.exp <= expected.now {
            return Err(TokenError::Expired);
        }
        let lifetime = claims.exp.saturating_sub(claims.iat);
        if !(1..=MAX_LIFETIME).contains(&lifetime) {
            return Err(TokenError::NotAccepted);
        }
        let signed = |key: &&PublicKey| key.verifies_rs256(self.signed.as_bytes(), &self.signature);
        let key = [Some(newest), before].into_iter().flatten().find(signed);
        let key = key.ok_or(TokenError::Signature)?.fingerprint();
        Ok(VerifiedToken {
            user: expected.user,
            key,
            claims,
        })
    }
}

impl VerifiedToken {
    /// Whose token it is.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// With which of the user's keys it was signed.
    pub fn signed_with(&self) -> KeyFingerprint {
        self.key
    }

    /// Its nonce.
    pub fn nonce(&self) -> &Nonce {
        &self.claims.nonce
    }

    /// When it was made, in seconds since the epoch.
    pub fn issued_at(&self) -> i64 {
        self.claims.iat
    }

    /// Until when it holds, in seconds since the epoch.
    pub fn expires_at(&self) -> i64 {
        self.claims.exp
    }

    /// Whether this is the body that the token was made for. Strict where there is one; where
    /// there is none, the three hashes that clients are known to send.
    pub fn accept_body(&self, body: &[u8]) -> Result<(), TokenError> {
        let promised = |hash: &str| hash.as_bytes() == self.claims.body_hash.0;
        let kept = match body {
            [] => HASHES_OF_NOTHING.into_iter().any(promised),
            body => promised(&body_hash(body)),
        };
        if kept {
            Ok(())
        } else {
            Err(TokenError::NotAccepted)
        }
    }
}

/// The hash that goes with a body: SHA-256, lower-case hex.
pub fn body_hash(body: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, body))
}

/// A token before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct TokenDraft<'a> {
    /// Whose.
    pub user: UserId,
    /// The request target exactly as it will be on the wire.
    pub target: &'a str,
    /// Never used before with this key.
    pub nonce: &'a str,
    /// Now, in seconds since the epoch.
    pub issued_at: i64,
    /// How long it holds, in seconds.
    pub lifetime: i64,
    /// The body exactly as it will be on the wire.
    pub body: &'a [u8],
}

impl TokenDraft<'_> {
    /// What is to be signed with RS256.
    pub fn signing_input(&self) -> String {
        let claims = serde_json::json!({
            "uri": self.target,
            "nonce": self.nonce,
            "iat": self.issued_at,
            "exp": self.issued_at.saturating_add(self.lifetime),
            "sub": self.user,
            "bodyHash": body_hash(self.body),
        });
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }
}

/// The token, from what was signed and the signature.
pub fn finish(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A text, as it stands where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The JOSE header: RS256, and nothing that would have to be understood.
struct Header;

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Header;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JOSE header")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Header, M::Error> {
                let mut alg = None;
                while let Some(Text(name)) = map.next_key()? {
                    let Text(value) = map.next_value()?;
                    match name.as_ref() {
                        "alg" if alg.is_none() => alg = Some(value),
                        "typ" if value.eq_ignore_ascii_case("JWT") => {}
                        // A key id says nothing here: the key is the API user's.
                        "kid" => {}
                        _ => return Err(de::Error::custom("a header that is not understood")),
                    }
                }
                if alg.as_deref() == Some("RS256") {
                    Ok(Header)
                } else {
                    Err(de::Error::custom("alg"))
                }
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    uri: String,
    #[serde(deserialize_with = "nonce")]
    nonce: Nonce,
    iat: i64,
    exp: i64,
    #[serde(default)]
    sub: Sub,
    body_hash: HexSha256,
}

/// Whom a token names.
#[derive(Debug, Default)]
enum Sub {
    #[default]
    Nobody,
    User(UserId),
    /// What is nobody's API key.
    Other,
}

impl<'de> Deserialize<'de> for Sub {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<Text<'_>>::deserialize(deserializer)? {
            None => Self::Nobody,
            Some(Text(name)) if name.is_empty() => Self::Nobody,
            Some(Text(name)) => name.parse().map_or(Self::Other, Self::User),
        })
    }
}

fn nonce<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Nonce, D::Error> {
    let json = <&RawValue>::deserialize(deserializer)?.get();
    match serde_json::from_str(json) {
        Ok(Text(nonce)) => nonce.parse(),
        Err(_) => {
            let number: u64 = json.parse().map_err(de::Error::custom)?;
            number.to_string().parse()
        }
    }
    .map_err(de::Error::custom)
}

/// A SHA-256 in lower-case hex.
#[derive(Debug)]
struct HexSha256([u8; 64]);

impl<'de> Deserialize<'de> for HexSha256 {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(hex) = Text::deserialize(deserializer)?;
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match hex.as_bytes().try_into() {
            Ok(digits) if hex.bytes().all(lower_hex) => Ok(Self(digits)),
            _ => Err(de::Error::custom("bodyHash")),
        }
    }
}

#[cfg(test)]
mod tests;
