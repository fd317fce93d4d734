//! Looking at a workspace with a key given for it: by GET alone, and only what the key's role may.

use std::collections::BTreeMap;

use protocol::model::policy_v2::PolicyRuleV2;
use protocol::model::user::{User, WhitelistIpAddressesResponse};
use protocol::operations::{self, Operation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wire::client::{Client, ClientError};

use super::workspace::{Seen, Theirs, Unseen};

/// Most pages of a list.
const MAX_PAGES: usize = 100;

/// `GET /management/api_users`.
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

#[derive(Deserialize)]
struct Findings {
    data: Vec<Theirs>,
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
    Seen {
        users,
        addresses,
        rules: rules.map(|active| active.policy.rules),
        theirs: theirs(client).await,
        ..Seen::nothing("not asked")
    }
}

async fn theirs(client: &Client) -> Result<Vec<Theirs>, Unseen> {
    let (mut all, mut path) = (Vec::new(), "/v1/security/fspm/findings".to_owned());
    for _ in 0..MAX_PAGES {
        let page = get::<Findings>(client, "getSecurityFindings", &path).await?;
        all.extend(page.data);
        match page.next.filter(|next| !next.is_empty()) {
            Some(next) => path = format!("/v1/security/fspm/findings?pageCursor={next}"),
            None => return Ok(all),
        }
    }
    Err(Unseen("there are more findings than are read".to_owned()))
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
