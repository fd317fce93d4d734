//! Sending webhooks out: due deliveries of an outbox, each at least once, no endpoint in the way
//! of another. Bodies are signed once, by whoever writes the outbox, never per attempt.

mod caller;
mod clients;
pub mod oauth;
mod schedule;
mod target;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use protocol::ids::{NotificationId, WebhookId};
use protocol::model::webhook::{FailureReason, NotificationAttempt};
use protocol::time::Millis;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use caller::{Answered, Caller, NoAnswer};
pub use clients::{Identity, NoClient};
pub use schedule::{Next, WAITS, WAITS_V1, next};
pub use target::{Refused, TargetPolicy};

use crate::clock::WallClock;
use clients::Clients;
use oauth::{Credentials, Tokens};

/// Most attempts at once, in all.
const MAX_AT_ONCE: usize = 256;
/// Longest sleep between two looks at the outbox.
const MAX_SLEEP: Duration = Duration::from_secs(30);
/// How long to wait when the outbox cannot be read or written.
const PAUSE: Duration = Duration::from_secs(1);

/// One event on its way to one webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event.
    pub notification: NotificationId,
    /// Where it goes, as an endpoint: deliveries to others never wait for it.
    pub webhook: WebhookId,
    /// Where it goes, as an address.
    pub url: Url,
    /// Its signatures, and what else the receiver is to be sent beside the body.
    pub headers: HeaderMap,
    /// What the receiver knows the sender by, where it asks for a certificate.
    pub identity: Option<Identity>,
    /// What a bearer token is fetched with first, where the receiver asks for one.
    pub oauth: Option<Credentials>,
    /// What is posted, byte for byte.
    pub body: Bytes,
    /// The number of the attempt that is due: the first is 1.
    pub attempt: u32,
    /// The waits between attempts, in seconds.
    pub waits: &'static [i64],
}

/// What an outbox has to send.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// What is due now, the longest due first.
    pub deliveries: Vec<Delivery>,
    /// When the next one that is not yet due will be.
    pub next: Option<Millis>,
}

/// The outbox cannot be read or written now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outbox: {0}")]
pub struct OutboxError(pub String);

/// Where deliveries are kept until they are over.
pub trait Outbox: Send + Sync + 'static {
    /// At most `limit` deliveries that are due, none of them to the webhooks that are `busy`.
    fn due(
        &self,
        now: Millis,
        busy: HashSet<WebhookId>,
        limit: usize,
    ) -> impl Future<Output = Result<Due, OutboxError>> + Send;

    /// Keeps what became of an attempt, durably.
    fn record(
        &self,
        delivery: Delivery,
        attempt: NotificationAttempt,
        next: Next,
    ) -> impl Future<Output = Result<(), OutboxError>> + Send;
}

/// Tells when deliveries are due: the world's time, or a sandbox's own.
pub trait DueClock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Millis;
}

impl<C: WallClock> DueClock for C {
    fn now(&self) -> Millis {
        WallClock::now(self)
    }
}

/// Delivers what is due, until told to end.
#[derive(Debug)]
pub struct Dispatcher<O, C> {
    outbox: Arc<O>,
    clock: Arc<C>,
    wake: Arc<Notify>,
    sender: Sender,
    per_webhook: usize,
}

/// What posts deliveries: connections, where they may lead, and the tokens of those that ask for
/// one. Dispatchers can share it.
#[derive(Clone, Debug)]
pub struct Sender {
    clients: Arc<Clients>,
    tokens: Arc<Tokens>,
}

impl Sender {
    /// One that posts only to where the policy lets it.
    pub fn new(policy: TargetPolicy) -> Result<Self, NoClient> {
        Ok(Self {
            clients: Arc::new(Clients::new(policy)?),
            tokens: Arc::default(),
        })
    }
}

impl<O: Outbox, C: DueClock> Dispatcher<O, C> {
    /// A dispatcher of one outbox. Whoever adds deliveries, or moves the clock, notifies `wake`.
    /// With one attempt at once per webhook, its deliveries arrive in their order.
    pub fn new(
        outbox: Arc<O>,
        clock: Arc<C>,
        wake: Arc<Notify>,
        policy: TargetPolicy,
        per_webhook: usize,
    ) -> Result<Self, NoClient> {
        let sender = Sender::new(policy)?;
        Ok(Self::with_sender(outbox, clock, wake, sender, per_webhook))
    }

    /// The same, with a sender that others use too.
    pub fn with_sender(
        outbox: Arc<O>,
        clock: Arc<C>,
        wake: Arc<Notify>,
        sender: Sender,
        per_webhook: usize,
    ) -> Self {
        Self {
            outbox,
            clock,
            wake,
            sender,
            per_webhook: per_webhook.max(1),
        }
    }

