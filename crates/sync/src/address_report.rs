//! Addresses by upstream's reports API: some calls in all, where the lists cost one a wallet.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use ledger::Books;
use ledger::reports::{self, Kind, ReportError};
use protocol::model::report::{Report, ReportStatus};
use serde::Deserialize;
use uuid::Uuid;
use wire::client::{Client, ClientError, Once, download};

use crate::walk::{Options, SyncError, Walked, take};

/// How often a report is looked for before it is given up.
const POLLS: u32 = 60;
/// The wait between two looks.
const WAIT: Duration = Duration::from_secs(1);

/// Why there is no report. The lists have the same.
#[derive(Debug, thiserror::Error)]
pub enum NoReport {
    /// Upstream.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The file is not of the form that is known.
    #[error(transparent)]
    File(#[from] ReportError),
    /// The books.
    #[error(transparent)]
    Books(#[from] SyncError),
    /// It failed, or was not done in time.
    #[error("the report is {0}")]
    Undone(&'static str),
}

#[derive(Deserialize)]
struct Made {
    id: Uuid,
}

/// Asks for a report of every address, and takes it into the books. What they know already is no
/// change.
pub async fn address_report(
    client: &Client,
    books: &Books,
    options: &Options,
) -> Result<Walked, NoReport> {
    let body =
        Bytes::from_static(br#"{"reportType":"ADDRESSES","outputFormat":"CSV","compress":false}"#);
    let made: Made = client
        .write(Method::POST, "/v1/reports", body, Once::Unkeyed)
        .await?
        .json()?;
    let target = format!("/v1/reports/{}", made.id);
    for _ in 0..POLLS {
        let report: Report = client.get(&target).await?.json()?;
        match (report.status, report.links) {
            (ReportStatus::Completed, Some(links)) => {
                let file = download(&links.download_url).await?;
                let (changes, _) = reports::rows(&file, Kind::Addresses)?;
                return Ok(take(client, books, changes, options).await?);
            }
            (ReportStatus::Failed, _) => return Err(NoReport::Undone("failed")),
            _ => tokio::time::sleep(WAIT).await,
        }
    }
    Err(NoReport::Undone("not done in time"))
}
