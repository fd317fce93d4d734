//! Reports for a provider, from the gate's own books: no upstream call.

use std::sync::Arc;

use ledger::reports::{self, Kind};
use protocol::error::ApiError;
use serde::Deserialize;
use uuid::Uuid;

use super::{Operator, no_connection, refused};
use crate::ages::Subject;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;
pub use crate::rows::reports::ReportRow;

/// Which report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// For whom.
    pub connection: String,
    /// About what.
    pub kind: Kind,
}

/// Writes a report.
pub(crate) async fn create(
    gate: &Arc<Gate>,
    operator: &Operator,
    wanted: Wanted,
) -> Result<ReportRow, ApiError> {
    let provider = gate.directory.load().named(&wanted.connection).cloned();
    let provider = provider.ok_or_else(|| no_connection(&wanted.connection))?;
    let now = gate.clock.now();
    if !provider.connection.comes_in(now) {
        return Err(refused(
            409,
            format_args!(
                "the connection '{}' is {}: it could not fetch a report",
                wanted.connection,
                provider.connection.standing(now).as_str()
            ),
        ));
    }
    // A report of old numbers would carry the date of today.
    let subject = match wanted.kind {
        Kind::Balances => Subject::Wallets,
        Kind::Addresses => Subject::Addresses,
        Kind::Transactions => Subject::Transactions,
    };
    gate.fresh_for(&provider.connection, &[subject])?;
    gate.books
        .register(&provider.scope)
        .await
        .map_err(|error| refused(500, error))?;
    let at = gate.clock.now();
    let subscriber = provider.connection.subscriber();
    let written = reports::write(
        &gate.books,
        &provider.scope,
        wanted.kind,
        &subscriber,
        at,
        &gate.log_key,
    );
    let written = written.await.map_err(|error| refused(500, error))?;
    let sha256 =
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &written.file).as_ref());
    let row = ReportRow {
        id: Uuid::new_v4(),
        kind: wanted.kind,
        created_at: at,
        position: written.position,
        rows: written.rows,
        sha256,
    };
    // Its scope may be another by now: then this one is nobody's.
    let scope = provider.scope_id;
    let (name, kept, actor) = (
        wanted.connection,
        row.clone(),
        Actor::Operator(operator.name.clone()),
    );
    let work = move |deed: &mut Deed<'_, '_>| {
        rows::reports::put(
            deed.writing,
            deed.workspace,
            (&name, scope),
            &kept,
            &written.file,
            &written.manifest,
        )?;
        let event = Event::ReportCreated {
            connection: name.clone(),
            kind: kept.kind.to_string(),
            position: kept.position,
            rows: kept.rows,
            sha256: kept.sha256.clone(),
        };
        deed.log(actor.clone(), event)?;
        Ok(())
    };
    gate.deed(work).await?;
    Ok(row)
}
