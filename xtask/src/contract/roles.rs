//! The table of roles: what three ages of the contract and of the clients say, one row an operation.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::table::{Origin, Row, default_category};

/// Paged operations among those that only the newest client knows.
const CLIENT_ONLY_PAGED: [&str; 4] = [
    "getApprovals",
    "getApprovalKeys",
    "getContacts",
    "getBulkSigningKeysJobs",
];

/// Writing operations among those that only the newest client knows, which take no idempotency key.
/// (A `DELETE` never does.)
const CLIENT_ONLY_WITHOUT_KEY: [&str; 2] = ["updateWebhookMtlsConfig", "updateWebhookOauth"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    method: String,
    path: String,
    tag: String,
    operation_id: String,
    roles: String,
    note: String,
}

pub fn read(file: &Path) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in csv::Reader::from_path(file)?.deserialize() {
        let line: Line = line?;
        let row = row(&line).with_context(|| format!("{} {}", line.method, line.path))?;
        rows.push(row);
    }
    Ok(rows)
}

fn row(line: &Line) -> Result<Row> {
    let origin = if line.note.starts_with("only in Python SDK") {
        Origin::Client
    } else if line.note.starts_with("not in the current contract") {
        Origin::Former
    } else {
        Origin::Contract
    };
    let mut roles = role_list(&line.roles)?;
    // Where sources differ, the narrower list.
    if let (Some(now), Some(before)) = (&mut roles, line.note.strip_prefix("1.8.0 said: "))
        && let Some(before) = role_list(before)?
    {
        now.retain(|role| before.contains(role));
    }
    Ok(Row {
        method: line.method.clone(),
        path: line.path.clone(),
        operation_id: line.operation_id.clone(),
        tag: line.tag.trim_end_matches(" (SDK 35)").to_owned(),
        roles,
        paging: if CLIENT_ONLY_PAGED.contains(&line.operation_id.as_str()) {
            "page-cursor"
        } else {
            "none"
        }
        .to_owned(),
        idempotent: origin == Origin::Client
            && !matches!(line.method.as_str(), "GET" | "DELETE")
            && !CLIENT_ONLY_WITHOUT_KEY.contains(&line.operation_id.as_str()),
        category: default_category(&line.method).to_owned(),
        writes: line.method != "GET",
        origin,
    })
}

/// Roles by their values on the wire, in the contract's order of rank; `None` if none is stated.
fn role_list(text: &str) -> Result<Option<Vec<String>>> {
    const RANK: [(&str, &str); 13] = [
        ("Owner", "OWNER"),
        ("Admin", "ADMIN"),
        ("Non-Signing Admin", "NON_SIGNING_ADMIN"),
        ("Signer", "SIGNER"),
        ("Approver", "APPROVER"),
        ("Editor", "EDITOR"),
        ("Viewer", "VIEWER"),
        ("Auditor", "AUDITOR"),
        ("NCW Admin", "NCW_ADMIN"),
        ("NCW Signer", "NCW_SIGNER"),
        ("Security Admin", "SECURITY_ADMIN"),
        ("Security Auditor", "SECURITY_AUDITOR"),
        ("Collateral Signer", "COLLATERALS_SIGNER"),
    ];
    if text.is_empty() {
        return Ok(None);
    }
    if text == "All users" {
        return Ok(Some(
            RANK.iter().map(|(_, value)| (*value).to_owned()).collect(),
        ));
    }
    let named: Vec<&str> = text.split(';').collect();
    if let Some(unknown) = named
        .iter()
        .find(|name| RANK.iter().all(|(known, _)| known != *name))
    {
        bail!("no such role: {unknown}");
    }
    Ok(Some(
        RANK.iter()
            .filter(|(name, _)| named.contains(name))
            .map(|(_, value)| (*value).to_owned())
            .collect(),
    ))
}
