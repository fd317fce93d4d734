//! Links to report files: unguessable, and good for an hour.

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
use store::Store;
use uuid::Uuid;

use crate::hall::House;
use crate::operations::DOWNLOADS;
use crate::rows;

/// Most links that live at once; the oldest goes first.
const MAX_LINKS: usize = 10_000;

/// The links that live now.
#[derive(Debug, Default)]
pub(crate) struct Downloads(Mutex<HashMap<Uuid, (WorkspaceId, Uuid, Millis)>>);

impl Downloads {
    /// A new link to a report.
    pub(crate) fn issue(&self, workspace: WorkspaceId, report: Uuid, until: Millis) -> Uuid {
        let token = Uuid::new_v4();
        let mut links = self.0.lock();
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

    /// What a link leads to.
    pub(crate) fn find(&self, token: Uuid, now: Millis) -> Option<(WorkspaceId, Uuid)> {
        let mut links = self.0.lock();
        links.retain(|_, (_, _, until)| *until > now);
        links
            .get(&token)
            .map(|(workspace, report, _)| (*workspace, *report))
    }
}

/// Where the files are fetched.
pub(crate) fn router(house: Arc<House>, store: Store) -> Router {
    Router::new()
        .route(&format!("{DOWNLOADS}/{{token}}"), get(download))
        .fallback(async || told(StatusCode::NOT_FOUND, "Not Found"))
        .with_state((house, store))
}

async fn download(
    State((house, store)): State<(Arc<House>, Store)>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    let found = token
        .ok()
        .and_then(|Path(token)| token.parse().ok())
        .and_then(|token| house.downloads.find(token, house.clock.now()));
    let Some((workspace, report)) = found else {
        return told(StatusCode::NOT_FOUND, "The link is unknown or over");
    };
    let read = store.read(move |reading| rows::report_file(reading, workspace, report));
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

fn told(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_in_its_time_and_the_oldest_makes_room() {
        let (links, workspace) = (Downloads::default(), WorkspaceId(Uuid::from_u128(1)));
        let report = Uuid::from_u128(2);
        let first = links.issue(workspace, report, Millis(100));
        assert_eq!(links.find(first, Millis(99)), Some((workspace, report)));
        assert_eq!(links.find(first, Millis(100)), None);
        let first = links.issue(workspace, report, Millis(100));
        for _ in 0..MAX_LINKS {
            links.issue(workspace, report, Millis(200));
        }
        assert_eq!(links.find(first, Millis(50)), None, "it made room");
        assert_eq!(links.0.lock().len(), MAX_LINKS);
    }
}
