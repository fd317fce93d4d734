//! An attempt: what is sent, exactly, and what it must get.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::token::body_hash;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

/// Somebody with a key that opens the door.
#[derive(Clone)]
pub struct Attacker {
    pub user: UserId,
    pub key: PrivateKey,
}

/// An attempt.
pub struct Attempt {
    pub name: String,
    /// Requests that are fine and come first, each on a connection of its own.
    pub before: Vec<Vec<u8>>,
    pub bytes: Vec<u8>,
    pub gets: Gets,
    /// What its answer must not have in it either.
    pub hides: Option<String>,
    /// Whether it comes from an address that is not on the list.
    pub elsewhere: bool,
    /// Whether the caller hangs up without waiting for an answer.
    pub hangs_up: bool,
}

/// What an attempt must get: one answer with this status, whose bytes tell of nothing that is others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gets {
    /// 200, and nothing has changed: a right read, without which the others prove nothing.
    Fine,
    /// 200 or 202, and the client's people see something new: a right proposal, a right key.
    Taken,
    /// This status.
    Status(u16),
    /// This status, with this code.
    Code(u16, i64),
    /// It is no request: an answer that says so (400, 408, 413, 414, 431, 501, 505), or none.
    NoRequest,
}

/// 401, whatever the code: the caller is not let in.
pub const DENIED: Gets = Gets::Status(401);

impl Attempt {
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>, gets: Gets) -> Self {
        Self {
            name: name.into(),
            before: Vec::new(),
            bytes: bytes.into(),
            gets,
            hides: None,
            elsewhere: false,
            hangs_up: false,
        }
    }

    pub fn after(mut self, before: impl Into<Vec<u8>>) -> Self {
        self.before.push(before.into());
        self
    }

    pub fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    pub fn hiding(mut self, text: &str) -> Self {
        self.hides = Some(text.to_owned());
        self
    }

    pub fn hanging_up(mut self) -> Self {
        self.hangs_up = true;
        self
    }
}

/// A request, as it goes over the wire; the connection ends with it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Attacker {
    /// The claims of a right token.
    pub fn claims(&self, target: &str, body: &[u8]) -> Map<String, Value> {
        let now = SystemClock.now().seconds();
        let claims = json!({
            "uri": target, "nonce": Uuid::new_v4(), "iat": now, "exp": now + 55,
            "sub": self.user, "bodyHash": body_hash(body),
        });
        claims.as_object().cloned().expect("an object")
    }

    /// Header and claims as they are, under a right signature.
    pub fn signed(&self, header: &str, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign_rs256(input.as_bytes()).expect("signed");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A right token.
    pub fn token(&self, target: &str, body: &[u8]) -> String {
        let claims = Value::Object(self.claims(target, body)).to_string();
        self.signed(HEADER, &claims)
    }

    /// A read with a right token.
    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target, b"")
    }

    /// A write with a right token.
    pub fn post(&self, target: &str, body: &[u8]) -> Request {
        self.request("POST", target, body)
    }

    pub fn request(&self, method: &str, target: &str, body: &[u8]) -> Request {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![
                ("Host".to_owned(), "gate.example".to_owned()),
                ("X-API-Key".to_owned(), self.user.to_string()),
                ("Connection".to_owned(), "close".to_owned()),
            ],
            body: body.to_vec(),
        };
        let request = request.bearing(&self.token(target, body));
        if method == "GET" {
            return request;
        }
        request
            .and("Content-Type", "application/json")
            .and("Content-Length", &body.len().to_string())
    }
}

/// The header of a right token.
pub const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

impl Request {
    /// With this token in place of any other.
    pub fn bearing(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    /// With this header in place of any other of its name.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With one more header.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Sent to another target than its token names.
    pub fn to(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    /// Sent with another body than its token names.
    pub fn carrying(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.with("Content-Length", &body.len().to_string())
    }

    pub fn head(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

impl From<Request> for Vec<u8> {
    fn from(request: Request) -> Self {
        [request.head(), request.body].concat()
    }
}
