//! Requests signed beforehand: a token holds for less than a minute, and its nonce works once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::token::{self, LIFETIME, TokenDraft};
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

use crate::load::Requests;

/// How old the first of a batch may be when the last is sent; tokens hold for 55 s.
pub(crate) const FRESH: Duration = Duration::from_secs(50);

/// Requests, and when the first of them was signed.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) requests: Requests,
    pub(crate) since: Instant,
}

/// A call: what a request is made of.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) body: String,
}

impl Call {
    /// A read.
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET",
            target: target.into(),
            body: String::new(),
        }
    }

    /// One that changes something.
    pub(crate) fn post(target: impl Into<String>, body: String) -> Self {
        Self {
            method: "POST",
            target: target.into(),
            body,
        }
    }
}

/// Signs so many reads of a target, on every core.
pub(crate) fn sign(
    user: UserId,
    key: &PrivateKey,
    target: &str,
    count: usize,
) -> anyhow::Result<Batch> {
    sign_all(user, key, &vec![Call::get(target); count])
}

/// Signs so many reads, each of a target that is drawn at random.
pub(crate) fn drawn(
    user: UserId,
    key: &PrivateKey,
    targets: &[String],
    count: usize,
) -> anyhow::Result<Batch> {
    let mut calls = Vec::with_capacity(count);
    for _ in 0..count {
        let drawn = Uuid::new_v4().as_u128() % u128::try_from(targets.len().max(1))?;
        let target = targets.get(usize::try_from(drawn)?).context("a target")?;
        calls.push(Call::get(target.as_str()));
    }
    sign_all(user, key, &calls)
}

/// Signs calls, on every core.
pub(crate) fn sign_all(user: UserId, key: &PrivateKey, calls: &[Call]) -> anyhow::Result<Batch> {
    let since = Instant::now();
    let threads = std::thread::available_parallelism()?.get();
    let share = calls.len().div_ceil(threads).max(1);
    let requests = std::thread::scope(|scope| {
        let sign = |part: &'_ [Call]| {
            let part = part.to_vec();
            scope.spawn(move || {
                part.iter()
                    .map(|call| request(user, key, call))
                    .collect::<anyhow::Result<Vec<_>>>()
            })
        };
        let parts: Vec<_> = calls.chunks(share).map(sign).collect();
        let mut requests = Vec::with_capacity(calls.len());
        for part in parts {
            requests.extend(part.join().map_err(|_| anyhow!("signing broke off"))??);
        }
        Ok::<_, anyhow::Error>(requests)
    })?;
    Ok(Batch {
        requests: Arc::new(requests),
        since,
    })
}

/// A request with a token that somebody else's key signed.
pub(crate) fn forged(user: UserId, target: &str) -> anyhow::Result<Vec<u8>> {
    let key = PrivateKey::generate(KeySize::Rsa2048)?;
    request(user, &key, &Call::get(target))
}

/// A token's two halves: what is signed, and the signature.
pub(crate) fn signed(
    user: UserId,
    key: &PrivateKey,
    target: &str,
) -> anyhow::Result<(String, Vec<u8>)> {
    halves(user, key, target, b"")
}

fn halves(
    user: UserId,
    key: &PrivateKey,
    target: &str,
    body: &[u8],
) -> anyhow::Result<(String, Vec<u8>)> {
    let nonce = Uuid::new_v4().to_string();
    let draft = TokenDraft {
        user,
        target,
        nonce: &nonce,
        issued_at: SystemClock.now().seconds(),
        lifetime: LIFETIME,
        body,
    };
    let input = draft.signing_input();
    let signature = key.sign_rs256(input.as_bytes())?;
    Ok((input, signature))
}

/// A request as it goes over the wire.
pub(crate) fn request(user: UserId, key: &PrivateKey, call: &Call) -> anyhow::Result<Vec<u8>> {
    let Call {
        method,
        target,
        body,
    } = call;
    let (input, signature) = halves(user, key, target, body.as_bytes())?;
    let token = token::finish(&input, &signature);
    let content = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    Ok(format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nX-API-Key: {user}\r\nAuthorization: Bearer {token}\r\n{content}\r\n{body}"
    )
    .into_bytes())
}
