//! A workspace's clock, or all of them: frozen, set, moved on. Tokens are still judged by the
//! world's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use store::Writing;

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::clock::WorkspaceClock;
use crate::hall::Hall;
use crate::rows::clocks;
use ledger::Fault;

/// Farthest that a clock is moved by one call: a hundred years.
const MAX_ADVANCE: u64 = 100 * 365 * 24 * 60 * 60 * 1_000;
/// The latest moment that a clock shows: the year 9999.
const MAX_MOMENT: i64 = 253_402_300_799_999;

const CLOCK: &str = r##"{"type":"object","additionalProperties":false,"properties":{"at":{"$ref":"#/components/schemas/Moment"},"millis":{"type":"integer","minimum":0}}}"##;

pub(super) fn calls() -> Calls {
    Calls::default()
        .get(
            "/workspaces/{workspace}/clock",
            "getClock",
            "What a workspace's clock shows",
            show,
        )
        .post(
            "/workspaces/{workspace}/clock/{act}",
            "turnClock",
            "freeze, unfreeze, set or advance a workspace's clock",
            one,
        )
        .taking(CLOCK)
        .post(
            "/clock/{act}",
            "turnClocks",
            "The same with every workspace's",
            all,
        )
        .taking(CLOCK)
}

/// A moment: milliseconds since the epoch, or as RFC 3339 writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) Millis);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let must = || {
            de::Error::custom("a moment is milliseconds since 1970, or like 2026-01-31T12:00:00Z")
        };
        let millis = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64().ok_or_else(must)?,
            Value::String(text) => {
                let at: jiff::Timestamp = text.parse().map_err(|_| must())?;
                at.as_millisecond()
            }
            _ => return Err(must()),
        };
        if (0..=MAX_MOMENT).contains(&millis) {
            Ok(Self(Millis(millis)))
        } else {
            Err(must())
        }
    }
}

/// What is asked of a clock beside the act.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    /// To set it, or to freeze it somewhere.
    at: Option<Moment>,
    /// To move it on.
    millis: Option<u64>,
}

/// What is done to a clock.
#[derive(Clone, Copy, Debug)]
enum Act {
    Advance(u64),
    Set(Millis),
    Freeze(Option<Millis>),
    Unfreeze,
}

impl Act {
    fn read(act: &str, asking: &Asking) -> Result<Self, ApiError> {
        let at = asking.at.map(|Moment(at)| at);
        match (act, at, asking.millis) {
            ("advance", None, Some(millis)) if millis <= MAX_ADVANCE => Ok(Self::Advance(millis)),
            ("advance", ..) => Err(ApiError::uncoded(
                400,
                "advance takes `millis`: at most a hundred years",
            )),
            ("set", Some(at), None) => Ok(Self::Set(at)),
            ("set", ..) => Err(ApiError::uncoded(400, "set takes `at`: a moment")),
            ("freeze", at, None) => Ok(Self::Freeze(at)),
            ("unfreeze", None, None) => Ok(Self::Unfreeze),
            ("freeze" | "unfreeze", ..) => Err(ApiError::uncoded(
                400,
                "freeze takes `at` or nothing, unfreeze takes nothing",
            )),
            _ => Err(ApiError::uncoded(404, "freeze, unfreeze, set or advance")),
        }
    }

    fn apply(self, clock: &WorkspaceClock) -> Result<(), ApiError> {
        let set = |at| {
            clock
                .set(at)
                .map_err(|early| ApiError::uncoded(409, early.to_string()))
        };
        match self {
            Self::Advance(millis) => clock.advance(millis),
            Self::Set(at) => set(at)?,
            Self::Freeze(at) => {
                at.map_or(Ok(()), set)?;
                clock.freeze();
            }
            Self::Unfreeze => clock.unfreeze(),
        }
        Ok(())
    }
}

/// Does it, and keeps it: a workspace that begins again begins so.
async fn done(hall: &Arc<Hall>, act: Act) -> Result<(), ApiError> {
    act.apply(&hall.clock)?;
    let kept = Arc::clone(hall);
    // Read where it is written: of two at once the later one stays.
    let write =
        move |writing: &mut Writing<'_>| clocks::keep(writing, kept.id(), kept.clock.pace());
    hall.books.store().write(write).await.map_err(Fault::from)?;
    hall.wake();
    hall.settle().await;
    Ok(())
}

fn told(hall: &Hall) -> Json<Value> {
    Json(json!({ "now": hall.clock.now(), "frozen": hall.clock.is_frozen() }))
}

async fn show(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    Ok(told(&*desk.hall(workspace)?))
}

async fn one(
    State(desk): State<Desk>,
    At((workspace, act)): At<(WorkspaceId, String)>,
    Asked(asking): Asked<Asking>,
) -> Result<Json<Value>, Refusal> {
    let act = Act::read(&act, &asking)?;
    let hall = desk.hall(workspace)?;
    done(&hall, act).await?;
    Ok(told(&hall))
}

/// The same for every workspace; the answer is the first one's.
async fn all(
    State(desk): State<Desk>,
    At(act): At<String>,
    Asked(asking): Asked<Asking>,
) -> Result<Json<Value>, Refusal> {
    let act = Act::read(&act, &asking)?;
    let halls = desk.halls.all();
    for hall in &halls {
        done(hall, act).await?;
    }
    let first = halls.first().ok_or_else(ApiError::internal)?;
    Ok(told(first))
}
