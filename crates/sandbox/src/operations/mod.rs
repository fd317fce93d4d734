//! What a sandbox answers: reads of the books, and the operations that change a workspace, one
//! file an area.

mod area;
mod asset_changes;
mod audit_logs;
pub(crate) mod counterparties;
mod dates;
pub(crate) mod governance;
mod jobs;
mod nfts;
mod paging;
pub(crate) mod people;
mod reports;
mod rooms;
mod security;
mod seeded;
mod staking;
pub(crate) mod tag_attachments;
pub(crate) mod tags;
mod transactions;
pub(crate) mod vault;
mod webhooks;
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
pub(crate) use counterparties::fiat_accounts::connect as connect_fiat_account;
pub(crate) use counterparties::network_connections::act as act_on_connection;
pub(crate) use counterparties::network_ids::add_peer as add_network_peer;
pub(crate) use dates::date_time;
pub(crate) use nfts::changes::incoming as incoming_nft;
pub(crate) use people::groups::Group;
pub(crate) use reports::DOWNLOADS;
pub(crate) use tags::Entry as Tag;
pub(crate) use tags::ROLES_FOR_PROTECTED;
pub(crate) use transactions::{Message, incoming};
pub(crate) use vault::mpc_keys::mpc_id;
pub(crate) use webhooks::events::is_known as is_event;

/// The operations that are served.
pub(crate) fn served() -> impl Iterator<Item = (&'static str, Service)> {
    let reads = reads::SERVED.into_iter().map(|id| (id, Service::Stateful));
    reads.chain(rooms::served())
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
        seal: None,
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
            match rooms::answer(operation.id.as_str(), &visit) {
                Some(own) => own.await,
                None => Err(not_served(operation)),
            }
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
