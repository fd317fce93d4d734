//! What is wrong with a request token, in words: for whoever makes one and is refused. Nothing here
//! decides anything; [`super::read`] and [`super::UnverifiedToken::verify`] do.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::{HASHES_OF_NOTHING, MAX_LIFETIME, MAX_NONCE_LEN, MAX_SKEW, MAX_TOKEN_LEN, TokenError};
use crate::ids::UserId;
use crate::keys::PublicKey;

/// What a token is held against, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Against<'a> {
    /// Now, in seconds since the epoch.
    pub now: i64,
    /// The API key of the header.
    pub user: Option<UserId>,
    /// The request target as it was on the wire.
    pub target: Option<&'a str>,
    /// The hash of the body that was sent.
    pub body_hash: Option<&'a str>,
    /// The public half of the key that must have signed it.
    pub key: Option<&'a PublicKey>,
}

/// A token taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Its header, if it can be read.
    pub header: Option<Value>,
    /// Its claims, if they can be read.
    pub claims: Option<Value>,
    /// What is wrong with it, as far as can be told; nothing: nothing.
    pub findings: Vec<Finding>,
}

/// Something that is wrong with a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which part: `token`, `header`, a claim's name, or `signature`.
    pub part: &'static str,
    /// What was expected, and what is there.
    pub says: String,
    /// The code of the answer that it leads to.
    pub code: i32,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.part, self.says)
    }
}

/// Takes a token apart: with `Bearer ` before it, or without.
pub fn explain(token: &str, against: &Against<'_>) -> Explained {
    let mut explained = Explained {
        header: None,
        claims: None,
        findings: Vec::new(),
    };
    let token = token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    if token.len() > MAX_TOKEN_LEN {
        let says = format!(
            "{} bytes, where at most {MAX_TOKEN_LEN} are read",
            token.len()
        );
        explained.found("token", TokenError::Form, says);
        return explained;
    }
    let parts: Vec<_> = token.split('.').collect();
    let &[header, claims, signature] = parts.as_slice() else {
        let says = format!(
            "a JWT has three parts with a dot between them; this has {}",
            parts.len()
        );
        explained.found("token", TokenError::Form, says);
        return explained;
    };
    explained.header = explained.part("header", header);
    explained.claims = explained.part("claims", claims);
    explained.look_at_header();
    explained.look_at_claims(against);
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    explained.look_at_signature(signed, signature, against);
    if explained.findings.is_empty() && super::read(&format!("Bearer {token}")).is_err() {
        let says =
            "it is not as the official clients make it: a name stands in it twice".to_owned();
        explained.found("token", TokenError::Form, says);
    }
    explained
}

impl Explained {
    fn found(&mut self, part: &'static str, error: TokenError, says: String) {
        self.findings.push(Finding {
            part,
            says,
            code: error.code(),
        });
    }

    fn part(&mut self, name: &'static str, text: &str) -> Option<Value> {
        let says = match URL_SAFE_NO_PAD.decode(text) {
            Err(error) => format!("it is not base64url without padding: {error}"),
            Ok(bytes) => match serde_json::from_slice::<Value>(&bytes) {
                Ok(value) if value.is_object() => return Some(value),
                Ok(_) => "it is no JSON object".to_owned(),
                Err(error) => format!("it is no JSON: {error}"),
            },
        };
        self.found(name, TokenError::Form, says);
        None
    }

