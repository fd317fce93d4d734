//! How fast webhooks are taken in (verified, stored durably, then 200) and applied to the books:
//! the product's own receiver, listener and inbox, on a SQLite file.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use ledger::{Batch, Books};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::model::event::Envelope;
use protocol::operations::Operation;
use protocol::signature::{JWS_HEADER, Jwks, WebhookKey};
use serde_json::json;
use store::{Location, Store, StoreError, Writing};
use sync::{AsItIs, Inbox, Outcome};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::clock::SystemClock;
use wire::hooks_in::{KeySource, Pin, Receiver};
use wire::server::{Admitted, Call, Server, Workspace, serve};

use crate::books::{SINCE, WORKSPACE, transaction};
use crate::cores;
use crate::figures::{self, Figures};
use crate::load::{Load, Requests};
use crate::quiet::{self, Since};

/// Events of a round.
pub(crate) const EVENTS: u32 = 4_000;
/// Connections that send them.
pub(crate) const CONNECTIONS: usize = 16;
/// How long the rounds may take before disturbed ones count, too.
const REPEAT_FOR: Duration = Duration::from_secs(20);
/// Where they go.
const NAME: &str = "bench";

/// Events a second.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Verified, stored and answered.
    pub(crate) stored: Figures,
    /// Applied to the books.
    pub(crate) applied: Figures,
    /// What others took of one core, in the most disturbed round that counts.
    pub(crate) others: f64,
}

/// Measures; each round into a file of its own.
pub(crate) fn measure(rounds: u32) -> anyhow::Result<Taken> {
    println!("--- webhooks: {rounds} rounds of {EVENTS}");
    let key = WebhookKey::new(NAME, PrivateKey::generate(KeySize::Rsa2048)?);
    let requests = sign(&key)?;
    let mut taken = Taken::default();
    let measured = quiet::rounds(rounds, REPEAT_FOR, |_| {
        let since = Since::now(&[])?;
        let taken = once(&key, &requests)?;
        Ok((taken, since.others(&[])?))
    })?;
    for (stored, applied) in &measured.kept {
        taken.stored.add(*stored);
        taken
            .applied
            .add(figures::per_second(requests.len(), *applied)?);
    }
    taken.others = measured.others;
    Ok(taken)
}

/// Events, each of a transaction of its own, signed as Fireblocks does (RS512, RSA-2048).
fn sign(key: &WebhookKey) -> anyhow::Result<Requests> {
    let event = |number: u32| {
        let body = json!({
            "id": Uuid::new_v4(), "workspaceId": WORKSPACE, "webhookId": Uuid::from_u128(2),
            "eventType": "transaction.created", "createdAt": SINCE.plus(i64::from(number)), "data": transaction(number),
        })
        .to_string();
        let signature = key.sign_jws(body.as_bytes())?;
        let length = body.len();
        Ok(format!(
            "POST {}/{NAME} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{JWS_HEADER}: {signature}\r\n\r\n{body}",
            Receiver::PREFIX
        )
        .into_bytes())
    };
    let requests = (0..EVENTS).map(event).collect::<anyhow::Result<_>>()?;
    Ok(Arc::new(requests))
}

/// Events stored a second, and how long all of them took to apply. Everything of the server's is
/// on its core.
fn once(key: &WebhookKey, requests: &Requests) -> anyhow::Result<(f64, Duration)> {
    let folder = TempDir::with_prefix("vestibule-bench-")?;
    let keys = Jwks {
        keys: vec![key.public()],
    };
    let at = Location::SqliteFile(folder.path().join("books.db"));
    let (listens, address) = std::sync::mpsc::channel::<SocketAddr>();
    let sent = CancellationToken::new();
    let until_sent = sent.clone();
    let count = requests.len();
    let server = std::thread::spawn(move || {
        cores::on_async(cores::SERVER, move || async move {
            let rooms = [ledger::ROOM, sync::ROOM];
            let store = Store::open(&at, &rooms).await?;
            let books = Books::open(&store, WORKSPACE).await?;
            let inbox = Inbox::new(&store, WORKSPACE, NAME, Arc::new(SystemClock));
            let receiver = Receiver::default();
            let pin = Pin {
                workspace: WORKSPACE,
                webhook: None,
            };
            receiver.mount(NAME, pin, KeySource::pinned(keys), Arc::new(inbox.clone()));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            let server = Server::new(Arc::new(Nobody), SystemClock);
            let running = serve(listener, server, receiver.router(), until_sent.clone())?;
            listens.send(running.address)?;
            running.done.await?;
            let began = Instant::now();
            let drained = inbox.drain(&books, &AsItIs, nothing).await?;
            let took = began.elapsed();
            ensure!(
                drained.applied == count,
                "{} of {count} events are applied",
                drained.applied
            );
            Ok(took)
        })
    });
    // If the server never listens, it ends, and says why.
    let stored = match address.recv() {
        Ok(address) => Some(Load::new(address, CONNECTIONS).per_second(requests)),
        Err(_) => None,
    };
    sent.cancel();
    let applied = server
        .join()
        .map_err(|_| anyhow!("the receiving thread broke off"))??;
    Ok((stored.context("the receiver listens")??, applied))
}

/// Nothing is written beside an event.
fn nothing(
    _: &mut Writing<'_>,
    _: &mut Batch,
    _: &Envelope,
    _: &[Outcome],
) -> Result<(), StoreError> {
    Ok(())
}

/// The listener takes webhooks, and answers no API: as a connector's.
#[derive(Debug)]
struct Nobody;

impl Workspace for Nobody {
    type Guest = ();

    fn door(&self, _: UserId, _: IpAddr) -> Option<Admitted<()>> {
        None
    }

    fn failed(&self, _: UserId, _: IpAddr) {}

    fn may(&self, (): &(), _: &'static Operation) -> Result<(), ApiError> {
        Err(ApiError::not_found())
    }

    async fn answer(&self, _: Arc<()>, _: Call) -> Reply {
        ApiError::not_found().into()
    }
}
