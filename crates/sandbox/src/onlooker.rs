//! Watches the server: writes down each call, and says why one was refused.

use std::sync::Arc;

use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::operations::{self, Resolution};
use protocol::token::explain::{Against, explain};
use serde_json::Value;
use wire::server::{Onlooker, Told};

use crate::doors::Guest;
use crate::hall::Hall;
use crate::halls::Halls;
use crate::happenings::Called;

/// The header that says why.
pub(crate) const WHY: &str = "x-vestibule-why";
/// Longest explanation in a header, in bytes.
const MAX_WHY: usize = 1_000;
/// Most of a target that is kept, in characters.
const MAX_PATH: usize = 500;

/// The sandbox's.
#[derive(Debug)]
pub(crate) struct Watch(pub(crate) Arc<Halls>);

impl Onlooker for Watch {
    fn told(&self, told: &Told, reply: Option<&mut Reply>) {
        let house = &self.0.house;
        let user = told.api_key.as_deref().and_then(|key| key.parse().ok());
        let guest = user.and_then(|user| house.doors.get(user));
        let path = told.target.split('?').next().unwrap_or_default();
        let operation = match operations::resolve(&told.method, path) {
            Resolution::Known(found) => Some(found.operation),
            _ => None,
        };
        let status = reply.as_ref().map(|reply| reply.status);
        let (mut why, mut code) = (None, None);
        if let Some(reply) = reply {
            if reply.status >= 400 {
                code = said(reply).0;
                let more = known(reply);
                reply.headers.retain(|(name, _)| *name != WHY);
                let said = self.why(told, reply, user, guest.as_deref());
                let both: Vec<_> = said.into_iter().chain(more).collect();
                why = (!both.is_empty()).then(|| both.join("; "));
                let text = why.as_deref().unwrap_or_default();
                tracing::info!(request_id = %told.request_id, method = told.method, target = told.target, status = reply.status, why = text, "refused");
            }
            if house.explain {
                if let Some(text) = &why {
                    reply.headers.push((WHY, header(text)));
                }
            } else {
                reply.headers.retain(|(name, _)| *name != WHY);
            }
        }
        house.happenings.called(Called {
            at: told.received_at,
            request_id: told.request_id.to_string(),
            workspace: guest.as_ref().map(|guest| guest.workspace),
            user: guest.as_ref().map(|guest| guest.user.to_string()),
            role: guest.as_ref().map(|guest| guest.role.as_str()),
            operation: operation.map(|operation| operation.id.as_str()),
            method: told.method.clone(),
            path: path.chars().take(MAX_PATH).collect(),
            status,
            code,
            user_agent: told.user_agent.clone(),
            why,
        });
    }
}

impl Watch {
    fn why(
        &self,
        told: &Told,
        reply: &Reply,
        user: Option<UserId>,
        guest: Option<&Guest>,
    ) -> Option<String> {
        let (code, message) = said(reply);
        match (reply.status, code) {
            (401, Some(-8)) => self.why_not_allowed(told, guest),
            (401, _) => self.why_not_let_in(told, user, guest),
            (404, _) if message.as_deref() == Some("Not Found") => Some(format!(
                "{} {} is no operation of the contract",
                told.method, told.target
            )),
            _ => message,
        }
    }

    fn why_not_allowed(&self, told: &Told, guest: Option<&Guest>) -> Option<String> {
        let path = told.target.split('?').next().unwrap_or_default();
        let Resolution::Known(found) = operations::resolve(&told.method, path) else {
            return None;
        };
        let roles: Vec<_> = found
            .operation
            .roles
            .iter()
            .map(|role| role.as_str())
            .collect();
        Some(format!(
            "{} is for {}; this API user is {}",
            found.operation.id,
            roles.join(", "),
            guest?.role.as_str()
        ))
    }

    fn why_not_let_in(
        &self,
        told: &Told,
        user: Option<UserId>,
        guest: Option<&Guest>,
    ) -> Option<String> {
        let Some(key) = &told.api_key else {
            return Some("there is no header X-API-Key, or it is there twice".to_owned());
        };
        let Some(user) = user else {
            return Some(format!("X-API-Key must be a UUID; it is {key:?}"));
        };
        let Some(guest) = guest else {
            return Some(format!(
                "no workspace of this sandbox has an API user {user}"
            ));
        };
        let lets_in = |hall: Arc<Hall>| hall.lets_in(user);
        if !self.0.get(guest.workspace).is_some_and(lets_in) {
            return Some(
                "the API user is not active: the quorum has not let it in, or it is disabled"
                    .to_owned(),
            );
        }
        if self.0.house.doors.open(user, told.from).is_none() {
            let list: Vec<_> = guest.addresses.iter().map(ToString::to_string).collect();
            let list = list.join(", ");
            return Some(format!(
                "calls of this API user must come from {list}; this came from {}",
                told.from
            ));
        }
        let Some(authorization) = &told.authorization else {
            return Some("there is no header Authorization: Bearer TOKEN".to_owned());
        };
        if !authorization.starts_with("Bearer ") {
            return Some("Authorization must begin with \"Bearer \"".to_owned());
        }
        let explained = explain(
            authorization,
            &Against {
                now: told.received_at.seconds(),
                user: Some(user),
                target: Some(&told.target),
                body_hash: told.body_hash.as_deref(),
                key: Some(&guest.key),
            },
        );
        let findings: Vec<_> = explained.findings.iter().map(ToString::to_string).collect();
        if findings.is_empty() {
            return Some("the token is good, but its nonce was used before".to_owned());
        }
        Some(findings.join("; "))
    }
}

/// What an answer says already.
fn known(reply: &Reply) -> Option<String> {
    let found = reply.headers.iter().find(|(name, _)| *name == WHY);
    found.map(|(_, why)| why.clone())
}

/// Code and message of an error.
fn said(reply: &Reply) -> (Option<i64>, Option<String>) {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let message = body["message"]
        .as_str()
        .or_else(|| body["error"]["message"].as_str());
    (body["code"].as_i64(), message.map(str::to_owned))
}

/// A text as a header can bear it.
pub(crate) fn header(text: &str) -> String {
    let visible = |char: char| {
        if (' '..='~').contains(&char) {
            char
        } else {
            '?'
        }
    };
    text.chars().take(MAX_WHY).map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_a_header() {
        assert_eq!(header("a\r\nX: b\u{202e}ü"), "a??X: b??");
        assert_eq!(header(&"x".repeat(5_000)).len(), MAX_WHY);
    }
}
