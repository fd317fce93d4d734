//! One place that a scenario is played at: who calls its API, and what people, chain and time do
//! there.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::operations;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wire::client::{Answer, Budget, Client, ClientError, LocalKey};
use wire::clock::SystemClock;

use super::expect::{Failure, Seen};
use super::receivers::Receivers;
use super::variables::{Unknown, Variables};
use super::{Act, Step};

/// How soon it is looked again whether what is waited for has come.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a scenario is played.
pub(super) struct Side {
    pub(super) callers: Callers,
    /// Where people, the chain and time are told what to do; nothing: nobody can tell them here.
    pub(super) control: Option<Control>,
    /// Nothing: webhooks would not find here.
    pub(super) receivers: Option<Receivers>,
    pub(super) known: Variables,
}

/// Who calls the API.
pub(super) enum Callers {
    /// Each user as themselves, by name.
    Each(BTreeMap<String, Client>),
    /// Everybody by one key.
    One(Client),
}

/// The control plane of a sandbox.
#[derive(Clone, Debug)]
pub(super) struct Control {
    http: reqwest::Client,
    url: String,
    token: SecretString,
}

/// Why a step cannot be played at a place.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Unplayable {
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("nobody tells people, chain and time here what to do")]
    NoControl,
    #[error("webhooks do not find here")]
    NoReceivers,
    #[error("there is no API user '{0}' here")]
    NoUser(String),
}

/// What came of a step.
#[derive(Debug)]
pub(super) struct Done {
    /// What was done, in words.
    pub(super) doing: String,
    pub(super) seen: Seen,
    /// What was expected and not seen.
    pub(super) failures: Vec<Failure>,
}

/// A client in the name of a user.
pub(super) fn client(
    base_url: &str,
    user: UserId,
    key: PrivateKey,
    calls_per_minute: NonZeroU32,
) -> Result<Client, wire::client::BadBaseUrl> {
    // Some of a minute's calls may come at once.
    let burst = NonZeroU32::new(calls_per_minute.get() / 10).unwrap_or(NonZeroU32::MIN);
    let budget = Budget::per_minute(calls_per_minute, burst, PATIENCE);
    let signer = Arc::new(LocalKey::new(user, key));
    let client = Client::new(base_url, signer, budget, Arc::new(SystemClock))?;
    Ok(client.waiting(PATIENCE))
}

/// What was answered, as it is judged.
pub(super) fn seen(answer: Result<Answer, ClientError>) -> Seen {
    match answer {
        Ok(answer) => Seen::Answer {
            status: answer.status,
            body: read(&answer.body),
            headers: answer.headers,
        },
        Err(error) => Seen::Cut(error.to_string()),
    }
}

fn read(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let read = serde_json::from_slice(body);
    read.unwrap_or_else(|_| String::from_utf8_lossy(body).into())
}

impl Control {
    pub(super) fn new(url: &str, token: &SecretString) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            token: token.clone(),
        })
    }

    /// Asks; the answer as it is judged.
    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Seen {
        let asked = async {
            let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
            let request = self.http.request(method, format!("{}{path}", self.url));
            let request = request.bearer_auth(self.token.expose_secret());
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            let response = request.send().await?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
        };
        match asked.await {
            Ok((status, headers, bytes)) => Seen::Answer {
                status: status.as_u16(),
                headers,
                body: read(&bytes),
            },
            Err(error) => Seen::Cut(error.without_url().to_string()),
        }
    }
}

impl Step {
    /// What is done, in words.
    pub(super) fn doing(&self) -> String {
        match &self.act {
            Act::Api {
                user,
                operation,
                target,
                ..
            } => format!("{user}: {} {}", operation.method, target.path()),
            Act::Control { call, .. } => format!("control: {}", call.id),
            Act::Webhook { receiver, kind, .. } => {
                let kind = kind.as_deref().unwrap_or("an event");
                format!("webhook: {kind} at {receiver}")
            }
            Act::Answers { receiver, status } => format!("receiver: {receiver} answers {status}"),
        }
    }

    fn well(&self) -> Option<u16> {
        match &self.act {
            Act::Control { call, .. } => Some(call.status),
            _ => None,
        }
    }

    /// Whether it changes anything at the place it is played at, by the API.
    pub(super) fn writes(&self) -> bool {
        match &self.act {
            Act::Api { operation, .. } => operation.method != operations::Method::Get,
            _ => false,
        }
    }
}

impl Side {
    /// Does the step, again and again where it may wait, and captures what it tells.
    pub(super) async fn play(&mut self, step: &Step) -> Result<Done, Unplayable> {
        let deadline = step.within.map(|within| Instant::now() + within);
        loop {
            let came = self.receivers.as_ref().map(Receivers::changed);
            let done = self.once(step).await?;
            let over = deadline.is_none_or(|deadline| Instant::now() >= deadline);
            if done.failures.is_empty() || over {
                return Ok(self.captured(step, done));
            }
            match (came, &step.act, deadline) {
                (Some(came), Act::Webhook { .. }, Some(deadline)) => {
                    let _ = tokio::time::timeout_at(deadline, came).await;
                }
                _ => sleep(PAUSE).await,
            }
        }
    }

