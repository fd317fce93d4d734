//! Making a proposal of a provider's request.

use std::sync::Arc;

use ledger::Scope;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::transaction_request::{
    CreateTransactionResponse, Destination, NotPlain, PlainTransfer, TransactionRequest,
};
use protocol::model::whitelist::WhitelistKind;
use protocol::token::TokenError;
use serde_json::Value;
use store::once::{self, Attempt, Given, Standing};
use wire::server::Call;

use super::Proposal;
use crate::connections::{BudgetName, Connection, Provider};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::meters::{self, Day};
use crate::rows;
use ledger::Fault;

/// `POST /v1/transactions` at the gate.
pub(crate) async fn make(
    gate: &Arc<Gate>,
    provider: &Provider,
    call: &Call,
) -> Result<Reply, ApiError> {
    let body = call.body.as_ref().unwrap_or(&Value::Null);
    let plain = PlainTransfer::from_body(body).map_err(|refused| told(&refused))?;
    let key = call.idempotency_key.clone();
    if key
        .as_ref()
        .is_some_and(|key| key.chars().count() > once::MAX_KEY)
    {
        return Err(ApiError::idempotency_key_too_long());
    }
    // More places than the asset has would be approved here, and fail upstream.
    let decimals = gate.books.decimals(&plain.asset);
    let connection = provider.connection.clone();
    let scope = provider.scope.clone();
    let attempt = Attempt {
        workspace: gate.workspace().to_string(),
        caller: call.user.to_string(),
        nonce: call.nonce.as_str().to_owned(),
        nonce_until: call.nonce_until,
        key,
        now_seconds: call.received_at.seconds(),
        now: call.received_at.0,
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        match once::begin(deed.writing, &attempt)? {
            Standing::First => {}
            Standing::Replayed => return Err(ApiError::from(TokenError::NotAccepted).into()),
            Standing::Answered(given) => return Ok((again(given), None)),
        }
        unchanged(deed, &connection)?;
        let mut transfer = TransactionRequest::from(&plain);
        transfer.external_tx_id.clone_from(&plain.external_tx_id);
        if let Some(own) = &plain.external_tx_id
            && rows::proposals::by_own_id(deed.writing, deed.workspace, &connection.name, own)?
                .is_some()
        {
            return Err(ApiError::external_tx_id_exists().into());
        }
        in_scope(deed, &plain, &scope)?;
        if decimals.is_some_and(|decimals| plain.amount.decimals() > u64::from(decimals)) {
            return Err(ApiError::bad_amount().into());
        }
        in_budget(deed, &connection)?;
        let proposal = Proposal::new(
            connection.name.clone(),
            plain.asset.clone(),
            transfer,
            connection.place,
            deed.at,
        );
        rows::proposals::add(deed.writing, deed.workspace, &proposal)?;
        let made = Event::ProposalMade {
            proposal: proposal.id,
            connection: connection.name.clone(),
            digest: proposal.digest(),
        };
        deed.log(Actor::Connection(connection.name.clone()), made)?;
        let created = CreateTransactionResponse {
            id: proposal.id,
            status: proposal.shown(connection.api_key).status,
        };
        let reply = Reply::json(200, &created);
        once::end(deed.writing, &attempt, &given(&reply))?;
        Ok((reply, Some(proposal)))
    };
    let (reply, made) = gate.deed(work).await?;
    if let Some(proposal) = made {
        gate.translations.know(&proposal);
        gate.proposals.notify_one();
    }
    Ok(reply)
}

/// What it was let in by is what is written down, also where another gate changes it.
fn unchanged(deed: &mut Deed<'_, '_>, connection: &Connection) -> Result<(), Fault> {
    let now = rows::connections::connection(deed.writing, deed.workspace, &connection.name)?;
    if now.as_ref() == Some(connection) {
        Ok(())
    } else {
        let why = "The connection is just being changed: try again";
        Err(ApiError::uncoded(503, why.to_owned()).into())
    }
}

fn given(reply: &Reply) -> Given {
    Given {
        status: reply.status.into(),
        headers: reply.header_lines(),
        body: reply.body.to_vec(),
    }
}

fn again(given: Given) -> Reply {
    Reply::kept(given.status, &given.headers, given.body)
}

fn told(refused: &NotPlain) -> ApiError {
    match refused {
        NotPlain::Operation(_) => ApiError::new(400, 1401, refused.to_string()),
        NotPlain::Invalid {
            field: "amount", ..
        }
        | NotPlain::Missing("amount") => ApiError::new(400, 1432, refused.to_string()),
        NotPlain::Invalid {
            field: "source.type",
            ..
        } => ApiError::new(400, 1427, refused.to_string()),
        NotPlain::Invalid {
            field: "destination.type",
            ..
        } => ApiError::new(400, 1428, refused.to_string()),
        _ => ApiError::bad_transaction(refused),
    }
}

/// Counted in the transaction that makes another: two at once cannot both be the last one.
fn in_budget(deed: &mut Deed<'_, '_>, connection: &Connection) -> Result<(), Fault> {
    let (workspace, today) = (deed.workspace, Day::of(deed.at).begins());
    let (made, open) = rows::proposals::counted(deed.writing, workspace, &connection.name, today)?;
    for (name, used) in [
        (BudgetName::ProposalsPerDay, made),
        (BudgetName::ProposalsOpen, open),
    ] {
        if used >= connection.budgets.of(name).into() {
            return Err(meters::over(&connection.budgets, name, 0, deed.at).into());
        }
    }
    Ok(())
}

/// No such account, or none that the provider sees.
fn unknown_account() -> ApiError {
    ApiError::new(400, 11001, "The vault account does not exist")
}

/// Source and destination are what the provider sees; what it does not see does not exist.
pub(crate) fn in_scope(
    deed: &mut Deed<'_, '_>,
    plain: &PlainTransfer,
    scope: &Scope,
) -> Result<(), Fault> {
    let asset = &plain.asset;
    if !scope.covers_account(plain.source)
        || deed.batch.account(deed.writing, plain.source)?.is_none()
    {
        return Err(unknown_account().into());
    }
    if !scope.covers_asset(asset)
        || deed
            .batch
            .wallet(deed.writing, plain.source, asset)?
            .is_none()
    {
        return Err(ApiError::wallet_not_found().into());
    }
    let (kind, id) = match &plain.destination {
        Destination::VaultAccount(id) => {
            if !scope.covers_account(*id) || deed.batch.account(deed.writing, *id)?.is_none() {
                return Err(unknown_account().into());
            }
            return match deed.batch.wallet(deed.writing, *id, asset)? {
                Some(_) => Ok(()),
                None => Err(ApiError::wallet_has_no_such_asset().into()),
            };
        }
        Destination::InternalWallet(id) => (WhitelistKind::Internal, *id),
        Destination::ExternalWallet(id) => (WhitelistKind::External, *id),
    };
    let known = deed
        .batch
        .whitelisted(deed.writing, kind, id)?
        .filter(|_| scope.covers_whitelist(id));
    let wallet = known.ok_or_else(ApiError::wallet_not_found)?;
    if wallet.assets.iter().any(|entry| entry.id == *asset) {
        Ok(())
    } else {
        Err(ApiError::wallet_has_no_such_asset().into())
    }
}
