//! What Fireblocks has no operation for: who am I, what do my books prove, my reports.
//!
//! | method | path below `/vestibule/v1` | answer |
//! |---|---|---|
//! | GET | `/me` | connection, role, workspace, pin of its client certificate, scope, position; budgets and what is left of them |
//! | GET | `/keys` | the connection's keys, and how far each is |
//! | POST | `/keys` | offer the next key: `{"csr": "..."}`, signed with the key of now |
//! | GET | `/digest` | the digest of the scope with its cells, by which formula, and the position it holds for |
//! | GET | `/reports` | the connection's reports in its scope of now |
//! | GET | `/reports/{id}` | the file, CSV |
//! | GET | `/reports/{id}/manifest` | its signed manifest |

use std::sync::Arc;

use ledger::digest::{Cell, Digest, FORMULA};
use ledger::positions;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::{Map, Value, json};
use store::StoreError;
use uuid::Uuid;
use wire::server::Call;

use crate::ages::Subject;
use crate::connections::{BudgetName, Provider};
use crate::gate::Gate;
use crate::meters::{Day, left};
use crate::operations::keys;
use crate::rows;
use ledger::Fault;

pub(super) async fn answer(
    gate: &Arc<Gate>,
    provider: &Provider,
    call: &Call,
    method: &str,
    path: &str,
) -> Result<Reply, ApiError> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let connection = provider.connection.name.as_str();
    if (method, parts.as_slice()) == ("POST", &["keys"]) {
        let body = call
            .body
            .as_ref()
            .ok_or_else(|| ApiError::bad_body("there is none"))?;
        let input = protocol::objects::read(body).map_err(ApiError::bad_body)?;
        let keys = keys::offer::offer(gate, connection, call.signed_with, input).await?;
        return Ok(Reply::json(202, &json!({ "data": keys })));
    }
    if method != "GET" {
        return Err(ApiError::not_found());
    }
    match parts.as_slice() {
        ["me"] => me(gate, provider).await,
        ["keys"] => {
            let keys = keys::list(gate, connection).await?;
            Ok(Reply::json(200, &json!({ "data": keys })))
        }
        ["digest"] => digest(gate, provider).await,
        ["reports"] => reports(gate, provider).await,
        ["reports", id] => file(gate, provider, id, false).await,
        ["reports", id, "manifest"] => file(gate, provider, id, true).await,
        _ => Err(ApiError::not_found()),
    }
}

async fn read<T: Send + 'static>(
    gate: &Gate,
    work: impl FnOnce(&mut store::Reading<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    gate.store
        .read(work)
        .await
        .map_err(|error| Fault::from(error).into())
}

async fn me(gate: &Arc<Gate>, provider: &Provider) -> Result<Reply, ApiError> {
    let connection = &provider.connection;
    let (workspace, subscriber) = (gate.workspace(), connection.subscriber());
    let (now, name) = (gate.clock.now(), connection.name.clone());
    let today = Day::of(now);
    let (position, (made, open)) = read(gate, move |reading| {
        Ok((
            positions::current(reading, workspace, &subscriber)?,
            rows::proposals::counted(reading, workspace, &name, today.begins())?,
        ))
    })
    .await?;
    let budget = |name: BudgetName| {
        let limit = connection.budgets.of(name);
        let left = match name {
            BudgetName::RequestsPerSecond => None,
            BudgetName::ProposalsPerDay => Some(left(made, limit)),
            BudgetName::ProposalsOpen => Some(left(open, limit)),
            _ => provider.meter.left(name, now),
        };
        (name.to_string(), json!({"limit": limit, "left": left}))
    };
    Ok(Reply::json(
        200,
        &json!({
            "connection": connection.name,
            "role": connection.role,
            "workspaceId": workspace,
            "clientCertificate": connection.client_certificate,
            "scope": {"id": provider.scope_id.to_string(), "part": provider.scope.as_part()},
            "position": position,
            "budgets": Map::from_iter(BudgetName::ALL.map(budget)),
            "budgetsResetAt": today.ends(),
        }),
    ))
}

async fn digest(gate: &Arc<Gate>, provider: &Provider) -> Result<Reply, ApiError> {
    let subjects = [Subject::Wallets, Subject::Addresses, Subject::Transactions];
    let as_of = gate.fresh_for(&provider.connection, &subjects)?;
    let (workspace, subscriber) = (gate.workspace(), provider.connection.subscriber());
    let scope = provider.scope.clone();
    let (cells, position) = read(gate, move |reading| {
        Ok((
            ledger::digest::cells(reading, &scope)?,
            positions::current(reading, workspace, &subscriber)?,
        ))
    })
    .await?;
    let sum = cells
        .iter()
        .fold(Digest::default(), |sum, (_, digest)| sum.plus(digest));
    let cell = |(cell, digest): &(Cell, Digest)| -> Value {
        json!({
            "account": cell.account, "asset": cell.asset, "kind": cell.kind, "month": cell.month,
            "count": digest.count, "sum": digest.sum,
        })
    };
    Ok(Reply::json(
        200,
        &json!({
            "position": position,
            "asOf": as_of,
            "scope": provider.scope_id.to_string(),
            "digest": sum,
            "digestFormula": FORMULA,
            "cells": cells.iter().map(cell).collect::<Vec<_>>(),
        }),
    ))
}

async fn reports(gate: &Arc<Gate>, provider: &Provider) -> Result<Reply, ApiError> {
    gate.follows(&provider.connection)?;
    let (name, scope) = (provider.connection.name.clone(), provider.scope_id);
    let workspace = gate.workspace();
    let list = read(gate, move |reading| {
        rows::reports::of(reading, workspace, (&name, scope))
    })
    .await?;
    Ok(Reply::json(200, &json!({ "data": list })))
}

async fn file(
    gate: &Arc<Gate>,
    provider: &Provider,
    id: &str,
    manifest: bool,
) -> Result<Reply, ApiError> {
    let id: Uuid = id.parse().map_err(|_| ApiError::not_found())?;
    gate.follows(&provider.connection)?;
    let (name, scope) = (provider.connection.name.clone(), provider.scope_id);
    let workspace = gate.workspace();
    let found = read(gate, move |reading| {
        rows::reports::files(reading, workspace, (&name, scope), id)
    })
    .await?;
    let files = found.ok_or_else(ApiError::not_found)?;
    let rows = if manifest {
        0
    } else {
        usize::try_from(files.rows).unwrap_or(usize::MAX)
    };
    if !manifest {
        let (meter, now) = (&provider.meter, gate.clock.now());
        // Its rows are taken when it is answered: a report that is not costs none.
        meter.room(BudgetName::RowsPerDay, rows, now)?;
        meter.take(BudgetName::ReportsPerDay, 1, now)?;
    }
    let (kind, body) = if manifest {
        ("application/json", files.manifest)
    } else {
        ("text/csv; charset=utf-8", files.csv)
    };
    Ok(Reply {
        status: 200,
        headers: vec![("content-type", kind.to_owned())],
        body: body.into(),
        rows: Some(rows),
    })
}
