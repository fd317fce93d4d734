//! The door of the sandbox, as the wire's server sees it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::DATE;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{RequestId, UserId};
use protocol::operations::Operation;
use protocol::time::Millis;
use protocol::token::TokenError;
use wire::server::{Admitted, Call, Outcome, Route, Workspace};

use crate::doors::Guest;
use crate::faults::Trouble;
use crate::halls::Halls;
use crate::onlooker::WHY;
use crate::operations;
use crate::rates::{self, Rate};

/// What a proxy says that has lost its way.
const PAGE: &str = "<html><body><h1>Bad gateway</h1></body></html>";

/// Shows the sandbox's time in what is answered beside the API, too.
pub(crate) fn dated(routes: axum::Router, halls: Arc<Halls>) -> axum::Router {
    let date = move |mut response: axum::response::Response| {
        let shown = halls.date().and_then(wire::server::http_date);
        if let Some(shown) = shown {
            response.headers_mut().entry(DATE).or_insert(shown);
        }
        std::future::ready(response)
    };
    routes.layer(axum::middleware::map_response(date))
}

/// Many workspaces behind one door, chosen by API key.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) halls: Arc<Halls>,
}

impl Workspace for Sandbox {
    type Guest = Guest;

    fn door(&self, user: UserId, from: IpAddr) -> Option<Admitted<Guest>> {
        let guest = self.halls.house.doors.open(user, from)?;
        if !self.halls.get(guest.workspace)?.lets_in(user) {
            return None;
        }
        Some(Admitted {
            key: guest.key.clone(),
            before: None,
            guest,
        })
    }

    fn failed(&self, _user: UserId, _from: IpAddr) {}

    fn may(&self, guest: &Guest, operation: &'static Operation) -> Result<(), ApiError> {
        // Where no source names a role, every role may.
        let open = !operation.roles_stated
            || operations::ROLES_FOR_PROTECTED.contains(&operation.id.as_str());
        if open || operation.roles.contains(guest.role) {
            Ok(())
        } else {
            Err(TokenError::Role.into())
        }
    }

    async fn answer(&self, guest: Arc<Guest>, call: Call) -> Reply {
        let (Some(hall), Route::Operation { operation, .. }) =
            (self.halls.get(guest.workspace), &call.route)
        else {
            return ApiError::not_found().into();
        };
        let rate = hall
            .rates
            .count(call.user, operation.category, call.received_at);
        if let Some(refusal) = rate.and_then(Rate::refusal) {
            return refusal;
        }
        let reply = operations::answer(&hall, &guest, &call).await;
        match rate {
            Some(rate) => rate.told(reply),
            None => reply,
        }
    }

    async fn outcome(&self, guest: Arc<Guest>, call: Call) -> Outcome {
        let hall = self.halls.get(guest.workspace);
        let Some(wrong) = hall.and_then(|hall| hall.faults.strike(&call)) else {
            return Outcome::Answered(self.answer(guest, call).await);
        };
        let planned = |reply: Reply| Outcome::Answered(reply.with(WHY, "a fault that was planned"));
        match wrong {
            Trouble::Latency { millis } => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Outcome::Answered(self.answer(guest, call).await)
            }
            Trouble::TooManyRequests { retry_after } => planned(rates::too_many(retry_after)),
            Trouble::InternalError => {
                if let Some(hall) = self.halls.get(guest.workspace) {
                    hall.failed_within(&call).await;
                }
                planned(ApiError::internal().into())
            }
            Trouble::CutConnection => Outcome::Cut,
            Trouble::LostAnswer => {
                self.answer(guest, call).await;
                Outcome::Cut
            }
            Trouble::WrongContentType => {
                let status = self.answer(guest, call).await.status;
                let mut page = Reply::empty(status).with("content-type", "text/html");
                page.body = PAGE.into();
                planned(page)
            }
        }
    }

    fn request_id(&self) -> RequestId {
        RequestId(self.halls.house.calls.next())
    }

    fn date(&self, guest: Option<&Guest>) -> Option<Millis> {
        match guest {
            Some(guest) => self.halls.get(guest.workspace).map(|hall| hall.clock.now()),
            None => self.halls.date(),
        }
    }
}
