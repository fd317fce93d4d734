//! Signed requests as a provider's own program makes them, and answers byte for byte.

use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::token::{LIFETIME, TokenDraft, finish};
use reqwest::{Client, Method};
use serde_json::Value;
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

/// Somebody with a key.
#[derive(Clone)]
pub struct Caller {
    http: Client,
    pub origin: String,
    pub user: UserId,
    pub key: PrivateKey,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Caller {
    pub fn new(origin: &str, user: UserId, key: PrivateKey) -> Self {
        let http = Client::builder().no_proxy().build().expect("a client");
        Self {
            http,
            origin: origin.to_owned(),
            user,
            key,
        }
    }

    /// The same, over connections of this client's.
    pub fn over(self, http: Client) -> Self {
        Self { http, ..self }
    }

    /// A token for a request of now, or of this many seconds earlier.
    pub fn token(&self, target: &str, body: &[u8], earlier: i64) -> String {
        let draft = TokenDraft {
            user: self.user,
            target,
            nonce: &Uuid::new_v4().to_string(),
            issued_at: SystemClock.now().seconds() - earlier,
            lifetime: LIFETIME,
            body,
        };
        let input = draft.signing_input();
        let signature = self.key.sign_rs256(input.as_bytes()).expect("signed");
        finish(&input, &signature)
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, None, &[]).await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Answer {
        self.send("POST", target, Some(body), &[]).await
    }

    pub async fn send(
        &self,
        method: &str,
        target: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = body.map_or_else(String::new, Value::to_string);
        let token = self.token(target, body.as_bytes(), 0);
        self.carry(method, target, body, &token, headers).await
    }

    /// Sends with a token made before.
    pub async fn carry(
        &self,
        method: &str,
        target: &str,
        body: String,
        token: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let method: Method = method.parse().expect("a method");
        let url = format!("{}{target}", self.origin);
        let mut request = self
            .http
            .request(method, url)
            .header("x-api-key", self.user.to_string())
            .bearer_auth(token);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await.expect("an answer");
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = response.headers().iter();
        Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: response.bytes().await.expect("a body").to_vec(),
        }
    }

    /// Every page of a list that goes on by `paging.after`.
    pub async fn pages(&self, path: &str, field: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=50{after}")).await.json();
            all.extend(page[field].as_array().expect("a list").clone());
            match page["paging"]["after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
    }

    /// Every transaction there is.
    pub async fn transactions(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut next = Some("/v1/transactions?after=0&limit=500&sort=ASC".to_owned());
        while let Some(target) = next {
            let answer = self.get(&target).await;
            all.extend(answer.json().as_array().expect("a list").clone());
            let url = answer.header("next-page").map(str::to_owned);
            next = url.map(|url| {
                url.strip_prefix(&self.origin)
                    .expect("of this server")
                    .to_owned()
            });
        }
        all
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Status and code.
    pub fn verdict(&self) -> (u16, Option<i64>) {
        (self.status, self.json()["code"].as_i64())
    }

    /// The JSON of an answer that must be fine.
    pub fn fine(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        self.json()
    }

    /// Everything but what differs between any two answers.
    pub fn lasting(mut self) -> Self {
        let passing = ["x-request-id", "date", "vestibule-as-of"];
        self.headers
            .retain(|(name, _)| !passing.contains(&name.as_str()));
        self
    }
}
