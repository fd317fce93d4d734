//! The same asked at two places: somebody's own developer sandbox, and a workspace here. What
//! differs is told without any value: statuses, error codes, names and types, headers that matter.
//!
//! Only steps over the API are played, all by one key. What people, the chain and time do is not
//! asked for: at both places they act by themselves, and a step that waits is waited for.

use std::num::NonZeroU32;
use std::time::Duration;

use http::HeaderMap;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::expect::Seen;
use super::play::{PlayError, Player, open};
use super::shape::Shape;
use super::side::{Callers, Done, Side, Unplayable, client};
use super::variables::Variables;
use super::{Act, Scenario, Step};
use crate::hosts;

/// How often a 429 is waited out.
const MAX_WAITS: usize = 3;
/// Longest such wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Headers of which it matters whether they are there.
const THERE: [&str; 7] = [
    "next-page",
    "prev-page",
    "retry-after",
    "x-ratelimit-limit",
    "x-request-id",
    "location",
    "www-authenticate",
];

/// Somebody's own workspace.
#[derive(Debug)]
pub struct Live {
    base_url: Url,
    user: UserId,
    key: PrivateKey,
    calls_per_minute: NonZeroU32,
    writes: bool,
}

impl Live {
    /// A workspace of the developer sandbox, or of a server on this machine; nothing else is called.
    /// Only what `writes` allows is anything but a GET.
    pub fn new(
        base_url: Url,
        user: UserId,
        key: PrivateKey,
        calls_per_minute: NonZeroU32,
        writes: bool,
    ) -> Result<Self, hosts::Refused> {
        hosts::comparable(&base_url)?;
        Ok(Self {
            base_url,
            user,
            key,
            calls_per_minute,
            writes,
        })
    }
}

/// Something that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of what.
    pub what: String,
    /// There.
    pub live: String,
    /// Here.
    pub ours: String,
}

/// What came of a step.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// What it is called.
    pub step: String,
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// What was asked, names not filled in.
    pub doing: String,
    /// Why it was not played, if it was not.
    pub skipped: Option<String>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Plays a scenario at both places, here in the name of the user called `name`; `tell` hears of each
/// step. Whether it came to the end.
pub async fn compare(
    live: &Live,
    ours: &mut Player,
    name: &str,
    scenario: &Scenario,
    over: &CancellationToken,
    tell: &mut (dyn FnMut(Compared) + Send),
) -> Result<bool, PlayError> {
    let (address, scenario) = ours.lively(scenario).await?;
    let (mut here, workspace) = open(&address, &scenario).await?;
    let control = here.control.take();
    let played = both(live, &mut here, name, &scenario, over, tell).await;
    if let Some(control) = control {
        let path = format!("/workspaces/{workspace}");
        control.ask("DELETE", &path, None).await;
    }
    played
}

async fn both(
    live: &Live,
    here: &mut Side,
    name: &str,
    scenario: &Scenario,
    over: &CancellationToken,
    tell: &mut (dyn FnMut(Compared) + Send),
) -> Result<bool, PlayError> {
    let failed = |error: &dyn std::fmt::Display| PlayError::Client(error.to_string());
    here.callers.only(name).map_err(|error| failed(&error))?;
    here.receivers = None;
    let caller = client(
        live.base_url.as_str(),
        live.user,
        live.key.clone(),
        live.calls_per_minute,
    );
    let mut known = Variables::default();
    known.set("run", Uuid::new_v4().to_string());
    here.known = known.clone();
    let mut there = Side {
        callers: Callers::One(caller.map_err(|error| failed(&error))?),
        control: None,
        receivers: None,
        known,
    };
    for step in &scenario.steps {
        let skipped = not_compared(step, live);
        let mut compared = Compared {
            step: step.name.clone(),
            line: step.line,
            doing: step.doing(),
            skipped,
            differences: Vec::new(),
        };
        if compared.skipped.is_none() {
            let played = async { tokio::join!(patiently(&mut there, step), here.play(step)) };
            let played = tokio::select! {
                () = over.cancelled() => return Ok(false),
                played = played => played,
            };
            match played {
                (Ok(there), Ok(here)) => compared.differences = differences(&there, &here),
                (there, here) => compared.skipped = why(there.err(), here.err()),
            }
        }
        tell(compared);
    }
    Ok(true)
}

