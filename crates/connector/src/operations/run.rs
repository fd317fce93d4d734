//! `connector run`: one receiver, a path per client; events into the books; reconciliation within
//! the budget (practice P6). Clients that are added while it runs are taken in.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use protocol::time::Millis;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::hooks_in::Receiver;

use super::first_sync::{FirstSyncOf, first_sync};
use crate::client_name::ClientName;
use crate::clients::{Client, Progress};
use crate::egress::{self, Egress};
use crate::nobody::Nobody;
use crate::reconcile::Work;
use crate::{Connector, Error};

/// How often it is looked whether another process added a client or imported.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first wait after trouble with a client; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait after trouble.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long applied events are remembered, to know them when they come again.
const REMEMBER: i64 = 35 * Millis::DAY;

/// How it runs.
#[derive(Clone, Debug)]
pub struct Run {
    /// Ends it.
    pub shutdown: CancellationToken,
    /// Whether books that were never filled are filled at once; else events wait for an import.
    pub first_sync: bool,
}

/// A connector that runs.
#[derive(Debug)]
pub struct Running {
    /// Where webhooks are taken in.
    pub address: SocketAddr,
    /// What a script may wait for.
    pub ready: Ready,
    /// Ends when all has ended.
    pub done: JoinHandle<()>,
}

/// What a script may wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// Where webhooks are taken in.
    pub address: SocketAddr,
    /// The folder.
    pub data: String,
    /// The clients there were.
    pub clients: Vec<ReadyClient>,
}

/// A client there was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadyClient {
    /// Its name.
    pub name: ClientName,
    /// Where it sends its webhooks.
    pub webhook_url: Option<String>,
}

/// Starts; returns once webhooks are taken in.
pub async fn run(connector: &Connector, run: Run) -> Result<Running, Error> {
    let listen = connector.settings().listen;
    let cannot = |why| Error::Listen {
        address: listen,
        why,
    };
    let listener = TcpListener::bind(listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    connector.bound_to(address);
    let receiver = Receiver::default();
    let mut desk = Desk {
        connector: connector.clone(),
        receiver: receiver.clone(),
        run: run.clone(),
        known: BTreeSet::new(),
        tasks: JoinSet::new(),
    };
    // Who sends before the first look would be told that there is nobody.
    desk.look().await?;
    let server = wire::server::Server::new(std::sync::Arc::new(Nobody), connector.clock());
    let shutdown = run.shutdown.clone();
    let serving =
        wire::server::serve(listener, server, receiver.router(), shutdown).map_err(cannot)?;
    let ready = Ready {
        address,
        data: connector.folder().display().to_string(),
        clients: desk
            .known
            .iter()
            .map(|name| ReadyClient {
                name: name.clone(),
                webhook_url: connector.webhook_url(name).map(Into::into),
            })
            .collect(),
    };
    let done = tokio::spawn(async move {
        desk.watch().await;
        while desk.tasks.join_next().await.is_some() {}
        let _ = serving.done.await;
    });
    Ok(Running {
        address,
        ready,
        done,
    })
}

/// Who watches over the clients.
struct Desk {
    connector: Connector,
    receiver: Receiver,
    run: Run,
    known: BTreeSet<ClientName>,
    tasks: JoinSet<()>,
}

impl Desk {
    async fn watch(&mut self) {
        loop {
            tokio::select! {
                () = self.run.shutdown.cancelled() => return,
                () = self.connector.news() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Err(error) = self.look().await {
                tracing::error!(%error, "the clients cannot be read");
            }
        }
    }

    /// Takes in clients that are new.
    async fn look(&mut self) -> Result<(), Error> {
        for (client, progress) in self.connector.clients().all().await? {
            if self.known.insert(client.name.clone()) {
                self.take_in(client, &progress);
            }
        }
        Ok(())
    }

    fn take_in(&mut self, client: Client, progress: &Progress) {
        let inbox = self.connector.inbox(&client);
        if progress.first_sync.is_none() {
            inbox.hold();
        }
        match client.webhooks.as_ref().map(|pins| pins.keys()) {
            Some(Ok(keys)) => {
                let inbox = std::sync::Arc::new(inbox);
                self.receiver
                    .mount(client.name.as_str(), client.pin(), keys, inbox);
            }
            Some(Err(error)) => {
                tracing::error!(client = %client.name, %error, "its webhooks cannot be verified");
            }
            None => {
                tracing::warn!(client = %client.name, "without pinned webhook keys it is only reconciled");
            }
        }
        let (connector, run) = (self.connector.clone(), self.run.clone());
        self.tasks
            .spawn(async move { keep(connector, client, run).await });
    }
}

/// Keeps one client's books until the end.
async fn keep(connector: Connector, client: Client, run: Run) {
    let every = Duration::from_secs(connector.settings().reconcile_seconds.get().into());
    let (mut wait, mut compare_at) = (FIRST_WAIT, Instant::now());
    let inbox = connector.inbox(&client);
    let promised = &connector.settings().egress;
    match egress::look(&client.base_url, promised).await {
        Egress::NotPromised { address } => {
            tracing::warn!(client = %client.name, %address, "requests leave by an address that was not promised");
        }
        seen => tracing::info!(client = %client.name, ?seen, "by which address requests leave"),
    }
    loop {
        let next = match round(&connector, &client, &run, &mut compare_at, every).await {
            Ok(()) => {
                wait = FIRST_WAIT;
                compare_at
            }
            Err(error) => {
                tracing::warn!(client = %client.name, %error, "its books cannot be kept; trying again");
                let again = Instant::now() + wait;
                wait = (wait * 2).min(LONGEST_WAIT);
                again
            }
        };
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            () = inbox.arrived() => {}
            () = connector.news() => {}
            () = tokio::time::sleep_until(next), if !inbox.is_held() => {}
            () = tokio::time::sleep(LOOK_EVERY), if inbox.is_held() => {}
        }
        if run.shutdown.is_cancelled() {
            return;
        }
    }
}

/// What is due for a client now.
async fn round(
    connector: &Connector,
    client: &Client,
    run: &Run,
    compare_at: &mut Instant,
    every: Duration,
) -> Result<(), Error> {
    let inbox = connector.inbox(client);
    if inbox.is_held() {
        let (_, progress) = connector.client(&client.name).await?;
        if progress.first_sync.is_some() {
            inbox.release();
        } else if run.first_sync {
            let of = FirstSyncOf {
                client: client.name.clone(),
                progress: None,
            };
            until_shutdown(run, first_sync(connector, &of)).await?;
            *compare_at = Instant::now() + every;
        } else {
            return Ok(());
        }
    }
    let work = Work::of(connector, client).await?;
    until_shutdown(run, work.drain()).await?;
    if Instant::now() >= *compare_at {
        *compare_at = Instant::now() + every;
        let (_, progress) = connector.client(&client.name).await?;
        if let Some(comparison) = until_shutdown(run, work.reconcile(&progress)).await? {
            tracing::info!(client = %client.name, "{}", comparison.sentence);
        }
        inbox.forget_before(connector.now().plus(-REMEMBER)).await?;
    }
    Ok(())
}

/// Work that the end may cut short: each of its writes is whole or not there.
async fn until_shutdown<T>(
    run: &Run,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    tokio::select! {
        () = run.shutdown.cancelled() => Ok(None),
        done = work => done.map(Some),
    }
}