    async fn once(&self, step: &Step) -> Result<Done, Unplayable> {
        let (doing, seen) = match &step.act {
            Act::Api {
                user,
                operation,
                target,
                body,
                idempotency_key,
            } => {
                let client = self.callers.client(user)?;
                let target = target.filled(&self.known)?;
                let body = body.as_ref().map(|body| self.known.value(body));
                let body = body
                    .transpose()?
                    .map_or_else(Bytes::new, |body| body.to_string().into());
                let key = idempotency_key.as_ref().map(|key| self.known.text(key));
                let key = key.transpose()?;
                let method = operation.method.as_str();
                let doing = format!("{user}: {method} {target}");
                let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
                let answer = client.exchange(method, &target, body, key.as_deref());
                (doing, seen(answer.await))
            }
            Act::Control { call, target, body } => {
                let control = self.control.as_ref().ok_or(Unplayable::NoControl)?;
                let path = target.filled(&self.known)?;
                let body = body.as_ref().map(|body| self.known.value(body));
                let body = body.transpose()?;
                let seen = control.ask(call.method, &path, body.as_ref()).await;
                (format!("control: {} {path}", call.method), seen)
            }
            Act::Webhook {
                receiver,
                kind,
                count,
            } => return self.webhook(step, receiver, kind.as_deref(), *count),
            Act::Answers { receiver, status } => {
                let receivers = self.receivers.as_ref().ok_or(Unplayable::NoReceivers)?;
                receivers.answer(receiver, *status);
                (step.doing(), Seen::Fact(json!({ "answers": status })))
            }
        };
        let failures = step
            .expect
            .judge(step.line, &seen, step.well(), &self.known)?;
        Ok(Done {
            doing,
            seen,
            failures,
        })
    }

    /// Looks among the events that came for those that are as expected.
    fn webhook(
        &self,
        step: &Step,
        receiver: &str,
        kind: Option<&str>,
        count: Option<usize>,
    ) -> Result<Done, Unplayable> {
        let receivers = self.receivers.as_ref().ok_or(Unplayable::NoReceivers)?;
        let mut of_kind = receivers.events(receiver);
        of_kind.retain(|heard| kind.is_none_or(|kind| heard["event"]["eventType"] == kind));
        let mut met = Vec::new();
        let mut nearest: Option<(Vec<Failure>, Value)> = None;
        for mut heard in of_kind {
            let mut event = heard["event"].take();
            // The key's name stands beside the event's own members.
            event["signedBy"] = heard["kid"].take();
            let seen = Seen::Fact(event.clone());
            let failures = step.expect.judge(step.line, &seen, None, &self.known)?;
            if failures.is_empty() {
                met.push(event);
            } else if nearest
                .as_ref()
                .is_none_or(|(least, _)| failures.len() <= least.len())
            {
                nearest = Some((failures, event));
            }
        }
        let holds = count.map_or(!met.is_empty(), |count| met.len() == count);
        let number = met.len();
        let mut failures = Vec::new();
        if !holds {
            let refused = receivers.refused(receiver);
            let mut seen = match number {
                0 => "none".to_owned(),
                number => number.to_string(),
            };
            if !refused.is_empty() {
                let why = refused.last().map(String::as_str).unwrap_or_default();
                seen = format!("{seen}; {} refused ({why})", refused.len());
            }
            failures.push(Failure {
                line: step.line,
                what: format!("events of {} at {receiver}", kind.unwrap_or("any type")),
                expected: count.map_or("one at least".to_owned(), |count| count.to_string()),
                seen,
            });
            if count.is_none()
                && let Some((missed, _)) = &nearest
            {
                failures.extend(missed.iter().cloned());
            }
        }
        let seen = met.pop().or(nearest.map(|(_, event)| event));
        let seen = match (holds, number) {
            (true, 0) => Seen::Fact(json!("none, as expected")),
            _ => Seen::Fact(seen.unwrap_or(Value::Null)),
        };
        Ok(Done {
            doing: step.doing(),
            seen,
            failures,
        })
    }

    fn captured(&mut self, step: &Step, mut done: Done) -> Done {
        for capture in &step.captures {
            match capture.path.query(done.seen.body()).exactly_one() {
                Ok(value) => self.known.set(&capture.name, value.clone()),
                Err(error) if done.failures.is_empty() => done.failures.push(Failure {
                    line: capture.line,
                    what: format!("{} for ${{{}}}", capture.path, capture.name),
                    expected: "one value".to_owned(),
                    seen: format!("{error}: {}", done.seen),
                }),
                Err(_) => {}
            }
        }
        done
    }
}

impl Callers {
    /// From now on everybody is this user.
    pub(super) fn only(&mut self, name: &str) -> Result<(), Unplayable> {
        *self = Self::One(self.client(name)?.clone());
        Ok(())
    }

    fn client(&self, user: &str) -> Result<&Client, Unplayable> {
        match self {
            Self::One(client) => Ok(client),
            Self::Each(clients) => {
                let client = clients.get(user);
                client.ok_or_else(|| Unplayable::NoUser(user.to_owned()))
            }
        }
    }
}
