//! What a sandbox answers: reads of the books, and the operations that change a workspace, one
//! file an area.

mod account_changes;
pub(crate) mod account_jobs;
mod accounts;
pub(crate) mod approval_keys;
mod approvals;
mod area;
mod asset_changes;
mod audit_logs;
mod coins;
mod connected_accounts;
mod console_users;
mod cosigners;
mod dates;
mod earn;
mod events;
mod exchange_accounts;
mod fiat_accounts;
mod gas_stations;
pub(crate) mod groups;
mod jobs;
mod keys;
mod mpc_keys;
mod network_connections;
mod network_ids;
mod nft_changes;
mod nfts;
mod notifications;
mod off_exchange;
pub(crate) mod ota;
mod paging;
mod payments;
mod policy;
mod policy_legacy;
mod quorum;
mod reports;
mod resends;
mod resends_v1;
mod security;
mod staking;
mod staking_changes;
mod staking_transactions;
pub(crate) mod tag_attachments;
pub(crate) mod tags;
mod trading;
mod transactions;
mod users;
mod webhook_mtls;
mod webhook_oauth;
mod webhooks;
pub(crate) mod whitelists;
pub(crate) mod workspace;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use ledger::Scope;
use ledger::reads::{self, Ask};
use protocol::error::ApiError;
use protocol::exchange::{Params, Reply};
use protocol::operations::Operation;
use serde::de::DeserializeOwned;
use wire::server::{Call, Route};

use crate::contract;
use crate::doors::Guest;
use crate::hall::Hall;
use crate::onlooker::{WHY, header};

pub(crate) use area::Service;
use area::{area, areas};

pub(crate) use asset_changes::recall as recall_tokens;
pub(crate) use dates::date_time;
pub(crate) use events::is_known as is_event;
pub(crate) use exchange_accounts::decide as decide_on_exchange_account;
pub(crate) use fiat_accounts::connect as connect_fiat_account;
pub(crate) use groups::Group;
pub(crate) use mpc_keys::mpc_id;
pub(crate) use network_connections::act as act_on_connection;
pub(crate) use network_ids::add_peer as add_network_peer;
pub(crate) use nft_changes::incoming as incoming_nft;
pub(crate) use reports::DOWNLOADS;
pub(crate) use tags::Entry as Tag;
pub(crate) use tags::ROLES_FOR_PROTECTED;
pub(crate) use transactions::{Message, incoming};

areas! {
    account_changes,
    account_jobs,
    accounts,
    approval_keys,
    approvals,
    audit_logs,
    coins,
    console_users,
    cosigners,
    asset_changes,
    connected_accounts,
    earn,
    exchange_accounts,
    fiat_accounts,
    gas_stations,
    groups,
    jobs,
    keys,
    mpc_keys,
    network_connections,
    network_ids,
    nft_changes,
    nfts,
    notifications,
    ota,
    quorum,
    policy,
    policy_legacy,
    off_exchange,
    payments,
    reports,
    resends,
    resends_v1,
    tag_attachments,
    security,
    staking,
    staking_changes,
    tags,
    trading,
    transactions,
    users,
    webhook_mtls,
    webhook_oauth,
    webhooks,
    whitelists,
    workspace,
}

/// A call at a workspace.
pub(crate) struct Visit<'a> {
    pub(crate) hall: &'a Arc<Hall>,
    pub(crate) guest: &'a Guest,
    pub(crate) call: &'a Call,
    pub(crate) params: &'a Params,
}

impl Visit<'_> {
    /// The body, read as what it must be.
    fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body = self
            .call
            .body
            .as_ref()
            .ok_or_else(|| ApiError::bad_body("there is none"))?;
        protocol::objects::read(body).map_err(ApiError::bad_body)
    }

    /// A parameter of the path.
    fn param<T: std::str::FromStr>(
        &self,
        name: &'static str,
        otherwise: impl FnOnce() -> ApiError,
    ) -> Result<T, ApiError> {
        self.params.get(name).parse().map_err(|_| otherwise())
    }
}

/// Answers a call.
pub(crate) async fn answer(hall: &Arc<Hall>, guest: &Guest, call: &Call) -> Reply {
    let Route::Operation { operation, params } = &call.route else {
        return ApiError::not_found().into();
    };
    if !is_served(operation) {
        return not_served(operation).into();
    }
    if let Err(error) = contract::check(operation, &call.query, call.body.as_ref()) {
        return error.into();
    }
    let unknown = match &call.body {
        Some(body) => contract::unknown::fields(operation, body),
        None => Vec::new(),
    };
    if hall.house.strict
        && let Some(field) = unknown.first()
    {
        return ApiError::invalid(field, "the contract has no such field").into();
    }
    let reply = answered(hall, guest, call, operation, params).await;
    if unknown.is_empty() {
        return reply;
    }
    let why = format!(
        "without effect, the contract has no such field: {}",
        unknown.join(", ")
    );
    tracing::info!(request_id = %call.request_id, operation = %operation.id, why, "unknown fields");
    reply.with(WHY, header(&why))
}

async fn answered(
    hall: &Arc<Hall>,
    guest: &Guest,
    call: &Call,
    operation: &'static Operation,
    params: &Params,
) -> Reply {
    let scope = Scope::whole(hall.id());
    let ask = Ask {
        books: &hall.books,
        scope: &scope,
        params,
        query: &call.query,
        origin: &hall.house.origin,
        now: hall.clock.now(),
        beside: &[],
    };
    let answer = match reads::answer(operation, ask).await {
        Some(read) => read,
        None => {
            let visit = Visit {
                hall,
                guest,
                call,
                params,
            };
            let own = own(operation.id.as_str(), &visit).await;
            own.unwrap_or_else(|| Err(not_served(operation)))
        }
    };
    answer.unwrap_or_else(Into::into)
}

fn is_served(operation: &Operation) -> bool {
    static SERVED: LazyLock<HashSet<&str>> = LazyLock::new(|| served().map(|(id, _)| id).collect());
    SERVED.contains(operation.id.as_str())
}

/// An operation of the contract that the sandbox does not serve yet.
fn not_served(operation: &Operation) -> ApiError {
    let text = format!(
        "{} {} ({}) is not served by this sandbox yet; /openapi.json tells what is, and the page at / where to look",
        operation.method,
        operation.path,
        operation.id.as_str()
    );
    ApiError::uncoded(501, text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_that_is_served_is_of_the_table_and_served_once() {
        let mut seen = BTreeSet::new();
        for (id, _) in served() {
            assert!(protocol::operations::by_id(id).is_some(), "{id}");
            assert!(seen.insert(id), "{id} stands twice");
        }
    }
}