    fn look_at_header(&mut self) {
        let Some(header) = self.header.clone() else {
            return;
        };
        if header["alg"] != "RS256" {
            let says = format!("alg must be \"RS256\"; it is {}", header["alg"]);
            self.found("header", TokenError::Form, says);
        }
        let typ = header
            .get("typ")
            .map(|typ| typ.as_str().unwrap_or_default());
        if typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            let says = format!("typ must be \"JWT\"; it is {}", header["typ"]);
            self.found("header", TokenError::Form, says);
        }
        let known = ["alg", "typ", "kid"];
        let strange = header
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name);
        for name in strange.filter(|name| !known.contains(&name.as_str())) {
            self.found(
                "header",
                TokenError::Form,
                format!("{name} is not understood"),
            );
        }
    }

    fn look_at_claims(&mut self, against: &Against<'_>) {
        let Some(claims) = self.claims.clone() else {
            return;
        };
        for name in ["uri", "nonce", "iat", "exp", "sub", "bodyHash"] {
            if claims.get(name).is_none_or(Value::is_null) {
                let error = if name == "sub" {
                    TokenError::NoUser
                } else {
                    TokenError::Form
                };
                self.found(name, error, "it is missing".to_owned());
            }
        }
        self.look_at_target(&claims, against);
        self.look_at_user(&claims, against);
        self.look_at_times(&claims, against.now);
        self.look_at_nonce(&claims);
        self.look_at_body(&claims, against);
    }

    fn look_at_target(&mut self, claims: &Value, against: &Against<'_>) {
        let Some(uri) = claims.get("uri") else {
            return;
        };
        let Some(uri) = uri.as_str() else {
            self.found(
                "uri",
                TokenError::Form,
                format!("it must be a text; it is {uri}"),
            );
            return;
        };
        let hint = if uri.starts_with("http") {
            ": path and query alone, without the host"
        } else if !uri.starts_with("/v1") {
            ": with /v1 before it"
        } else if against
            .target
            .is_some_and(|target| target.split('?').next() == Some(uri))
        {
            ": with the query, exactly as it is sent"
        } else {
            ""
        };
        match against.target {
            Some(target) if target != uri => {
                let says =
                    format!("the request's target is {target:?}; the token says {uri:?}{hint}");
                self.found("uri", TokenError::Target, says);
            }
            None if !hint.is_empty() => {
                self.found("uri", TokenError::Target, format!("it is {uri:?}{hint}"));
            }
            _ => {}
        }
    }

    fn look_at_user(&mut self, claims: &Value, against: &Against<'_>) {
        let Some(sub) = claims["sub"].as_str() else {
            return;
        };
        match (sub.parse::<UserId>(), against.user) {
            (Err(_), _) => {
                let says = format!("it must be the API key, a UUID; it is {sub:?}");
                self.found("sub", TokenError::User, says);
            }
            (Ok(user), Some(wanted)) if user != wanted => {
                let says = format!("X-API-Key is {wanted}; the token says {user}");
                self.found("sub", TokenError::User, says);
            }
            _ => {}
        }
    }

    fn look_at_times(&mut self, claims: &Value, now: i64) {
        let mut time = |name: &'static str| {
            let value = claims.get(name).filter(|value| !value.is_null())?;
            let seconds = value.as_i64();
            if seconds.is_none() {
                let says = format!("it must be whole seconds since 1970; it is {value}");
                self.found(name, TokenError::Form, says);
            }
            seconds
        };
        let (iat, exp) = (time("iat"), time("exp"));
        let millis = |seconds: i64| seconds > 100_000_000_000;
        if let Some(iat) = iat.filter(|iat| *iat > now.saturating_add(MAX_SKEW)) {
            let ahead = iat.saturating_sub(now);
            let hint = if millis(iat) {
                ": it looks like milliseconds"
            } else {
                ""
            };
            let says = format!("it is {ahead} s ahead of now ({now}){hint}");
            self.found("iat", TokenError::Future, says);
        }
        if let Some(exp) = exp.filter(|exp| *exp <= now) {
            let says = format!(
                "it expired {} s ago (now is {now})",
                now.saturating_sub(exp)
            );
            self.found("exp", TokenError::Expired, says);
        }
        if let (Some(iat), Some(exp)) = (iat, exp) {
            let lifetime = exp.saturating_sub(iat);
            if !(1..=MAX_LIFETIME).contains(&lifetime) {
                let says = format!("exp - iat must be 1 to {MAX_LIFETIME} s; it is {lifetime} s");
                self.found("exp", TokenError::NotAccepted, says);
            }
        }
    }

    fn look_at_nonce(&mut self, claims: &Value) {
        let good = match &claims["nonce"] {
            Value::Null => return,
            Value::String(text) => (1..=MAX_NONCE_LEN).contains(&text.len()),
            Value::Number(number) => number.as_u64().is_some(),
            _ => false,
        };
        if !good {
            let says =
                format!("it must be a text of 1 to {MAX_NONCE_LEN} bytes, or a whole number");
            self.found("nonce", TokenError::Form, says);
        }
    }

    fn look_at_body(&mut self, claims: &Value, against: &Against<'_>) {
        let promised = match &claims["bodyHash"] {
            Value::Null => return,
            Value::String(text) => text,
            other => {
                let says = format!("it must be a text; it is {other}");
                return self.found("bodyHash", TokenError::Form, says);
            }
        };
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if promised.len() != 64 || !promised.bytes().all(lower_hex) {
            let says = format!("it must be SHA-256 in lower-case hex; it is {promised:?}");
            return self.found("bodyHash", TokenError::Form, says);
        }
        let [nothing, ..] = HASHES_OF_NOTHING;
        let is_of_nothing = |hash: &str| HASHES_OF_NOTHING.contains(&hash);
        let Some(sent) = against.body_hash else {
            return;
        };
        if sent == promised || (sent == nothing && is_of_nothing(promised)) {
            return;
        }
        let hint = if is_of_nothing(promised) {
            ": the token was made for no body"
        } else if sent == nothing {
            ": no body was sent"
        } else {
            ": hash exactly the bytes that are sent"
        };
        let says = format!("the body that was sent has {sent}; the token says {promised}{hint}");
        self.found("bodyHash", TokenError::NotAccepted, says);
    }

    fn look_at_signature(&mut self, signed: &str, signature: &str, against: &Against<'_>) {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            let says = "it is not base64url without padding".to_owned();
            return self.found("signature", TokenError::Form, says);
        };
        if let Some(key) = against.key
            && !key.verifies_rs256(signed.as_bytes(), &signature)
        {
            let says = "it was not made with this API key's private key (RS256)".to_owned();
            self.found("signature", TokenError::Signature, says);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::PrivateKey;
    use crate::keys::tests::{KEY, OTHER};
    use crate::token::{TokenDraft, body_hash, finish};

    const USER: &str = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    const NOW: i64 = 1_790_000_000;

    fn user() -> UserId {
        USER.parse().expect("an id")
    }

    fn made(key: &PrivateKey, change: impl FnOnce(&mut TokenDraft<'_>)) -> String {
        let mut draft = TokenDraft {
            user: user(),
            target: "/v1/vault/accounts?limit=5",
            nonce: "n",
            issued_at: NOW,
            lifetime: 55,
            body: b"{}",
        };
        change(&mut draft);
        let input = draft.signing_input();
        finish(
            &input,
            &key.sign_rs256(input.as_bytes()).expect("a signature"),
        )
    }

    fn found(token: &str) -> Vec<(&'static str, i32)> {
        let hash = body_hash(b"{}");
        let against = Against {
            now: NOW,
            user: Some(user()),
            target: Some("/v1/vault/accounts?limit=5"),
            body_hash: Some(&hash),
            key: Some(KEY.public()),
        };
        let findings = explain(token, &against).findings;
        findings
            .iter()
            .map(|finding| (finding.part, finding.code))
            .collect()
    }

    #[test]
    fn each_fault_is_named_with_the_code_of_its_answer() {
        assert_eq!(found(&made(&KEY, |_| {})), []);
        assert_eq!(found(&format!("Bearer {}", made(&KEY, |_| {}))), []);
        assert_eq!(found(&made(&OTHER, |_| {})), [("signature", -1)]);
        assert_eq!(
            found(&made(&KEY, |t| t.target = "/v1/vault/accounts")),
            [("uri", -4)]
        );
        assert_eq!(
            found(&made(&KEY, |t| t.user = UserId(uuid::Uuid::nil()))),
            [("sub", -6)]
        );
        assert_eq!(
            found(&made(&KEY, |t| t.issued_at = NOW + 60)),
            [("iat", -12)]
        );
        assert_eq!(
            found(&made(&KEY, |t| t.issued_at = NOW - 60)),
            [("exp", -10)]
        );
        assert_eq!(found(&made(&KEY, |t| t.lifetime = 90)), [("exp", -7)]);
        assert_eq!(found(&made(&KEY, |t| t.body = b"{ }")), [("bodyHash", -7)]);
        assert_eq!(found("a.b"), [("token", -5)]);
        assert_eq!(found("!.!.!").first(), Some(&("header", -5)));
    }

    #[test]
    fn what_is_missing_is_named_without_anything_to_hold_it_against() {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(serde_json::json!({"alg": "HS256", "crit": ["x"]}));
        let claims = part(serde_json::json!({"uri": "https://api.example/v1/x", "iat": "now"}));
        let explained = explain(&format!("{header}.{claims}."), &Against::default());
        let parts: Vec<_> = explained
            .findings
            .iter()
            .map(|finding| finding.part)
            .collect();
        let missing = ["nonce", "exp", "sub", "bodyHash"];
        assert_eq!(parts[..2], ["header", "header"]);
        assert_eq!(parts[2..6], missing);
        assert_eq!(parts[6..], ["uri", "iat"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,300}") {
            let _ = explain(&text, &Against::default());
        }
    }
}
