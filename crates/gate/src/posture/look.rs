//! Looking at a workspace with a key given for it: by GET alone, and only what the key's role may.

use std::collections::BTreeMap;

use protocol::model::policy_v2::PolicyRuleV2;
use protocol::model::user::{User, WhitelistIpAddressesResponse};
use protocol::operations::{self, Operation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sync::roles::Answered;
use url::form_urlencoded;
use wire::client::{Client, ClientError};

use super::workspace::{Hook, Seen, Theirs, Unseen};

/// Most pages of a list.
const MAX_PAGES: usize = 100;
const USERS: &str = "/v1/management/api_users";

/// `GET /management/api_users`, `GET /management/users`.
#[derive(Deserialize)]
pub(crate) struct Users {
    pub(crate) users: Vec<User>,
}

#[derive(Deserialize)]
struct Active {
    policy: Policy,
}

#[derive(Deserialize)]
struct Policy {
    rules: Vec<PolicyRuleV2>,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

/// Looks.
pub async fn look(client: &Client) -> Seen {
    let users = ask::<Users>(client, USERS).await;
    let users = match users {
        // Nor would anything else be answered, and each would be waited for.
        Err(error) if is_shut(&error) => return Seen::unseen(unseen(None, USERS, &error)),
        users => users
            .map(|users| users.users)
            .map_err(|error| unseen(operations::by_id("getApiUsers"), USERS, &error)),
    };
    let mut addresses = BTreeMap::new();
    for user in users.iter().flatten() {
        let path = format!(
            "/v1/management/api_users/{}/whitelist_ip_addresses",
            user.id
        );
        let list =
            get::<WhitelistIpAddressesResponse>(client, "getWhitelistIpAddresses", &path).await;
        addresses.insert(
            user.id,
            list.map(|list| list.whitelisted_ips.unwrap_or_default()),
        );
    }
    let active = "/v1/policy/active_policy?policyType=TRANSFER";
    let rules = get::<Active>(client, "getActivePolicy", active).await;
    let people = get::<Users>(client, "getConsoleUsers", "/v1/management/users").await;
    Seen {
        users,
        people: people.map(|people| people.users),
        webhooks: list::<Hook>(client, "getWebhooks", "/v1/webhooks?pageSize=100").await,
        addresses,
        rules: rules.map(|active| active.policy.rules),
        theirs: list::<Theirs>(client, "getSecurityFindings", "/v1/security/fspm/findings").await,
        ..Seen::nothing("not asked")
    }
}

/// A whole list.
async fn list<T: DeserializeOwned>(
    client: &Client,
    id: &str,
    first: &str,
) -> Result<Vec<T>, Unseen> {
    let (mut all, mut path) = (Vec::new(), first.to_owned());
    let joint = if first.contains('?') { '&' } else { '?' };
    for _ in 0..MAX_PAGES {
        let page = get::<Page<T>>(client, id, &path).await?;
        all.extend(page.data);
        match page.next.filter(|next| !next.is_empty()) {
            Some(next) => path = format!("{first}{joint}pageCursor={}", encoded(&next)),
            None => return Ok(all),
        }
    }
    Err(Unseen::closed(format!(
        "{first}: there is more than is read"
    )))
}

/// A cursor, as it may stand in a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Asks, and says why not in words: a key that may not is told which role may.
pub(crate) async fn get<T: DeserializeOwned>(
    client: &Client,
    id: &str,
    path: &str,
) -> Result<T, Unseen> {
    let answer = ask(client, path).await;
    answer.map_err(|error| unseen(operations::by_id(id), path, &error))
}

async fn ask<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T, ClientError> {
    client.get(path).await?.json()
}

/// Whether it says that nothing is answered at all: nobody is there, or the key is not accepted.
const fn is_shut(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Status { status, code, .. } => {
            *status == 401 && !matches!(Answered::of(*status, *code), Answered::Forbidden)
        }
        _ => false,
    }
}

/// What an error says of what was asked for: a no, or that the look itself failed.
fn unseen(operation: Option<&'static Operation>, path: &str, error: &ClientError) -> Unseen {
    let ClientError::Status {
        status,
        code,
        message,
    } = error
    else {
        return Unseen::failed(format!("{path}: {error}"));
    };
    match Answered::of(*status, *code) {
        Answered::Forbidden => Unseen::closed(not_for(operation)),
        _ if is_shut(error) => Unseen::failed(format!(
            "the key was not accepted ({status}: {message}): the API key must be the id of the user whose private key it is, and may be used from this address"
        )),
        // They would answer another time.
        _ if matches!(status, 408 | 429 | 500..) => Unseen::failed(format!("{path}: {error}")),
        _ => Unseen::closed(format!("{path}: {error}")),
    }
}

fn not_for(operation: Option<&'static Operation>) -> String {
    let roles = operation
        .filter(|operation| operation.roles_stated)
        .map(|operation| {
            let roles = operation.roles.iter().map(|role| role.to_string());
            roles.collect::<Vec<_>>().join(", ")
        });
    match (operation, roles) {
        (Some(operation), Some(roles)) => {
            format!("the key may not read {}: it is for {roles}", operation.path)
        }
        _ => "the key may not read it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A no is not a failure, and a failure is no matter of roles.
    #[test]
    fn what_failed_is_not_called_a_role_that_is_missing() {
        let operation = operations::by_id("getApiUsers");
        let status = |status, code| ClientError::Status {
            status,
            code,
            message: "Unauthorized".to_owned(),
        };
        let unreachable = ClientError::Unreachable {
            sent: false,
            why: "connection refused".to_owned(),
        };
        let page = ClientError::NotUnderstood {
            why: "no JSON".to_owned(),
            body: "<html>".to_owned(),
        };
        let role = "it is for ADMIN, NON_SIGNING_ADMIN";
        for (error, failed, told) in [
            (status(403, None), false, role),
            (status(401, Some(-8)), false, role),
            (status(404, None), false, "/v1/x: upstream answered 404"),
            (
                status(401, None),
                true,
                "the key was not accepted (401: Unauthorized)",
            ),
            (status(401, Some(-7)), true, "the key was not accepted"),
            (status(429, None), true, "/v1/x: upstream answered 429"),
            (status(503, None), true, "/v1/x: upstream answered 503"),
            (unreachable, true, "cannot be reached: connection refused"),
            (page, true, "not understood"),
            (ClientError::TooLarge, true, "larger"),
        ] {
            let seen = unseen(operation, "/v1/x", &error);
            let shut = ["not accepted", "cannot be reached"];
            let shut = shut.iter().any(|words| seen.why.contains(words));
            assert_eq!(is_shut(&error), shut, "{error}");
            assert_eq!(seen.failed, failed, "{error}");
            assert!(seen.why.contains(told), "{error}: {}", seen.why);
            assert_eq!(seen.why.contains("it is for"), told == role, "{}", seen.why);
        }
    }
}
