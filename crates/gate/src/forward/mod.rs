//! What the books do not hold, asked upstream for a provider that was granted that.
//!
//! A provider's request is read into a [`Question`], a closed type, and what goes up is made from that
//! alone: no header, no body and no parameter of the provider's travels. It is a GET, and whoever asks
//! signs nothing else. What comes back is read into typed values; a field that is not known here is
//! dropped. A question about a wallet is asked only where the wallet is in scope, so that what is
//! outside costs what is absent does: nothing upstream; and so is one about an asset by itself, where the
//! reader may know of the asset.
//!
//! To add one: a [`Question`], its [`answer`], and its operationId in [`SERVED`] and in the table.

mod answer;
mod question;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use protocol::error::ApiError;
use protocol::exchange::{Params, Reply};
use protocol::operations::Operation;
use protocol::role::Role;
use wire::client::{Budget, Client, ClientError};
use wire::server::Call;

use crate::ages::Subject;
use crate::connections::{BudgetName, Provider};
use crate::gate::Gate;
use question::Question;

/// The operations that are asked upstream.
pub const SERVED: [&str; 5] = [
    "estimateNetworkFee",
    "validateAddress",
    "getChains",
    "getMaxSpendableAmount",
    "getUnspentInputs",
];

/// Largest answer that is taken from upstream, in bytes.
const MAX_ANSWER_LEN: usize = 1024 * 1024;
/// Longest wait for an answer of upstream's, however often it is asked.
const WAIT: Duration = Duration::from_secs(10);
/// Longest wait for a turn and for room in the budget: a provider is told sooner than [`WAIT`] ends.
const PATIENCE: Duration = Duration::from_secs(5);
/// Which part of the upstream budget providers may use all together.
const SHARE: u32 = 4;

/// The part of the upstream budget that all providers together may use: the gate's own reads and
/// the client's transactions always find room.
pub(crate) fn part(budget: &Budget, cap: NonZeroU32) -> Budget {
    let cap = NonZeroU32::new(cap.get() / SHARE).unwrap_or(NonZeroU32::MIN);
    let burst = NonZeroU32::new(cap.get() / 2).unwrap_or(NonZeroU32::MIN);
    budget.part(cap, burst, PATIENCE)
}

/// Asks upstream.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    provider: &Provider,
    call: &Call,
    operation: &Operation,
    params: &Params,
) -> Result<Reply, ApiError> {
    let id = operation.id.as_str();
    let question = Question::of(id, params, &call.query)?;
    if let Some(wallet) = question.wallet() {
        // Whether a wallet is in scope is judged by books that may be told.
        let behind = [Subject::Accounts, Subject::Wallets];
        gate.fresh_for(&provider.connection, &behind)?;
        wallet.in_scope(&gate.books, &provider.scope)?;
    }
    if let Some(asset) = question.asset() {
        gate.fresh_for(&provider.connection, &[Subject::Assets])?;
        if !gate.books.has_asset(&provider.scope, asset) {
            return Err(ApiError::unsupported_asset(asset.as_str()));
        }
    }
    let now = gate.clock.now();
    let editor = gate.editor_of(&provider.connection.name);
    let client = who(operation, gate.viewer(), editor.map(|editor| editor.client))
        .ok_or_else(|| ApiError::uncoded(503, "The gate has no key upstream that may ask this"))?
        .within(gate.forwards.on_behalf_of(&provider.connection.name))
        .waiting(WAIT)
        .taking(MAX_ANSWER_LEN);
    let target = question.target()?;
    let meter = &provider.meter;
    meter.take(BudgetName::ForwardsPerDay, 1, now)?;
    let asked = tokio::time::timeout(WAIT, client.get(&target)).await;
    let said = asked.map_err(|_| not_now())?.map_err(|error| {
        if matches!(error, ClientError::Budget(_)) {
            // Nothing went up.
            meter.give_back(BudgetName::ForwardsPerDay, 1, now);
        }
        tracing::info!(connection = provider.connection.name, operation = id, %error, "upstream did not answer");
        told(&error)
    })?;
    answer::read(&question, &said.body)
}

/// The least of the gate's own users to whom the contract gives the operation, for reading alone:
/// nothing but a GET is ever signed for a question, whatever it says and whoever's key signs.
fn who(operation: &Operation, viewer: Option<Client>, editor: Option<Client>) -> Option<Client> {
    let least = if !operation.roles_stated || operation.roles.contains(Role::Viewer) {
        viewer
    } else if operation.roles.contains(Role::Editor) {
        editor
    } else {
        None
    };
    least.map(|client| client.reading())
}

/// What a provider hears when upstream gave no answer: a status and a code, never upstream's words.
fn told(error: &ClientError) -> ApiError {
    let refused = "The workspace did not take the question";
    match error {
        ClientError::Budget(_) | ClientError::Status { status: 429, .. } => {
            ApiError::too_many_requests()
        }
        ClientError::Status {
            status: status @ (400 | 404 | 409 | 422),
            code,
            ..
        } => match code.and_then(|code| i32::try_from(code).ok()) {
            Some(code) => ApiError::new(*status, code, refused),
            None => ApiError::uncoded(*status, refused),
        },
        ClientError::NotUnderstood { .. } | ClientError::TooLarge => unexpected(),
        _ => not_now(),
    }
}

fn not_now() -> ApiError {
    ApiError::uncoded(503, "Upstream cannot be asked now: try again later")
}

/// Upstream's answer is not of the shape that is known here.
fn unexpected() -> ApiError {
    ApiError::uncoded(502, "Upstream's answer is not as expected")
}
