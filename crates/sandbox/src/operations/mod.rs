//! What a sandbox answers: reads of the books, and the operations that change a workspace, one
//! file an area.

mod accounts;
mod events;
mod notifications;
mod paging;
mod reports;
mod resends;
mod transactions;
mod users;
mod webhooks;
mod workspace;

use std::sync::Arc;

use ledger::Scope;
use ledger::reads::{self, Ask};
use protocol::error::ApiError;
use protocol::exchange::{Params, Reply};
use protocol::operations::Operation;
use serde::de::DeserializeOwned;
use wire::server::{Call, Route};

use crate::doors::Guest;
use crate::hall::Hall;

pub(crate) use reports::DOWNLOADS;
pub(crate) use transactions::incoming;

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
        T::deserialize(body).map_err(ApiError::bad_body)
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
    let scope = Scope::whole(hall.id());
    let ask = Ask {
        books: &hall.books,
        scope: &scope,
        params,
        query: &call.query,
        origin: &hall.house.origin,
        now: hall.house.clock.now(),
        beside: &[],
    };
    let answer = match reads::answer(operation, ask).await {
        Some(read) => read,
        None => {
            own(
                operation,
                &Visit {
                    hall,
                    guest,
                    call,
                    params,
                },
            )
            .await
        }
    };
    answer.unwrap_or_else(Into::into)
}

async fn own(operation: &Operation, visit: &Visit<'_>) -> Result<Reply, ApiError> {
    match operation.id.as_str() {
        "createVaultAccount" => accounts::create(visit).await,
        "createVaultAccountAsset" => accounts::create_wallet(visit).await,
        "createVaultAccountAssetAddress" => accounts::create_address(visit).await,
        "createTransaction" => transactions::create(visit).await,
        "cancelTransaction" => transactions::cancel(visit).await,
        "createApiUser" => users::create(visit).await,
        "getWhitelistIpAddresses" => users::addresses(visit),
        "getWorkspace" => Ok(workspace::show(visit)),
        "getApprovals" => Ok(workspace::approvals()),
        "getWebhooks" => webhooks::list(visit).await,
        "createWebhook" => webhooks::create(visit).await,
        "getWebhook" => webhooks::one(visit).await,
        "updateWebhook" => webhooks::update(visit).await,
        "deleteWebhook" => webhooks::delete(visit).await,
        "getNotifications" => notifications::list(visit).await,
        "getNotification" => notifications::one(visit).await,
        "getNotificationAttempts" => notifications::attempts(visit).await,
        "resendNotificationById" => resends::one(visit).await,
        "resendNotificationsByResourceId" => resends::by_resource(visit).await,
        "resendFailedNotifications" => resends::failed(visit).await,
        "resendNotificationsByQuery" => resends::by_query(visit).await,
        "getResendJobStatus" | "getResendByQueryJobStatus" => resends::job(visit).await,
        "createReport" => reports::create(visit).await,
        "listReports" => reports::list(visit).await,
        "getReport" => reports::one(visit).await,
        _ => Err(not_served(operation)),
    }
}

/// An operation of the contract that the sandbox does not serve yet.
fn not_served(operation: &Operation) -> ApiError {
    let text = format!(
        "{} {} ({}) is not served by this sandbox yet",
        operation.method,
        operation.path,
        operation.id.as_str()
    );
    ApiError::uncoded(501, text)
}
