//! Requests signed beforehand: a token holds for less than a minute, and its nonce works once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
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

/// Signs so many reads of a target, on every core.
pub(crate) fn sign(
    user: UserId,
    key: &PrivateKey,
    target: &str,
    count: usize,
) -> anyhow::Result<Batch> {
    let since = Instant::now();
    let threads = std::thread::available_parallelism()?.get();
    let share = count.div_ceil(threads);
    let requests = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    (0..share)
                        .map(|_| request(user, key, target))
                        .collect::<anyhow::Result<Vec<_>>>()
                })
            })
            .collect();
        let mut requests = Vec::with_capacity(count);
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
    request(user, &PrivateKey::generate(KeySize::Rsa2048)?, target)
}

/// A token's two halves: what is signed, and the signature.
pub(crate) fn signed(
    user: UserId,
    key: &PrivateKey,
    target: &str,
) -> anyhow::Result<(String, Vec<u8>)> {
    let nonce = Uuid::new_v4().to_string();
    let draft = TokenDraft {
        user,
        target,
        nonce: &nonce,
        issued_at: SystemClock.now().seconds(),
        lifetime: LIFETIME,
        body: b"",
    };
    let input = draft.signing_input();
    let signature = key.sign_rs256(input.as_bytes())?;
    Ok((input, signature))
}

fn request(user: UserId, key: &PrivateKey, target: &str) -> anyhow::Result<Vec<u8>> {
    let (input, signature) = signed(user, key, target)?;
    let token = token::finish(&input, &signature);
    Ok(format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nX-API-Key: {user}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes())
}
