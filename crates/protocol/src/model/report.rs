//! The reports API (`POST /reports`; type `ADDRESSES` alone).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::UserId;
use crate::time::Millis;

/// `POST /reports`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateReport {
    /// `ADDRESSES`.
    pub report_type: String,
    /// `CSV`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    /// Whether the file is gzipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compress: Option<bool>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<ReportFilters>,
}

/// What a report is about. An empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportFilters {
    /// At most 1000 accounts.
    #[serde(default)]
    pub vault_account_ids: Vec<String>,
    /// At most 1000 assets.
    #[serde(default)]
    pub assets: Vec<String>,
}

/// `GET /reports/{reportId}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its id.
    pub id: Uuid,
    /// How far it is.
    pub status: ReportStatus,
    /// `ADDRESSES`.
    pub report_type: String,
    /// `CSV`.
    pub output_format: String,
    /// Whether the file is gzipped.
    pub compress: bool,
    /// Who asked.
    pub requested_by_user_id: UserId,
    /// When.
    pub created_at: Millis,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Millis>,
    /// When it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Millis>,
    /// Rows of the file, without its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Bytes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_size_bytes: Option<u64>,
    /// Where to fetch it; a new link at each poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<ReportLinks>,
}

/// How far a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportStatus {
    /// It waits.
    Queued,
    /// It is being written.
    Processing,
    /// It can be fetched.
    Completed,
    /// It could not be written.
    Failed,
}

/// Where to fetch a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportLinks {
    /// The file.
    pub download_url: String,
    /// Until when.
    pub download_url_expires_at: Millis,
}
