//! Everything that happens, as server-sent events: of all workspaces, or of one.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream;
use protocol::ids::WorkspaceId;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::asked::At;
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::happenings::Happening;

pub(super) fn calls() -> Calls {
    Calls::default()
        .get(
            "/workspaces/{workspace}/events",
            "hearWorkspace",
            "What happens in a workspace, as server-sent events",
            of_one,
        )
        .streaming()
        .get(
            "/events",
            "hear",
            "Everything that happens, as server-sent events",
            all,
        )
        .streaming()
}

async fn all(State(desk): State<Desk>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    told(&desk, None, desk.halls.shutdown.clone())
}

async fn of_one(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let hall = desk.hall(workspace)?;
    Ok(told(&desk, Some(workspace), hall.over.clone()))
}

/// One who listens.
struct Listener {
    heard: Receiver<Happening>,
    of: Option<WorkspaceId>,
    over: CancellationToken,
}

impl Listener {
    /// What is heard next; nothing: it is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let heard = tokio::select! {
                () = self.over.cancelled() => return None,
                heard = self.heard.recv() => heard,
            };
            match heard {
                Ok(happening) => {
                    if self.of.is_none() || self.of == happening.workspace() {
                        let event = Event::default().event(happening.name());
                        return event.json_data(&happening).ok();
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    let event = Event::default().event("missed");
                    return event
                        .json_data(json!({ "kind": "missed", "count": missed }))
                        .ok();
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn told(
    desk: &Desk,
    of: Option<WorkspaceId>,
    over: CancellationToken,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let listener = Listener {
        heard: Arc::clone(&desk.house).happenings.listen(),
        of,
        over,
    };
    let events = stream::unfold(listener, async |mut listener| {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
