//! Files as the Console exports them (`fireblocks.md` §9.1): names instead of ids, newest first.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ledger::Scope;
use ledger::reads::{self, Ask};
use ledger::reports::guarded;
use protocol::error::ApiError;
use protocol::exchange::{Params, Query};
use protocol::ids::WorkspaceId;
use protocol::model::transaction::Transaction;
use protocol::model::vault::VaultAccountsPagedResponse;
use protocol::operations;
use protocol::time::Millis;
use serde::de::DeserializeOwned;

use super::asked::At;
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::hall::Hall;

pub(super) fn calls() -> Calls {
    let does = "A file as the Console exports it: transactions or vault_accounts";
    Calls::default().get(
        "/workspaces/{workspace}/exports/{kind}",
        "export",
        does,
        export,
    )
}

/// `GET .../exports/{transactions|vault_accounts}`.
async fn export(
    State(desk): State<Desk>,
    At((workspace, kind)): At<(WorkspaceId, String)>,
) -> Result<Response, Refusal> {
    let hall = desk.hall(workspace)?;
    let now = hall.clock.now();
    let (name, file) = match kind.as_str() {
        "transactions" => (
            format!("transactions_{now}.csv"),
            transactions(&hall, now).await?,
        ),
        "vault_accounts" => (
            format!("vault_accounts_{now}.csv"),
            vault_accounts(&hall, now).await?,
        ),
        _ => {
            return Err(Refusal(ApiError::uncoded(
                404,
                "transactions or vault_accounts",
            )));
        }
    };
    let headers = [
        ("content-type", "text/csv; charset=utf-8".to_owned()),
        (
            "content-disposition",
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, file).into_response())
}

/// A row, of which no spreadsheet runs a cell.
fn row(out: &mut csv::Writer<Vec<u8>>, cells: &[String]) -> Result<(), ApiError> {
    out.write_record(cells.iter().map(|cell| guarded(cell).into_owned()))
        .map_err(|_| ApiError::internal())
}

/// Every page of a read, as the API would answer it.
async fn pages<T: DeserializeOwned>(
    hall: &Hall,
    operation: &str,
    mut query: String,
    now: Millis,
    next: impl Fn(&T, &[(&'static str, String)]) -> Option<String>,
) -> Result<Vec<T>, ApiError> {
    let operation = operations::by_id(operation).ok_or_else(ApiError::internal)?;
    let scope = Scope::whole(hall.id());
    let mut all = Vec::new();
    loop {
        let parsed = Query::parse(&query).map_err(|_| ApiError::internal())?;
        let params = Params::default();
        let ask = Ask {
            books: &hall.books,
            scope: &scope,
            params: &params,
            query: &parsed,
            origin: "",
            now,
            beside: &[],
            seal: None,
        };
        let reply = reads::answer(operation, ask)
            .await
            .ok_or_else(ApiError::internal)??;
        let page: T = serde_json::from_slice(&reply.body).map_err(|_| ApiError::internal())?;
        let after = next(&page, &reply.headers);
        all.push(page);
        match after {
            Some(after) => query = after,
            None => return Ok(all),
        }
    }
}

async fn transactions(hall: &Hall, now: Millis) -> Result<Vec<u8>, ApiError> {
    const HEADER: [&str; 19] = [
        "Date",
        "Fireblocks TxId",
        "Status",
        "Asset",
        "Asset Symbol",
        "Amount",
        "Amount in USD",
        "Source",
        "Source Type",
        "Source Address",
        "Destination",
        "Destination Type",
        "Destination Address",
        "Network Fee",
        "Service Fee",
        "Note",
        "TxHash",
        "Created By",
        "External TxId",
    ];
    let users: BTreeMap<_, _> = hall
        .books
        .users(&Scope::whole(hall.id()))
        .into_iter()
        .map(|user| {
            (
                user.id.to_string(),
                user.name.or(user.first_name).unwrap_or_default(),
            )
        })
        .collect();
    let first = "after=0&limit=500".to_owned();
    let follow = |_: &Vec<Transaction>, headers: &[(&'static str, String)]| {
        let next = headers.iter().find(|(name, _)| *name == "next-page")?;
        Some(next.1.split_once('?')?.1.to_owned())
    };
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: &[String]| row(&mut out, cells);
    write(&HEADER.map(str::to_owned))?;
    for t in pages(hall, "getTransactions", first, now, follow)
        .await?
        .into_iter()
        .flatten()
    {
        let text = |amount: &Option<protocol::amount::Amount>| {
            amount.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        write(&[
            date(t.created_at),
            t.id.to_string(),
            t.status.to_string(),
            t.asset_id.to_string(),
            t.asset_id
                .as_str()
                .split('_')
                .next()
                .unwrap_or_default()
                .to_owned(),
            text(&t.amount_info.amount),
            text(&t.amount_info.amount_usd),
            t.source.name,
            t.source.kind.as_str().to_owned(),
            t.source_address,
            t.destination.name,
            t.destination.kind.as_str().to_owned(),
            t.destination_address,
            text(&t.fee_info.network_fee),
            text(&t.fee_info.service_fee),
            t.note,
            t.tx_hash,
            users.get(&t.created_by).cloned().unwrap_or_default(),
            t.external_tx_id.unwrap_or_default(),
        ])?;
    }
    out.into_inner().map_err(|_| ApiError::internal())
}

async fn vault_accounts(hall: &Hall, now: Millis) -> Result<Vec<u8>, ApiError> {
    let follow = |page: &VaultAccountsPagedResponse, _: &[(&'static str, String)]| {
        page.paging
            .after
            .as_ref()
            .map(|after| format!("limit=500&orderBy=ASC&after={after}"))
    };
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: &[String]| row(&mut out, cells);
    write(
        &[
            "Account ID",
            "Account Name",
            "Asset",
            "Total Balance",
            "Available",
            "Pending",
            "Frozen",
        ]
        .map(str::to_owned),
    )?;
    let first = "limit=500&orderBy=ASC".to_owned();
    for account in pages(hall, "getPagedVaultAccounts", first, now, follow)
        .await?
        .into_iter()
        .flat_map(|page| page.accounts)
    {
        for wallet in &account.assets {
            write(&[
                account.id.to_string(),
                account.name.clone(),
                wallet.id.to_string(),
                wallet.total.to_string(),
                wallet.available.to_string(),
                wallet.pending.to_string(),
                wallet.frozen.to_string(),
            ])?;
        }
    }
    out.into_inner().map_err(|_| ApiError::internal())
}

/// As the Console writes it: `22 Apr 2026 08:34:43 GMT`.
fn date(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%d %b %Y %H:%M:%S GMT")
        .to_string()
}
