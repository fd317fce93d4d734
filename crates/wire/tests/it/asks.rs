//! Requests exactly as a test says them, on sockets that add nothing.

use std::net::SocketAddr;

use protocol::ids::UserId;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::token::Token;

/// A request, as it goes over the wire.
#[derive(Clone)]
pub struct Ask {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Ask {
    /// A read with a fresh, right token.
    pub fn get(user: UserId, target: &str) -> Self {
        Self::new("GET", user, target, b"")
    }

    /// A write with a fresh, right token.
    pub fn post(user: UserId, target: &str, body: &[u8]) -> Self {
        let ask = Self::new("POST", user, target, body);
        let length = body.len().to_string();
        ask.and("content-type", "application/json")
            .and("content-length", &length)
    }

    pub fn new(method: &str, user: UserId, target: &str, body: &[u8]) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![
                ("host".to_owned(), "gate.example".to_owned()),
                ("x-api-key".to_owned(), user.to_string()),
            ],
            body: body.to_vec(),
        }
        .token(&Token::of(user, target, body).text())
    }

    /// With this token in place of any other.
    pub fn token(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
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

    /// The request's head alone.
    pub fn head(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// One connection.
pub struct Line<S = TcpStream> {
    stream: S,
    ahead: Vec<u8>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Line {
    pub async fn to(at: SocketAddr) -> Self {
        Self::over(TcpStream::connect(at).await.expect("a connection"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
        }
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
    }

    /// Says as much as the other side takes: it may have closed.
    pub async fn try_say(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Says that nothing more will come.
    pub async fn end(&mut self) {
        self.stream.shutdown().await.expect("shut down");
    }

    /// The next answer; `None` if the other side closed instead.
    pub async fn hear(&mut self) -> Option<Answer> {
        let mut answer = self.hear_head().await?;
        let length = answer.header("content-length");
        let length = length.map_or(0, |length| length.parse().expect("a number"));
        while self.ahead.len() < length {
            assert!(self.more().await, "an answer broke off");
        }
        let rest = self.ahead.split_off(length);
        answer.body = std::mem::replace(&mut self.ahead, rest);
        Some(answer)
    }

    /// The next answer's head, which is all where a `HEAD` was asked.
    pub async fn hear_head(&mut self) -> Option<Answer> {
        let head = loop {
            if let Some(at) = find(&self.ahead, b"\r\n\r\n") {
                let rest = self.ahead.split_off(at + 4);
                break std::mem::replace(&mut self.ahead, rest);
            }
            if !self.more().await {
                return None;
            }
        };
        let head = String::from_utf8(head).expect("ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Answer {
            status,
            headers,
            body: Vec::new(),
        })
    }

    async fn more(&mut self) -> bool {
        let mut some = [0; 4096];
        match self.stream.read(&mut some).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.ahead.extend_from_slice(&some[..count]);
                true
            }
        }
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|some| some == needle)
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Status and code.
    pub fn verdict(&self) -> (u16, Option<i64>) {
        (self.status, self.json()["code"].as_i64())
    }

    /// Everything but what differs between any two answers.
    pub fn lasting(mut self) -> Self {
        self.headers
            .retain(|(name, _)| name != "x-request-id" && name != "date");
        self
    }
}
