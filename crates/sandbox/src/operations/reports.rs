//! The reports API: addresses as a CSV file, behind a link that lives for an hour.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ledger::reports::{self, Kind};
use ledger::{AssetFilter, PartScope, Scope};
use protocol::ed25519::SigningKey;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::report::{CreateReport, Report, ReportLinks, ReportStatus};
use protocol::time::Millis;
use serde_json::json;
use uuid::Uuid;

use super::paging::{First, page, words};
use super::{Visit, area};
use crate::deed::Deed;
use crate::hall::doc;
use crate::rows;
use ledger::Fault;

area! { visit;
    "createReport" => create(visit).await,
    "listReports" => list(visit).await,
    "getReport" => one(visit).await,
}

/// Where files are fetched.
pub(crate) const DOWNLOADS: &str = "/downloads";
/// Most values of a filter.
const MAX_FILTER: usize = 1_000;

/// `POST /reports`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: CreateReport = visit.body()?;
    if wanted.report_type != "ADDRESSES" {
        return Err(ApiError::invalid("reportType", "ADDRESSES"));
    }
    if wanted
        .output_format
        .as_deref()
        .is_some_and(|format| format != "CSV")
    {
        return Err(ApiError::invalid("outputFormat", "CSV"));
    }
    let scope = scope(visit, &wanted)?;
    let at = visit.hall.clock.now();
    // The manifest is not asked for here: its key is nobody's.
    let key = SigningKey::generate().map_err(|_| ApiError::internal())?;
    let written = reports::write(
        &visit.hall.books,
        &scope,
        Kind::Addresses,
        "reports",
        at,
        &key,
    )
    .await?;
    let compress = wanted.compress.unwrap_or(false);
    let file = if compress {
        gzip(&written.file)?
    } else {
        written.file
    };
    let report = Report {
        id: Uuid::nil(),
        status: ReportStatus::Completed,
        report_type: wanted.report_type,
        output_format: "CSV".to_owned(),
        compress,
        requested_by_user_id: visit.guest.user,
        created_at: at,
        completed_at: Some(at),
        failed_at: None,
        row_count: Some(written.rows),
        file_size_bytes: u64::try_from(file.len()).ok(),
        links: None,
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        let id = deed.chance.uuid();
        let report = Report {
            id,
            ..report.clone()
        };
        rows::put_report(
            deed.writing,
            deed.hall.id(),
            id,
            report.created_at,
            &doc(&report)?,
            &file,
        )?;
        Ok(Reply::json(202, &json!({ "id": id })))
    };
    visit.hall.effect(visit.call, work).await
}

fn scope(visit: &Visit<'_>, wanted: &CreateReport) -> Result<Scope, ApiError> {
    let workspace = visit.hall.id();
    let Some(filters) = &wanted.filters else {
        return Ok(Scope::whole(workspace));
    };
    if filters.vault_account_ids.len() > MAX_FILTER || filters.assets.len() > MAX_FILTER {
        return Err(ApiError::invalid(
            "filters",
            format_args!("at most {MAX_FILTER} values each"),
        ));
    }
    let accounts = filters
        .vault_account_ids
        .iter()
        .map(|id| id.parse())
        .collect::<Result<BTreeSet<_>, _>>();
    let mut accounts =
        accounts.map_err(|error| ApiError::invalid("filters.vaultAccountIds", error))?;
    let assets = filters
        .assets
        .iter()
        .map(|id| id.parse())
        .collect::<Result<BTreeSet<_>, _>>();
    let assets = assets.map_err(|error| ApiError::invalid("filters.assets", error))?;
    if accounts.is_empty() && assets.is_empty() {
        return Ok(Scope::whole(workspace));
    }
    if accounts.is_empty() {
        let whole = Scope::whole(workspace);
        accounts = visit.hall.books.account_ids(&whole).into_iter().collect();
    }
    let assets = if assets.is_empty() {
        AssetFilter::All
    } else {
        AssetFilter::Only(assets)
    };
    Ok(Scope::part(
        workspace,
        PartScope {
            accounts,
            assets,
            ..PartScope::default()
        },
    ))
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| ApiError::internal())
}

/// `GET /reports`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.hall.id();
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::reports(reading, id));
    let mut all: Vec<Report> = read
        .await
        .map_err(Fault::from)?
        .iter()
        .filter_map(|doc| serde_json::from_str(doc).ok())
        .collect();
    let query = &visit.call.query;
    let statuses: Vec<ReportStatus> = words(query, "status")?;
    if query.many("reportType").any(|kind| kind != "ADDRESSES") {
        return Err(ApiError::invalid("reportType", "ADDRESSES"));
    }
    all.retain(|report| statuses.is_empty() || statuses.contains(&report.status));
    let by_end = match visit.call.query.one("sortBy") {
        None | Some("createdAt") => false,
        Some("completedAt") => true,
        Some(_) => return Err(ApiError::invalid("sortBy", "createdAt or completedAt")),
    };
    let key = |report: &Report| {
        let ended = report.completed_at.filter(|_| by_end);
        let at = ended.unwrap_or(report.created_at);
        (at.0, report.id.to_string(), String::new())
    };
    let page = page(&visit.call.query, all, 20, First::Newest, key)?;
    let body = json!({ "data": page.data, "next": page.next, "prev": page.prev });
    Ok(Reply::json(200, &body))
}

/// `GET /reports/{reportId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let unknown = || ApiError::uncoded(404, "Report not found");
    let id: Uuid = visit.param("reportId", unknown)?;
    let workspace = visit.hall.id();
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::report_file(reading, workspace, id));
    let (text, _) = read.await.map_err(Fault::from)?.ok_or_else(unknown)?;
    let mut report: Report = serde_json::from_str(&text).map_err(|_| ApiError::internal())?;
    let until = visit.hall.clock.now().plus(Millis::HOUR);
    let token = visit.hall.house.downloads.issue(workspace, id, until);
    report.links = Some(ReportLinks {
        download_url: format!("{}{DOWNLOADS}/{token}", visit.hall.house.origin),
        download_url_expires_at: until,
    });
    Ok(Reply::json(200, &report))
}
