//! An upstream for tests: Fireblocks' reads from books of its own, and a gate's own endpoints. What
//! checks tokens, roles and bodies is the real server's.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ledger::reads::{Ask, answer};
use ledger::reports::{self, Kind};
use ledger::{Books, Change, Scope, Version};
use protocol::ed25519::SigningKey;
use protocol::error::ApiError;
use protocol::exchange::{Params, Query, Reply};
use protocol::ids::{UserId, WebhookId, WorkspaceId};
use protocol::keys::PublicKey;
use protocol::model::transaction::Transaction;
use protocol::operations::Operation;
use protocol::role::Role;
use protocol::signature::{JWS_HEADER, Jwks, WebhookKey};
use protocol::time::Millis;
use serde_json::{Value, json};
use store::{Location, Store};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};
use wire::server::{Admitted, Call, Route, Server, Workspace, serve};

pub const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
pub const WEBHOOK: WebhookId = WebhookId(Uuid::from_u128(8));
pub const USER: UserId = UserId(Uuid::from_u128(9));
const CONNECTION: &str = "acme";

pub struct Upstream {
    pub books: Books,
    pub scope: Scope,
    pub role: Mutex<Role>,
    pub key: PublicKey,
    pub log_key: SigningKey,
    pub reports: Mutex<Vec<(String, Kind, reports::Written)>>,
    /// Takes the next transaction, and answers 502 all the same.
    pub loses_answers: AtomicBool,
    pub created: AtomicU32,
    pub calls: Mutex<Vec<String>>,
    /// Whether `GET /approvals` is there.
    pub has_approvals: AtomicBool,
    /// Whether it answers nothing but 503.
    pub down: AtomicBool,
    /// By how much its clock is ahead, in milliseconds.
    pub ahead: AtomicI64,
    /// By which formula it says that it counts digests; 0: it says none.
    pub formula: AtomicU32,
    pub base_url: String,
    webhook_key: WebhookKey,
}

struct Face(Arc<Upstream>);

