//! Real receivers, an outbox in memory, a clock that is moved by hand.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use axum::Router;
use parking_lot::Mutex;
use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;

struct Row {
    delivery: Delivery,
    at: Millis,
    next: Option<Next>,
}

#[derive(Default)]
struct Memory(Mutex<Vec<Row>>);

impl Outbox for Memory {
    async fn due(
        &self,
        now: Millis,
        busy: HashSet<WebhookId>,
        limit: usize,
    ) -> Result<Due, OutboxError> {
        let rows = self.0.lock();
        let open = || {
            rows.iter()
                .filter(|row| !matches!(row.next, Some(Next::Completed | Next::Failed)))
        };
        let due = open().filter(|row| row.at <= now && !busy.contains(&row.delivery.webhook));
        Ok(Due {
            deliveries: due.take(limit).map(|row| row.delivery.clone()).collect(),
            next: open().map(|row| row.at).filter(|at| *at > now).min(),
        })
    }

    async fn record(
        &self,
        delivery: Delivery,
        _: NotificationAttempt,
        next: Next,
    ) -> Result<(), OutboxError> {
        let mut rows = self.0.lock();
        let row = rows
            .iter_mut()
            .find(|row| row.delivery.notification == delivery.notification)
            .unwrap();
        row.next = Some(next);
        if let Next::Again(at) = next {
            row.at = at;
            row.delivery.attempt += 1;
        }
        Ok(())
    }
}

impl Memory {
    fn add(&self, id: u128, webhook: u128, url: &str) {
        let delivery = Delivery {
            notification: NotificationId(Uuid::from_u128(id)),
            webhook: WebhookId(Uuid::from_u128(webhook)),
            url: url.parse().unwrap(),
            headers: HeaderMap::from_iter([(
                http::HeaderName::from_static("x-signed"),
                HeaderValue::from_static("yes"),
            )]),
            identity: None,
            oauth: None,
            body: Bytes::from_static(b"{}"),
            attempt: 1,
            waits: &WAITS,
        };
        self.0.lock().push(Row {
            delivery,
            at: Millis(0),
            next: None,
        });
    }

    fn next(&self, at: usize) -> Option<Next> {
        self.0.lock()[at].next
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .expect("it did not come");
}

struct World {
    outbox: Arc<Memory>,
    clock: ManualClock,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
}

impl World {
    fn start(policy: TargetPolicy, fill: impl FnOnce(&Memory)) -> Self {
        let outbox = Arc::<Memory>::default();
        fill(&outbox);
        let (clock, wake, shutdown) = (
            ManualClock::at(Millis(0)),
            Arc::<Notify>::default(),
            CancellationToken::new(),
        );
        let dispatcher = Dispatcher::new(
            outbox.clone(),
            Arc::new(clock.clone()),
            wake.clone(),
            policy,
            1,
        )
        .unwrap();
        tokio::spawn(dispatcher.run(shutdown.clone()));
        Self {
            outbox,
            clock,
            wake,
            shutdown,
        }
    }
}

#[tokio::test]
async fn retries_follow_the_schedule_to_its_end() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let url = serve(Router::new().fallback(|headers: HeaderMap| async move {
        assert_eq!(headers["x-signed"], "yes");
        CALLS.fetch_add(1, Ordering::SeqCst);
        http::StatusCode::SERVICE_UNAVAILABLE
    }))
    .await;
    let world = World::start(TargetPolicy::Any, |outbox| outbox.add(1, 1, &url));
    let mut now = 0;
    for (made, wait) in WAITS.iter().enumerate() {
        let again = Some(Next::Again(Millis(now + wait * 1_000)));
        until(|| world.outbox.next(0) == again).await;
        assert_eq!(CALLS.load(Ordering::SeqCst), made + 1);
        now += wait * 1_000;
        world.clock.advance(wait * 1_000);
        world.wake.notify_one();
    }
    until(|| world.outbox.next(0) == Some(Next::Failed)).await;
    assert_eq!(CALLS.load(Ordering::SeqCst), 10);
    world.shutdown.cancel();
}

#[tokio::test]
async fn a_slow_endpoint_is_in_nobodys_way() {
    let slow = serve(Router::new().fallback(std::future::pending::<()>)).await;
    let fast = serve(Router::new().fallback(|| async {})).await;
    let world = World::start(TargetPolicy::Any, |outbox| {
        (0..600).for_each(|id| outbox.add(id, 1, &slow));
        outbox.add(1_000, 2, &fast);
        outbox.add(1_001, 2, &fast);
    });
    until(|| world.outbox.next(601) == Some(Next::Completed)).await;
    assert!((0..600).all(|at| world.outbox.next(at).is_none()));
}

#[tokio::test]
async fn a_refusal_is_final_and_a_redirect_is_not_followed() {
    static CODE: AtomicU16 = AtomicU16::new(0);
    for code in [302, 404] {
        CODE.store(code, Ordering::SeqCst);
        let url = serve(Router::new().fallback(|| async {
            let code = http::StatusCode::from_u16(CODE.load(Ordering::SeqCst)).unwrap();
            (code, [("location", "/elsewhere")])
        }))
        .await;
        let world = World::start(TargetPolicy::Any, |outbox| outbox.add(1, 1, &url));
        until(|| world.outbox.next(0) == Some(Next::Failed)).await;
    }
}

#[tokio::test]
async fn nothing_goes_to_a_private_address_under_the_strict_policy() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let count = || async {
        CALLS.fetch_add(1, Ordering::SeqCst);
    };
    let url = serve(Router::new().fallback(count)).await;
    let world = World::start(TargetPolicy::Public { except: vec![] }, |outbox| {
        outbox.add(1, 1, &url)
    });
    until(|| world.outbox.next(0) == Some(Next::Again(Millis(10_000)))).await;
    assert_eq!(CALLS.load(Ordering::SeqCst), 0);
}
