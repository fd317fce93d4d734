//! Looking at a workspace with a key given for it: by GET alone, and only what the key's role may.

use std::collections::BTreeMap;

use protocol::model::policy_v2::PolicyRuleV2;
use protocol::model::user::{User, WhitelistIpAddressesResponse};
use protocol::operations::{self, Operation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;
use wire::client::{Client, ClientError};

use super::workspace::{Hook, Seen, Theirs, Unseen};

/// Most pages of a list.
const MAX_PAGES: usize = 100;

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
    let users = get::<Users>(client, "getApiUsers", "/v1/management/api_users").await;
    let users = users.map(|users| users.users);
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
    Err(Unseen(format!("{first}: there is more than is read")))
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
    let answer = client.get(path).await.and_then(|answer| answer.json());
    answer.map_err(|error| match error {
        ClientError::Status {
            status: 401 | 403, ..
        } => Unseen(not_for(operations::by_id(id))),
        other => Unseen(format!("{path}: {other}")),
    })
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
