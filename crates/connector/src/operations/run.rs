//! `connector run`: one receiver, a path per client; events into the books; reconciliation within
//! the budget (practice P6). Clients that are added while it runs are taken in.

mod pace;

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

use pace::Pace;

use super::first_sync::{FirstSyncOf, first_sync};
use crate::client_name::ClientName;
use crate::clients::{Client, Progress};
use crate::egress::{self, Egress};
use crate::nobody::Nobody;
use crate::reconcile::Work;
use crate::{Connector, Error};

/// How often it is looked whether another process added a client or imported.
const LOOK_EVERY: Duration = Duration::from_secs(1);
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
        let mut trouble = None;
        loop {
            tokio::select! {
                () = self.run.shutdown.cancelled() => return,
                () = self.connector.news() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.look().await.err().map(|error| error.to_string());
            if now != trouble {
                match &now {
                    Some(error) => tracing::error!(error, "the clients cannot be read"),
                    None => tracing::info!("the clients can be read again"),
                }
                trouble = now;
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
    let mut pace = Pace::new(Instant::now(), every);
    let inbox = connector.inbox(&client);
    let promised = &connector.settings().egress;
    match egress::look(&client.base_url, promised).await {
        Egress::NotPromised { address } => {
            tracing::warn!(client = %client.name, %address, "requests leave by an address that was not promised");
        }
        seen => tracing::info!(client = %client.name, ?seen, "by which address requests leave"),
    }
    loop {
        let due = Instant::now() >= pace.due();
        match round(&connector, &client, &run, due).await {
            Ok(Asked::All) => {
                if pace.well(Instant::now()) {
                    tracing::info!(client = %client.name, "its books are kept again");
                }
            }
            Ok(Asked::Nothing) => {}
            // The same trouble again is no news: a key that is too strong stays so until it is changed.
            Err(error) => {
                if pace.failed(Instant::now(), error.to_string()) {
                    tracing::warn!(client = %client.name, %error, "its books cannot be kept; trying again, less and less often");
                } else {
                    tracing::debug!(client = %client.name, %error, "its books still cannot be kept");
                }
            }
        }
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            () = inbox.arrived() => {}
            () = connector.news() => {}
            () = tokio::time::sleep_until(pace.due()), if !inbox.is_held() => {}
            () = tokio::time::sleep(LOOK_EVERY), if inbox.is_held() => {}
        }
        if run.shutdown.is_cancelled() {
            return;
        }
    }
}

/// What a round asked upstream for.
enum Asked {
    /// All that is due from time to time.
    All,
    /// At most what events did not tell.
    Nothing,
}

/// What is to be done for a client now: events always, what asks upstream by itself when it is due.
async fn round(
    connector: &Connector,
    client: &Client,
    run: &Run,
    due: bool,
) -> Result<Asked, Error> {
    let inbox = connector.inbox(client);
    let mut filled = false;
    if inbox.is_held() {
        let (_, progress) = connector.client(&client.name).await?;
        if progress.first_sync.is_some() {
            inbox.release();
        } else if run.first_sync && due {
            let of = FirstSyncOf {
                client: client.name.clone(),
                progress: None,
            };
            until_shutdown(run, first_sync(connector, &of)).await?;
            filled = true;
        } else {
            return Ok(Asked::Nothing);
        }
    }
    let work = Work::of(connector, client).await?;
    until_shutdown(run, work.drain()).await?;
    if filled {
        // It has compared already.
        return Ok(Asked::All);
    }
    if !due {
        return Ok(Asked::Nothing);
    }
    let (_, progress) = connector.client(&client.name).await?;
    if let Some(comparison) = until_shutdown(run, work.reconcile(&progress)).await? {
        tracing::info!(client = %client.name, "{}", comparison.sentence);
    }
    inbox.forget_before(connector.now().plus(-REMEMBER)).await?;
    Ok(Asked::All)
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
