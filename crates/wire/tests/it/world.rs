//! A tiny workspace behind the server.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use protocol::certificate::SpkiPin;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::operations::Operation;
use protocol::role::Role;
use protocol::time::Millis;
use protocol::token::TokenError;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::clock::{ForwardClock, ManualClock};
use wire::server::{Admitted, Call, Entrance, Route, Running, Server, Workspace, serve};

use crate::asks::{Answer, Ask, Line};

/// Now, in seconds.
pub const NOW: i64 = 1_790_000_000;
/// May come in, as an Editor.
pub const EDITOR: UserId = UserId(Uuid::from_u128(1));
/// May come in, as a Viewer.
pub const VIEWER: UserId = UserId(Uuid::from_u128(2));
/// May come in from elsewhere alone.
pub const FOREIGN: UserId = UserId(Uuid::from_u128(3));
/// May not come in now.
pub const SUSPENDED: UserId = UserId(Uuid::from_u128(4));
/// Nobody.
pub const UNKNOWN: UserId = UserId(Uuid::from_u128(5));

/// The key of everybody who may come in.
pub static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));
/// A key of nobody's.
pub static STRANGER: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));

/// The workspace: knows its guests, and tells what it was asked.
#[derive(Debug, Default)]
pub struct House {
    /// The client certificate that everybody must show.
    pub pinned: Mutex<Option<SpkiPin>>,
    pub failures: AtomicU32,
    pub calls: Mutex<Vec<Call>>,
    /// How many calls the workspace has begun with.
    pub begun: AtomicU32,
    /// Whoever holds it keeps every answer back.
    pub held: tokio::sync::Mutex<()>,
}

impl Workspace for House {
    type Guest = Role;

    fn door(&self, user: UserId, from: IpAddr) -> Option<Admitted<Role>> {
        let (role, address, suspended) = match user {
            EDITOR => (Role::Editor, [127, 0, 0, 1], false),
            VIEWER => (Role::Viewer, [127, 0, 0, 1], false),
            FOREIGN => (Role::Editor, [203, 0, 113, 7], false),
            SUSPENDED => (Role::Editor, [127, 0, 0, 1], true),
            _ => return None,
        };
        (!suspended && from == IpAddr::from(address)).then(|| Admitted {
            key: KEY.public().clone(),
            before: None,
            guest: Arc::new(role),
        })
    }

    fn certified(&self, _guest: &Role, certificate: Option<SpkiPin>) -> bool {
        let pinned = *self.pinned.lock().expect("a lock");
        pinned.is_none() || pinned == certificate
    }

    fn failed(&self, _user: UserId, _from: IpAddr) {
        self.failures.fetch_add(1, Ordering::SeqCst);
    }

    fn may(&self, guest: &Role, operation: &'static Operation) -> Result<(), ApiError> {
        if operation.roles.contains(*guest) || !operation.roles_stated {
            Ok(())
        } else {
            Err(TokenError::Role.into())
        }
    }

    async fn answer(&self, guest: Arc<Role>, call: Call) -> Reply {
        let told = json!({"role": guest.as_str(), "body": call.body});
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _turn = self.held.lock().await;
        self.calls.lock().expect("a lock").push(call);
        Reply::json(200, &told)
    }
}

/// As a gate has it.
type Clock = ForwardClock<ManualClock>;

/// A server that runs.
pub struct World {
    pub house: Arc<House>,
    pub clock: ManualClock,
    pub at: SocketAddr,
    pub running: Running,
    pub shutdown: CancellationToken,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|server| server).await
    }

    /// A server that refuses tokens of before its start.
    pub async fn just_started() -> Self {
        Self::with(Server::refusing_tokens_of_before).await
    }

    /// A server that connections come in to by an entrance of its own.
    pub async fn entered(entrance: impl FnOnce(TcpListener) -> Entrance) -> Self {
        Self::set(|server| server, entrance).await
    }

    async fn with(change: impl FnOnce(Server<House, Clock>) -> Server<House, Clock>) -> Self {
        Self::set(change, Entrance::from).await
    }

    async fn set(
        change: impl FnOnce(Server<House, Clock>) -> Server<House, Clock>,
        entrance: impl FnOnce(TcpListener) -> Entrance,
    ) -> Self {
        let house = Arc::new(House::default());
        let clock = ManualClock::at(Millis(NOW * Millis::SECOND));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = change(Server::new(
            Arc::clone(&house),
            ForwardClock::from(clock.clone(), Millis(0)),
        ));
        let shutdown = CancellationToken::new();
        let running = serve(
            entrance(listener),
            server,
            axum::Router::new(),
            shutdown.clone(),
        );
        let running = running.expect("it serves");
        Self {
            house,
            clock,
            at: running.address,
            running,
            shutdown,
        }
    }

    pub async fn line(&self) -> Line {
        Line::to(self.at).await
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, request: &Ask) -> Answer {
        let mut line = self.line().await;
        line.say(&request.bytes()).await;
        let answer = match request.method.as_str() {
            "HEAD" => line.hear_head().await,
            _ => line.hear().await,
        };
        answer.expect("an answer")
    }

    pub fn failures(&self) -> u32 {
        self.house.failures.load(Ordering::SeqCst)
    }

    /// How many calls came through to the workspace.
    pub fn answered(&self) -> usize {
        self.house.calls.lock().expect("a lock").len()
    }

    /// The last call that came through.
    pub fn last(&self) -> Call {
        let mut calls = self.house.calls.lock().expect("a lock");
        calls.pop().expect("a call")
    }

    /// The named parameter of the last call's path.
    pub fn last_param(&self, name: &str) -> String {
        match &self.last().route {
            Route::Operation { params, .. } => params.get(name).to_owned(),
            Route::Own { path, .. } => panic!("not an operation: {path}"),
        }
    }
}
