//! Bearer tokens of OAuth 2.0 client credentials (RFC 6749, section 4.4), fetched from the
//! receiver's own authorization server and kept until they end.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use protocol::model::webhook::FailureReason;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded;
use uuid::Uuid;

use super::clients::{Clients, Identity, NoWay};
use crate::clock::{SystemClock, WallClock};

/// A token is not used for its last seconds: it may end on its way.
const MARGIN: Duration = Duration::from_secs(10);
/// Longest time that a token is kept, whatever its server says.
const MAX_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Most tokens kept.
const MAX_TOKENS: usize = 256;
/// Longest answer of a token endpoint, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// How long an assertion is good for, in seconds.
const ASSERTION_LIFE: i64 = 60;
/// RFC 7523, section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How the client says who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// In an HTTP Basic header.
    #[default]
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
    /// By an assertion that the secret signs (HS256): the secret itself is not sent.
    ClientSecretJwt,
}

/// What tokens are asked for with.
#[derive(Clone)]
pub struct Credentials {
    /// Which ones: changed ones have another name.
    pub name: String,
    /// The token endpoint.
    pub url: Url,
    /// Who the client is.
    pub client_id: String,
    /// How it proves that.
    pub client_secret: SecretString,
    /// How it says so.
    pub method: AuthMethod,
    /// More claims of the assertion.
    pub claims: Map<String, Value>,
    /// More fields of the form.
    pub parameters: BTreeMap<String, String>,
    /// More headers of the request.
    pub headers: HeaderMap,
    /// A certificate, where the endpoint asks for one.
    pub identity: Option<Identity>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.name)
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoToken {
    #[error("the token endpoint: {0}")]
    NoWay(#[from] NoWay),
    #[error("the token endpoint does not answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the token endpoint answers {0}")]
    Refused(u16),
    #[error("the token endpoint's answer is no bearer token")]
    Unreadable,
}

impl NoToken {
    /// What is written down of the attempt: the webhook itself was not reached.
    pub(super) fn reason(&self) -> FailureReason {
        match self {
            Self::Unreachable(error) if error.is_timeout() => FailureReason::TimedOut,
            _ => FailureReason::NoResponse,
        }
    }
}

/// The tokens that are good now.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, (HeaderValue, Instant)>>);

impl Tokens {
    /// What stands in `Authorization` for these credentials.
    pub(super) async fn of(
        &self,
        credentials: &Credentials,
        clients: &Clients,
    ) -> Result<HeaderValue, NoToken> {
        if let Some((token, until)) = self.0.lock().get(&credentials.name)
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let (token, life) = fetched(credentials, clients).await?;
        if let Some(life) = life.checked_sub(MARGIN) {
            let mut known = self.0.lock();
            if known.len() >= MAX_TOKENS {
                known.clear();
            }
            let until = Instant::now() + life.min(MAX_KEPT);
            known.insert(credentials.name.clone(), (token.clone(), until));
        }
        Ok(token)
    }

    /// The token was refused: the next delivery asks for another.
    pub(super) fn forget(&self, credentials: &Credentials) {
        self.0.lock().remove(&credentials.name);
    }
}

#[derive(Deserialize)]
struct Told {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Value>,
}

async fn fetched(
    credentials: &Credentials,
    clients: &Clients,
) -> Result<(HeaderValue, Duration), NoToken> {
    let client = clients.to(&credentials.url, credentials.identity.as_ref())?;
    let now = WallClock::now(&SystemClock).seconds();
    let (headers, form) = request(credentials, now, Uuid::new_v4());
    let request = client
        .post(credentials.url.clone())
        .headers(headers)
        .body(form);
    let mut answer = request.send().await?;
    let status = answer.status();
    if !status.is_success() {
        return Err(NoToken::Refused(status.as_u16()));
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > MAX_ANSWER {
            return Err(NoToken::Unreadable);
        }
    }
    let told: Told = serde_json::from_slice(&body).map_err(|_| NoToken::Unreadable)?;
    let token = HeaderValue::try_from(format!("Bearer {}", told.access_token));
    let mut token = token.map_err(|_| NoToken::Unreadable)?;
    token.set_sensitive(true);
    Ok((token, life(told.expires_in.as_ref())))
}

/// How long a token is good for; one that does not say so is used once.
fn life(expires_in: Option<&Value>) -> Duration {
    let seconds = match expires_in {
        Some(Value::Number(number)) => number.as_u64(),
        // Some servers send it as text.
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    Duration::from_secs(seconds.unwrap_or_default())
}

/// Headers and form of a token request.
fn request(credentials: &Credentials, now: i64, id: Uuid) -> (HeaderMap, String) {
    let secret = credentials.client_secret.expose_secret();
    let mut headers = credentials.headers.clone();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    match credentials.method {
        AuthMethod::ClientSecretBasic => {
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = format!("{}:{}", encoded(&credentials.client_id), encoded(secret));
            let value = format!("Basic {}", STANDARD.encode(pair));
            if let Ok(mut value) = HeaderValue::try_from(value) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        AuthMethod::ClientSecretPost => {
            form.append_pair("client_id", &credentials.client_id);
            form.append_pair("client_secret", secret);
        }
        AuthMethod::ClientSecretJwt => {
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
            form.append_pair("client_assertion", &assertion(credentials, now, id));
        }
    }
    form.extend_pairs(&credentials.parameters);
    (headers, form.finish())
}

/// A JWT that the secret signs (RFC 7523, section 3).
fn assertion(credentials: &Credentials, now: i64, id: Uuid) -> String {
    let mut claims = credentials.claims.clone();
    claims
        .entry("aud")
        .or_insert_with(|| credentials.url.as_str().into());
    for name in ["iss", "sub"] {
        claims.insert(name.to_owned(), credentials.client_id.as_str().into());
    }
    claims.insert("jti".to_owned(), id.to_string().into());
    claims.insert("iat".to_owned(), now.into());
    claims.insert("exp".to_owned(), (now + ASSERTION_LIFE).into());
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let said = format!(
        "{head}.{}",
        URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string())
    );
    let secret = credentials.client_secret.expose_secret().as_bytes();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), said.as_bytes());
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn credentials(method: AuthMethod) -> Credentials {
        let claims = json!({"aud": "https://auth.example", "scope": ["a"], "iss": "another"});
        Credentials {
            name: "one".to_owned(),
            url: "https://auth.example/token".parse().expect("a URL"),
            client_id: "me:1".to_owned(),
            client_secret: "s%cret ü".to_owned().into(),
            method,
            claims: claims.as_object().expect("an object").clone(),
            parameters: BTreeMap::from([("scope".to_owned(), "a b".to_owned())]),
            headers: HeaderMap::new(),
            identity: None,
        }
    }

    fn form(method: AuthMethod) -> (HeaderMap, HashMap<String, String>) {
        let (headers, form) = request(&credentials(method), 1_000, Uuid::from_u128(7));
        let form = form_urlencoded::parse(form.as_bytes()).into_owned();
        (headers, form.collect())
    }

    #[test]
    fn the_secret_stands_where_the_method_says() {
        let (headers, fields) = form(AuthMethod::ClientSecretBasic);
        let sent = headers[AUTHORIZATION].to_str().expect("text");
        let pair = STANDARD.decode(sent.strip_prefix("Basic ").expect("basic"));
        assert_eq!(pair.expect("base64"), b"me%3A1:s%25cret+%C3%BC");
        assert_eq!(fields["grant_type"], "client_credentials");
        assert_eq!((fields["scope"].as_str(), fields.len()), ("a b", 2));

        let (headers, fields) = form(AuthMethod::ClientSecretPost);
        assert!(!headers.contains_key(AUTHORIZATION));
        assert_eq!(
            (&*fields["client_id"], &*fields["client_secret"]),
            ("me:1", "s%cret ü")
        );

        let (_, fields) = form(AuthMethod::ClientSecretJwt);
        assert_eq!(fields["client_assertion_type"], ASSERTION_TYPE);
        assert!(!fields.contains_key("client_secret"));
        let parts: Vec<_> = fields["client_assertion"].split('.').collect();
        let read = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
        let claims: Value = serde_json::from_slice(&read(parts[1])).expect("JSON");
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!("me:1"), &json!("me:1"))
        );
        assert_eq!(
            (&claims["aud"], &claims["scope"]),
            (&json!("https://auth.example"), &json!(["a"]))
        );
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&json!(1_000), &json!(1_060))
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, "s%cret ü".as_bytes());
        let said = format!("{}.{}", parts[0], parts[1]);
        assert!(hmac::verify(&key, said.as_bytes(), &read(parts[2])).is_ok());
    }

    #[test]
    fn a_token_lives_as_long_as_its_server_says() {
        let of = |value: Value| life(Some(&value)).as_secs();
        assert_eq!(
            (of(json!(300)), of(json!("60")), of(json!(-1))),
            (300, 60, 0)
        );
        assert_eq!(life(None), Duration::ZERO);
    }
}