/// Plays a step there; who is told to wait waits, a few times.
async fn patiently(there: &mut Side, step: &Step) -> Result<Done, Unplayable> {
    for _ in 0..MAX_WAITS {
        let done = there.play(step).await?;
        match asked_to_wait(&done.seen) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Ok(done),
        }
    }
    there.play(step).await
}

/// How long a 429 asks to wait; a second where it does not say.
fn asked_to_wait(seen: &Seen) -> Option<Duration> {
    let Seen::Answer {
        status: 429,
        headers,
        ..
    } = seen
    else {
        return None;
    };
    let asked = headers
        .get("retry-after")
        .and_then(|value| value.to_str().ok());
    let seconds = asked.and_then(|text| text.trim().parse().ok()).unwrap_or(1);
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

fn not_compared(step: &Step, live: &Live) -> Option<String> {
    match step.act {
        Act::Api { .. } if step.writes() && !live.writes => {
            Some("it writes: --allow-writes lets it".to_owned())
        }
        Act::Api { .. } => None,
        _ => Some("it is not of the API alone".to_owned()),
    }
}

/// Why a step could not be played at both places.
fn why(there: Option<Unplayable>, here: Option<Unplayable>) -> Option<String> {
    match (there, here) {
        (Some(why), Some(_)) => Some(why.to_string()),
        (Some(why), None) => Some(format!("there, {why}")),
        (None, Some(why)) => Some(format!("here, {why}")),
        (None, None) => None,
    }
}

fn differences(there: &Done, here: &Done) -> Vec<Difference> {
    let (there, here) = (Told::of(&there.seen), Told::of(&here.seen));
    let mut found = Vec::new();
    let mut note = |what: &str, live: &str, ours: &str| {
        if live != ours {
            found.push(Difference {
                what: what.to_owned(),
                live: live.to_owned(),
                ours: ours.to_owned(),
            });
        }
    };
    note("the status", &there.status, &here.status);
    note("the error's code", &there.code, &here.code);
    note(
        "the header content-type",
        &there.content_type,
        &here.content_type,
    );
    for name in THERE {
        let is = |told: &Told| if told.has(name) { "there" } else { "absent" };
        note(&format!("the header {name}"), is(&there), is(&here));
    }
    let shapes = there.shape.differences(&here.shape);
    found.extend(shapes.into_iter().map(|difference| Difference {
        what: difference.place,
        live: difference.one,
        ours: difference.other,
    }));
    found
}

/// What is compared of an answer: nothing of it is a value of somebody's workspace.
struct Told {
    status: String,
    code: String,
    content_type: String,
    headers: HeaderMap,
    shape: Shape,
}

impl Told {
    fn of(seen: &Seen) -> Self {
        let (status, headers) = match seen {
            Seen::Answer {
                status, headers, ..
            } => (status.to_string(), headers.clone()),
            Seen::Cut(_) | Seen::Fact(_) => ("no answer".to_owned(), HeaderMap::new()),
        };
        let body = seen.body();
        // Where all is well, a code is somebody's value.
        let refused = matches!(seen, Seen::Answer { status: 400.., .. });
        let code = [&body["code"], &body["error"]["code"]]
            .into_iter()
            .find_map(Value::as_i64)
            .filter(|_| refused);
        // The type alone; what stands behind it are parameters.
        let content_type = headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .map(|text| text.split(';').next().unwrap_or_default().trim());
        Self {
            status,
            code: code.map_or("none".to_owned(), |code| code.to_string()),
            content_type: content_type.unwrap_or("absent").to_ascii_lowercase(),
            headers,
            shape: Shape::of(body),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}
