//! Links to report files: good for an hour, and unguessable but where people and chain wait to be told.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ledger::Fault;
use parking_lot::Mutex;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde_json::json;
use uuid::Uuid;

use crate::chance::Chance;
use crate::halls::Halls;
use crate::operations::DOWNLOADS;
use crate::rows;

/// Most links that live at once; the oldest goes first.
const MAX_LINKS: usize = 10_000;

/// The links that live now.
#[derive(Debug)]
pub(crate) struct Downloads {
    /// What links come from, where people and chain wait to be told.
    seed: Option<u64>,
    links: Mutex<HashMap<Uuid, (WorkspaceId, Uuid, Millis)>>,
}

impl Downloads {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self {
            seed,
            links: Mutex::default(),
        }
    }

    /// A new link to a report.
    pub(crate) fn issue(&self, workspace: WorkspaceId, report: Uuid, until: Millis) -> Uuid {
        let token = match self.seed {
            None => Uuid::new_v4(),
            // No report has the id of a workspace.
            Some(seed) => Chance::of(seed, WorkspaceId(report), until.0).uuid(),
        };
        let mut links = self.links.lock();
        if links.len() >= MAX_LINKS {
            let oldest = links
                .iter()
                .min_by_key(|(_, (_, _, until))| *until)
                .map(|(token, _)| *token);
            oldest.map(|token| links.remove(&token));
        }
        links.insert(token, (workspace, report, until));
        token
    }

    /// What a link leads to, by its workspace's clock.
    pub(crate) fn find(
        &self,
        token: Uuid,
        now: impl FnOnce(WorkspaceId) -> Option<Millis>,
    ) -> Option<(WorkspaceId, Uuid)> {
        let mut links = self.links.lock();
        let (workspace, report, until) = *links.get(&token)?;
        if now(workspace).is_some_and(|now| now < until) {
            return Some((workspace, report));
        }
        links.remove(&token);
        None
    }
}

/// Where the files are fetched.
pub(crate) fn router(halls: Arc<Halls>) -> Router {
    Router::new()
        .route(&format!("{DOWNLOADS}/{{token}}"), get(download))
        .fallback(async || told(StatusCode::NOT_FOUND, "Not Found"))
        .with_state(halls)
}

async fn download(
    State(halls): State<Arc<Halls>>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    let found = token
        .ok()
        .and_then(|Path(token)| token.parse().ok())
        .and_then(|token| {
            let now = |workspace| halls.get(workspace).map(|hall| hall.clock.now());
            halls.house.downloads.find(token, now)
        });
    let Some((workspace, report)) = found else {
        return told(StatusCode::NOT_FOUND, "The link is unknown or over");
    };
    let read = halls
        .store
        .read(move |reading| rows::report_file(reading, workspace, report));
    match read.await.map_err(Fault::from) {
        Ok(Some((_, file))) => {
            let kind = if file.starts_with(&[0x1f, 0x8b]) {
                "application/gzip"
            } else {
                "text/csv; charset=utf-8"
            };
            ([("content-type", kind)], file).into_response()
        }
        Ok(None) => told(StatusCode::NOT_FOUND, "The report is gone"),
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
    }
}

/// What is there, but not by this method.
pub(crate) async fn not_so() -> Response {
    told(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

fn told(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_in_its_time_and_the_oldest_makes_room() {
        let (links, workspace) = (Downloads::new(None), WorkspaceId(Uuid::from_u128(1)));
        let report = Uuid::from_u128(2);
        let at = |millis| move |_| Some(Millis(millis));
        let first = links.issue(workspace, report, Millis(100));
        assert_eq!(links.find(first, at(99)), Some((workspace, report)));
        assert_eq!(links.find(first, at(100)), None);
        let first = links.issue(workspace, report, Millis(100));
        for _ in 0..MAX_LINKS {
            links.issue(workspace, report, Millis(200));
        }
        assert_eq!(links.find(first, at(50)), None, "it made room");
        assert_eq!(links.links.lock().len(), MAX_LINKS);
    }

    #[test]
    fn a_link_comes_from_the_seed_where_there_is_one() {
        let workspace = WorkspaceId(Uuid::from_u128(1));
        let link = |seed, report, until| {
            let links = Downloads::new(seed);
            links.issue(workspace, Uuid::from_u128(report), Millis(until))
        };
        assert_eq!(link(Some(1), 2, 100), link(Some(1), 2, 100));
        for other in [
            link(Some(2), 2, 100),
            link(Some(1), 3, 100),
            link(Some(1), 2, 101),
            link(None, 2, 100),
        ] {
            assert_ne!(link(Some(1), 2, 100), other);
        }
        assert_ne!(link(None, 2, 100), link(None, 2, 100));
    }
}