impl Upstream {
    pub async fn start(scope: Scope, key: PublicKey, webhook_key: WebhookKey) -> Arc<Self> {
        let store = Store::open(&Location::SqliteMemory, &[ledger::ROOM]).await;
        let books = Books::open(&store.expect("a store"), WORKSPACE).await;
        let books = books.expect("books");
        books.register(&scope).await.expect("registered");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let upstream = Arc::new(Self {
            books,
            scope,
            role: Mutex::new(Role::Viewer),
            key,
            log_key: SigningKey::generate().expect("a key"),
            reports: Mutex::default(),
            loses_answers: AtomicBool::new(false),
            created: AtomicU32::new(0),
            calls: Mutex::default(),
            has_approvals: AtomicBool::new(true),
            down: AtomicBool::new(false),
            ahead: AtomicI64::new(0),
            formula: AtomicU32::new(ledger::digest::FORMULA),
            base_url: format!("http://{address}/v1"),
            webhook_key,
        });
        let server = Server::new(Arc::new(Face(Arc::clone(&upstream))), SystemClock);
        serve(
            listener,
            server,
            axum::Router::new(),
            CancellationToken::new(),
        )
        .expect("serving");
        upstream
    }

    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: vec![self.webhook_key.public()],
        }
    }

    /// Becomes true here; the event of it, as it would be sent.
    pub async fn happens(
        &self,
        kind: &str,
        at: Millis,
        changes: Vec<(Version, Change)>,
        data: &Value,
    ) -> String {
        self.books
            .apply(SystemClock.now(), changes)
            .await
            .expect("applied");
        json!({"id": Uuid::new_v4(), "workspaceId": WORKSPACE, "webhookId": WEBHOOK, "eventType": kind,
            "createdAt": at, "data": data})
        .to_string()
    }

    /// Sends an event; what the receiver answers.
    pub async fn send(&self, url: &str, body: &str) -> u16 {
        let jws = self.webhook_key.sign_jws(body.as_bytes()).expect("signed");
        let request = reqwest::Client::new().post(url).header(JWS_HEADER, jws);
        let response = request.body(body.to_owned()).send().await;
        response.expect("an answer").status().as_u16()
    }

    /// Writes a report that can be fetched.
    pub async fn write_report(&self, kind: Kind) {
        let written = self.report_for(CONNECTION, kind).await;
        let mut reports = self.reports.lock().expect("a lock");
        reports.insert(0, (format!("{kind}-{}", Uuid::new_v4()), kind, written));
    }

    /// A report as a gate writes it for a connection.
    pub async fn report_for(&self, connection: &str, kind: Kind) -> reports::Written {
        let (now, subscriber) = (SystemClock.now(), format!("connection:{connection}"));
        let written = reports::write(
            &self.books,
            &self.scope,
            kind,
            &subscriber,
            now,
            &self.log_key,
        );
        written.await.expect("written")
    }

    async fn own(&self, path: &str) -> Reply {
        if self.down.load(Ordering::SeqCst) {
            return ApiError::uncoded(503, "down").into();
        }
        let me = json!({"connection": CONNECTION, "role": *self.role.lock().expect("a lock"), "workspaceId": WORKSPACE,
            "scope": {"id": self.scope.id().to_string(), "part": self.scope.as_part()}, "position": 3});
        if path == "/me" {
            return Reply::json(200, &me);
        }
        if path == "/digest" {
            let cells = self.books.cells(&self.scope).await.expect("cells");
            let digest = self.books.digest(&self.scope).await.expect("a digest");
            let cells: Vec<_> = cells
                .iter()
                .map(|(cell, digest)| {
                    json!({"account": cell.account, "asset": cell.asset, "kind": cell.kind, "month": cell.month,
                        "count": digest.count, "sum": digest.sum})
                })
                .collect();
            let mut answer = json!({"position": 3, "asOf": SystemClock.now(), "scope": self.scope.id().to_string(),
                "digest": digest, "cells": cells});
            match self.formula.load(Ordering::SeqCst) {
                0 => {}
                formula => answer["digestFormula"] = formula.into(),
            }
            return Reply::json(200, &answer);
        }
        let reports = self.reports.lock().expect("a lock");
        if path == "/reports" {
            let listed: Vec<_> = reports
                .iter()
                .map(|(id, kind, written)| {
                    json!({"id": id, "kind": kind, "createdAt": 5, "position": written.position, "rows": written.rows, "sha256": ""})
                })
                .collect();
            return Reply::json(200, &json!({"data": listed}));
        }
        let wanted = path.strip_prefix("/reports/").unwrap_or_default();
        let (id, manifest) = match wanted.strip_suffix("/manifest") {
            Some(id) => (id, true),
            None => (wanted, false),
        };
        match reports.iter().find(|(other, ..)| other == id) {
            Some((_, _, written)) => Reply {
                status: 200,
                headers: Vec::new(),
                body: if manifest {
                    written.manifest.clone()
                } else {
                    written.file.clone()
                }
                .into(),
                rows: None,
            },
            None => ApiError::not_found().into(),
        }
    }

    async fn create(&self, body: &Value) -> Reply {
        let external = body["externalTxId"].as_str().expect("always our own id");
        let params: Params = [("externalTxId", external.to_owned())]
            .into_iter()
            .collect();
        let found = self
            .ask("getTransactionByExternalId", &params, &Query::default())
            .await;
        if found.status == 200 {
            return ApiError::external_tx_id_exists().into();
        }
        let now = SystemClock.now();
        let (id, status) = (Uuid::new_v4(), "PENDING_AUTHORIZATION");
        let mut doc = body.clone();
        doc["id"] = json!(id);
        doc["status"] = json!(status);
        doc["createdAt"] = json!(now);
        doc["lastUpdated"] = json!(now);
        doc["amountInfo"] = json!({"amount": body["amount"], "requestedAmount": body["amount"]});
        self.put(&doc, true).await;
        self.created.fetch_add(1, Ordering::SeqCst);
        if self.loses_answers.swap(false, Ordering::SeqCst) {
            return ApiError::uncoded(502, "bad gateway").into();
        }
        Reply::json(200, &json!({"id": id, "status": status}))
    }

    /// A transaction is like this here.
    pub async fn put(&self, doc: &Value, own: bool) -> Transaction {
        let transaction: Transaction = serde_json::from_value(doc.clone()).expect("a transaction");
        let origin = ledger::change::Origin {
            upstream_id: None,
            proposer: own.then(|| CONNECTION.to_owned()),
            created_by: None,
        };
        let version = Version::of_transaction(&transaction);
        let change = Change::Transaction(Box::new(transaction.clone()), origin);
        self.books
            .apply(SystemClock.now(), vec![(version, change)])
            .await
            .expect("applied");
        transaction
    }

    async fn ask(&self, operation: &str, params: &Params, query: &Query) -> Reply {
        let scope = self.scope.clone().for_reader(CONNECTION);
        let ask = Ask {
            books: &self.books,
            scope: &scope,
            params,
            query,
            origin: self.base_url.trim_end_matches("/v1"),
            now: SystemClock.now(),
            beside: &[],
            seal: None,
        };
        let operation = protocol::operations::by_id(operation).expect("an operation");
        match answer(operation, ask).await {
            Some(reply) => reply.unwrap_or_else(Into::into),
            None if operation.id.as_str() == "getWorkspace" => {
                Reply::json(200, &json!({"id": WORKSPACE, "name": "Fund"}))
            }
            None => Reply::json(200, &json!({"data": []})),
        }
    }
}

impl Workspace for Face {
    type Guest = ();

    fn door(&self, user: UserId, _: IpAddr) -> Option<Admitted<()>> {
        (user == USER).then(|| Admitted {
            key: self.0.key.clone(),
            before: None,
            guest: Arc::new(()),
        })
    }

    fn failed(&self, _: UserId, _: IpAddr) {}

    fn date(&self, _: Option<&()>) -> Option<Millis> {
        let ahead = self.0.ahead.load(Ordering::SeqCst);
        Some(SystemClock.now().plus(ahead))
    }

    fn may(&self, (): &(), operation: &'static Operation) -> Result<(), ApiError> {
        if self.0.down.load(Ordering::SeqCst) {
            return Err(ApiError::uncoded(503, "down"));
        }
        let role = *self.0.role.lock().expect("a lock");
        if operation.id == "getApprovals" && !self.0.has_approvals.load(Ordering::SeqCst) {
            return Err(ApiError::not_found());
        }
        if operation.roles_stated && !operation.roles.contains(role) {
            return Err(ApiError::new(401, -8, "Insufficient permissions"));
        }
        Ok(())
    }

    async fn answer(&self, _: Arc<()>, call: Call) -> Reply {
        self.0
            .calls
            .lock()
            .expect("a lock")
            .push(call.target.clone());
        match &call.route {
            Route::Own { path, .. } => self.0.own(path).await,
            Route::Operation { operation, .. } if operation.id == "createTransaction" => {
                self.0.create(call.body.as_ref().expect("a body")).await
            }
            Route::Operation { operation, params } => {
                self.0.ask(operation.id.as_str(), params, &call.query).await
            }
        }
    }
}
