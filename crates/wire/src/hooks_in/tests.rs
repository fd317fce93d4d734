//! Through a real socket.

use std::sync::LazyLock;

use parking_lot::Mutex;
use protocol::keys::{KeySize, PrivateKey};
use protocol::signature::{JWS_HEADER, Jwks, LEGACY_HEADER, WebhookKey};
use uuid::Uuid;

use super::*;

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).unwrap());
const PIN: Pin = Pin {
    workspace: WorkspaceId(Uuid::from_u128(1)),
    webhook: Some(WebhookId(Uuid::from_u128(2))),
};

#[derive(Default)]
struct Memory {
    events: Mutex<Vec<VerifiedEvent>>,
    broken: std::sync::atomic::AtomicBool,
}

impl Inbox for Memory {
    fn store(&self, event: VerifiedEvent) -> BoxFuture<'_, Result<Stored, NotStored>> {
        Box::pin(async move {
            if self.broken.load(Ordering::SeqCst) {
                return Err(NotStored("disk full".to_owned()));
            }
            let mut events = self.events.lock();
            if events.iter().any(|old| old.body == event.body) {
                return Ok(Stored::Duplicate);
            }
            events.push(event);
            Ok(Stored::New)
        })
    }
}

fn key(kid: &str) -> WebhookKey {
    WebhookKey::new(kid, KEY.clone())
}

fn jwks(kid: &str) -> Jwks {
    Jwks {
        keys: vec![key(kid).public()],
    }
}

fn event(workspace: u128, webhook: u128) -> String {
    let (id, workspace, webhook) = (
        Uuid::from_u128(9),
        Uuid::from_u128(workspace),
        Uuid::from_u128(webhook),
    );
    format!(
        r#"{{"id":"{id}","workspaceId":"{workspace}","webhookId":"{webhook}","eventType":"transaction.created","createdAt":1,"data":{{}}}}"#
    )
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    origin
}

struct World {
    receiver: Receiver,
    inbox: Arc<Memory>,
    origin: String,
}

impl World {
    async fn new(keys: KeySource) -> Self {
        let (receiver, inbox) = (Receiver::default(), Arc::<Memory>::default());
        receiver.mount("c", PIN, keys, inbox.clone());
        let origin = serve(receiver.router()).await;
        Self {
            receiver,
            inbox,
            origin,
        }
    }

    async fn post(&self, header: &str, value: &str, body: impl Into<reqwest::Body>) -> u16 {
        let request = reqwest::Client::new().post(format!("{}/webhooks/c", self.origin));
        request
            .header(header, value)
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    async fn post_signed(&self, body: &str) -> u16 {
        let jws = key("k").sign_jws(body.as_bytes()).unwrap();
        self.post(JWS_HEADER, &jws, body.to_owned()).await
    }
}

#[tokio::test]
async fn stored_first_then_200_and_again_is_200() {
    let world = World::new(KeySource::pinned(jwks("k"))).await;
    world.inbox.broken.store(true, Ordering::SeqCst);
    assert_eq!(world.post_signed(&event(1, 2)).await, 503);
    world.inbox.broken.store(false, Ordering::SeqCst);
    assert_eq!(world.post_signed(&event(1, 2)).await, 200);
    assert_eq!(world.post_signed(&event(1, 2)).await, 200);
    let counts = world.receiver.counts("c").unwrap();
    assert_eq!(
        counts,
        Counts {
            stored: 1,
            duplicate: 1,
            lost: 1,
            ..Counts::default()
        }
    );
    world.receiver.unmount("c");
    assert_eq!(world.post_signed(&event(1, 2)).await, 404);
}

#[tokio::test]
async fn rightly_signed_but_of_another_workspace_is_refused_and_counted() {
    let world = World::new(KeySource::pinned(jwks("k"))).await;
    let half = format!(r#"{{"workspaceId":"{}","data":7}}"#, Uuid::from_u128(3));
    for foreign in [event(3, 2), event(1, 3), half] {
        assert_eq!(world.post_signed(&foreign).await, 403);
    }
    assert_eq!(world.receiver.counts("c").unwrap().foreign, 3);
    assert!(world.inbox.events.lock().is_empty());
}

#[tokio::test]
async fn what_is_not_understood_is_kept_aside() {
    let world = World::new(KeySource::pinned(jwks("k"))).await;
    let no_webhook = format!(r#"{{"workspaceId":"{}"}}"#, PIN.workspace);
    let twice = format!(
        r#"{{"workspaceId":"{0}","workspaceId":"{0}"}}"#,
        PIN.workspace
    );
    for odd in ["not JSON", "{}", &no_webhook, &twice] {
        assert_eq!(world.post_signed(odd).await, 200, "{odd}");
    }
    assert!(
        world
            .inbox
            .events
            .lock()
            .iter()
            .all(|event| matches!(event.content, Content::Aside(_)))
    );
    assert_eq!(world.receiver.counts("c").unwrap().aside, 4);
}

#[tokio::test]
async fn what_is_not_signed_rightly_is_refused() {
    let world = World::new(KeySource::pinned(jwks("k"))).await;
    let body = event(1, 2);
    let other = key("k").sign_jws(b"{}").unwrap();
    let unknown = key("x").sign_jws(body.as_bytes()).unwrap();
    let legacy = key("k").sign_legacy(body.as_bytes()).unwrap();
    for (header, value) in [
        (JWS_HEADER, &*other),
        (JWS_HEADER, &unknown),
        (JWS_HEADER, "x"),
        (LEGACY_HEADER, &legacy),
        ("x", ""),
    ] {
        assert_eq!(world.post(header, value, body.clone()).await, 401);
    }
    assert_eq!(
        world
            .post("x", "", vec![b' '; server::MAX_BODY_LEN + 1])
            .await,
        413
    );
    assert!(world.inbox.events.lock().is_empty());
}

#[tokio::test]
async fn the_legacy_header_counts_where_its_key_is_pinned() {
    let keys = KeySource::pinned(Jwks::default()).with_legacy(KEY.public().clone());
    let world = World::new(keys).await;
    let body = event(1, 2);
    let legacy = key("k").sign_legacy(body.as_bytes()).unwrap();
    assert_eq!(world.post(LEGACY_HEADER, &legacy, body).await, 200);
}

#[tokio::test]
async fn an_unknown_key_is_looked_up_once_in_a_while() {
    static FETCHED: AtomicU64 = AtomicU64::new(0);
    let list = || async {
        FETCHED.fetch_add(1, Ordering::SeqCst);
        jwks("k").to_json()
    };
    let origin = serve(Router::new().route("/jwks", axum::routing::get(list))).await;
    let url = format!("{origin}/jwks").parse().unwrap();
    let world = World::new(KeySource::pinned(jwks("old")).refetching(url)).await;
    assert_eq!(world.post_signed(&event(1, 2)).await, 200);
    let unknown = key("x").sign_jws(b"{}").unwrap();
    for _ in 0..3 {
        assert_eq!(world.post(JWS_HEADER, &unknown, "{}").await, 401);
    }
    assert_eq!(FETCHED.load(Ordering::SeqCst), 1);
}