    /// Runs until the token is cancelled; attempts under way are ended and recorded.
    pub async fn run(self, shutdown: CancellationToken) {
        let this = Arc::new(self);
        let mut attempts: JoinSet<(WebhookId, NotificationId)> = JoinSet::new();
        let mut under_way: HashMap<WebhookId, HashSet<NotificationId>> = HashMap::new();
        while !shutdown.is_cancelled() {
            let sleep = this.start(&mut attempts, &mut under_way).await;
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = this.wake.notified() => {}
                () = tokio::time::sleep(sleep) => {}
                Some(ended) = attempts.join_next() => match ended {
                    Ok((webhook, notification)) => {
                        if let Some(of_webhook) = under_way.get_mut(&webhook) {
                            of_webhook.remove(&notification);
                        }
                        under_way.retain(|_, of_webhook| !of_webhook.is_empty());
                    }
                    Err(error) => tracing::error!(%error, "an attempt broke off"),
                },
            }
        }
        while attempts.join_next().await.is_some() {}
    }

    /// Starts what is due and has room; says how long there will be nothing more.
    async fn start(
        self: &Arc<Self>,
        attempts: &mut JoinSet<(WebhookId, NotificationId)>,
        under_way: &mut HashMap<WebhookId, HashSet<NotificationId>>,
    ) -> Duration {
        if attempts.len() >= MAX_AT_ONCE {
            return MAX_SLEEP;
        }
        let full = |of_webhook: &HashSet<_>| of_webhook.len() >= self.per_webhook;
        let busy = under_way
            .iter()
            .filter(|(_, of)| full(of))
            .map(|(webhook, _)| *webhook)
            .collect();
        let now = self.clock.now();
        let due = match self.outbox.due(now, busy, 2 * MAX_AT_ONCE).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "deliveries wait");
                return PAUSE;
            }
        };
        let mut started = false;
        for delivery in due.deliveries {
            let of_webhook = under_way.entry(delivery.webhook).or_default();
            if attempts.len() >= MAX_AT_ONCE
                || full(of_webhook)
                || !of_webhook.insert(delivery.notification)
            {
                continue;
            }
            started = true;
            let this = Arc::clone(self);
            attempts.spawn(async move { this.attempt(delivery).await });
        }
        match due.next {
            // There may be more behind what was just taken, to webhooks that are free.
            _ if started => Duration::ZERO,
            Some(at) => {
                let millis = u64::try_from(at.0.saturating_sub(now.0)).unwrap_or(0);
                Duration::from_millis(millis.max(1)).min(MAX_SLEEP)
            }
            None => MAX_SLEEP,
        }
    }

    async fn attempt(&self, delivery: Delivery) -> (WebhookId, NotificationId) {
        let ids = (delivery.webhook, delivery.notification);
        let sent_time = self.clock.now();
        let began = Instant::now();
        let (response_code, failure_reason) = match self.post(&delivery).await {
            Ok(code) => (Some(code), None),
            Err(reason) => (None, Some(reason)),
        };
        let duration = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let attempt = NotificationAttempt {
            sent_time,
            duration,
            response_code,
            failure_reason,
        };
        let next = next(&attempt, delivery.attempt, delivery.waits, self.clock.now());
        if let Err(error) = self.outbox.record(delivery, attempt, next).await {
            tracing::error!(%error, "an attempt is not recorded; it will be made again");
            tokio::time::sleep(PAUSE).await;
        }
        ids
    }

    async fn post(&self, delivery: &Delivery) -> Result<u16, FailureReason> {
        let Sender { clients, tokens } = &self.sender;
        let client = clients.to(&delivery.url, delivery.identity.as_ref());
        let client = client.map_err(|error| {
            tracing::warn!(webhook = %delivery.webhook, %error, "no delivery");
            FailureReason::NoResponse
        })?;
        let mut headers = delivery.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(credentials) = &delivery.oauth {
            let token = tokens.of(credentials, clients).await;
            let token = token.map_err(|error| {
                tracing::warn!(webhook = %delivery.webhook, %error, "no delivery");
                error.reason()
            })?;
            headers.insert(AUTHORIZATION, token);
        }
        let request = client
            .post(delivery.url.clone())
            .headers(headers)
            .body(delivery.body.clone());
        match request.send().await {
            Ok(response) => {
                let code = response.status().as_u16();
                if let (401, Some(credentials)) = (code, &delivery.oauth) {
                    tokens.forget(credentials);
                }
                Ok(code)
            }
            Err(error) if error.is_timeout() => Err(FailureReason::TimedOut),
            Err(_) => Err(FailureReason::NoResponse),
        }
    }
}
