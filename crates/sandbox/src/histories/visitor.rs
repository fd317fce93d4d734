//! Calls of the API within the process: all that a server does between the token and the bytes.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::exchange::{Params, Query};
use protocol::ids::RequestId;
use protocol::operations::{self, Resolution};
use serde_json::Value;
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};
use wire::server::{Call, Route};

use crate::doors::Guest;
use crate::hall::Hall;
use crate::operations::answer;
use crate::people;

static NONCES: AtomicU64 = AtomicU64::new(0);

/// A user of a workspace.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) hall: Arc<Hall>,
    guest: Arc<Guest>,
}

impl Visitor {
    pub(crate) fn named(hall: &Arc<Hall>, name: &str) -> Self {
        let user = people::named(name).expect("a person").id_in(hall.id());
        Self {
            guest: hall.house.doors.get(user).expect("a key"),
            hall: Arc::clone(hall),
        }
    }

    /// Status and body of what comes back.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let target = format!("/v1{path}");
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let Resolution::Known(found) = operations::resolve(method, path) else {
            panic!("{method} {target} is no operation");
        };
        let names = found.operation.parameters.iter();
        let params: Params = names
            .map(|name| (*name, found.parameters.text(name).expect(name).into_owned()))
            .collect();
        let now = SystemClock.now();
        let call = Call {
            request_id: RequestId(Uuid::nil()),
            user: self.guest.user,
            signed_with: self.guest.key.fingerprint(),
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
            certificate: None,
            received_at: now,
            route: Route::Operation {
                operation: found.operation,
                params,
            },
            query: Query::parse(query).expect("a query"),
            body,
            idempotency_key: None,
            nonce: NONCES
                .fetch_add(1, Ordering::Relaxed)
                .to_string()
                .parse()
                .expect("a nonce"),
            nonce_until: now.seconds() + 60,
            target: target.clone(),
        };
        let reply = answer(&self.hall, &self.guest, &call).await;
        let told = serde_json::from_slice(&reply.body).unwrap_or_default();
        (reply.status, told)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, told) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "GET {path}: {told}");
        told
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call("POST", path, Some(body)).await
    }
}
