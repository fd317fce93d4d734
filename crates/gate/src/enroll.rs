//! A provider that a client lets in directly: an API user of the workspace's own, made from the
//! provider's CSR with a key of the client's that is given for the run and kept nowhere. What people
//! have to do is told until it is done; what Fireblocks has no call for is done in the Console.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::Method;
use ipnet::IpNet;
use protocol::csr::is_printable;
use protocol::ids::UserId;
use protocol::model::user::{CreateApiUser, User, UserStatus, WhitelistIpAddressesResponse};
use protocol::role::{ProviderRole, Role};
use serde::Serialize;
use wire::client::{Client, ClientError, Once};

use crate::posture::look::{Users, get};
use crate::posture::workspace::Unseen;

/// Longest name of an API user.
const MAX_NAME: usize = 30;
const USERS: &str = "/v1/management/api_users";

/// The API user that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    name: String,
    role: ProviderRole,
    csr_pem: String,
    addresses: BTreeSet<Ipv4Addr>,
}

/// What no API user can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWanted {
    /// Its name.
    #[error("an API user's name has 1 to {MAX_NAME} printable characters")]
    Name,
    /// It could be used from anywhere.
    #[error(
        "an address is needed that the provider calls from: a key without a list works from anywhere"
    )]
    Anywhere,
    /// The Console's lists cannot hold it.
    #[error("{0}: Fireblocks' lists take single IPv4 addresses")]
    Address(IpNet),
}

impl Wanted {
    /// An API user that can be made. The CSR was examined before.
    pub fn new(
        name: &str,
        role: ProviderRole,
        csr_pem: String,
        addresses: &[IpNet],
    ) -> Result<Self, NotWanted> {
        let short = (1..=MAX_NAME).contains(&name.chars().count());
        if !short || name.trim() != name || !name.chars().all(is_printable) {
            return Err(NotWanted::Name);
        }
        if addresses.is_empty() {
            return Err(NotWanted::Anywhere);
        }
        let single = |net: &IpNet| match (net.addr(), net.prefix_len()) {
            (IpAddr::V4(ip), 32) => Ok(ip),
            _ => Err(NotWanted::Address(*net)),
        };
        Ok(Self {
            name: name.to_owned(),
            role,
            csr_pem,
            addresses: addresses.iter().map(single).collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}', role {}", self.name, self.role)
    }
}

/// Why it does not go on.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// The key may not see API users, so it may not make any.
    #[error("API users cannot be seen with this key, and none was made: {}", .0.why)]
    Blind(Unseen),
    /// Another has the name.
    #[error(
        "there is an API user '{name}' of the role {role} already, and a role cannot be changed: take another name"
    )]
    Taken {
        /// Which.
        name: String,
        /// Its role.
        role: Role,
    },
    /// It was not made, or nobody knows.
    #[error(
        "whether the API user was made is not known: {0}. Look in the Console, then run this again: it goes on from what is there"
    )]
    Asked(#[from] ClientError),
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its id, the API key of the provider.
    pub api_key: Option<UserId>,
    /// What it may do.
    pub role: ProviderRole,
    /// Whether the quorum has decided, and the key works.
    pub ready: bool,
    /// The addresses on its list.
    pub addresses: Vec<String>,
    /// What people have to do; nothing: it is done.
    pub left: Vec<String>,
}

/// What is seen of an API user and its list, against what is wanted. Pure.
fn standing(wanted: &Wanted, user: Option<&User>, list: &Result<Vec<String>, Unseen>) -> Standing {
    let mut left = Vec::new();
    let ready = match user {
        None => {
            left.push(format!(
                "it is not there yet: '{}' waits to be made",
                wanted.name
            ));
            false
        }
        Some(user) if user.status == UserStatus::PendingActivation => {
            left.push(
                "the Admin Quorum approves the new API user, each on a phone of its own".to_owned(),
            );
            false
        }
        Some(user) if !user.enabled => {
            left.push("it is disabled: an Owner looks why, in the Console".to_owned());
            false
        }
        Some(_) => true,
    };
    match (user, list) {
        (None, _) => {}
        (Some(_), Err(unseen)) => left.push(format!(
            "look at its IP list in the Console, where it must be {}: {}",
            told(&wanted.addresses),
            unseen.why
        )),
        (Some(_), Ok(list)) => left.extend(differences(wanted, list)),
    }
    Standing {
        name: wanted.name.clone(),
        api_key: user.map(|user| user.id),
        role: wanted.role,
        ready,
        addresses: list.clone().unwrap_or_default(),
        left,
    }
}

/// What the Console's list lacks, and what it has too much.
fn differences(wanted: &Wanted, list: &[String]) -> Option<String> {
    let there: BTreeSet<&str> = list.iter().map(String::as_str).collect();
    let texts: BTreeSet<String> = wanted.addresses.iter().map(ToString::to_string).collect();
    let missing: Vec<_> = texts
        .iter()
        .filter(|text| !there.contains(text.as_str()))
        .collect();
    let more: Vec<_> = there
        .iter()
        .filter(|text| !texts.contains(**text))
        .collect();
    let mut words = Vec::new();
    if !missing.is_empty() {
        let missing: Vec<_> = missing.into_iter().map(String::as_str).collect();
        words.push(format!("add {}", missing.join(", ")));
    }
    if !more.is_empty() {
        let more: Vec<_> = more.into_iter().copied().collect();
        words.push(format!("take away {}", more.join(", ")));
    }
    let open = if list.is_empty() {
        ": until then its key works from anywhere"
    } else {
        ""
    };
    (!words.is_empty()).then(|| {
        format!(
            "in the Console (Developer center > API users > whitelist IP), {}{open}",
            words.join(", and ")
        )
    })
}

fn told(addresses: &BTreeSet<Ipv4Addr>) -> String {
    let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// Looks how far it is.
pub async fn look(client: &Client, wanted: &Wanted) -> Result<Standing, EnrollError> {
    let users = get::<Users>(client, "getApiUsers", USERS).await;
    let users = users.map_err(EnrollError::Blind)?.users;
    let user = users
        .iter()
        .find(|user| user.name.as_ref() == Some(&wanted.name));
    let Some(user) = user else {
        return Ok(standing(wanted, None, &Ok(Vec::new())));
    };
    if user.role != wanted.role.role() {
        let (name, role) = (wanted.name.clone(), user.role);
        return Err(EnrollError::Taken { name, role });
    }
    let path = format!("{USERS}/{}/whitelist_ip_addresses", user.id);
    let list = get::<WhitelistIpAddressesResponse>(client, "getWhitelistIpAddresses", &path).await;
    let list = list.map(|list| list.whitelisted_ips.unwrap_or_default());
    Ok(standing(wanted, Some(user), &list))
}

/// Asks for the API user. `once` makes it one, however often the call is made within a day.
pub async fn ask(client: &Client, wanted: &Wanted, once: &str) -> Result<(), EnrollError> {
    let body = CreateApiUser {
        role: wanted.role.role(),
        name: wanted.name.clone(),
        csr_pem: wanted.csr_pem.clone(),
        co_signer_setup_type: None,
        co_signer_setup_is_first_user: None,
    };
    // A value of ours is always JSON.
    let body = Bytes::from(serde_json::to_vec(&body).unwrap_or_default());
    client
        .write(Method::POST, USERS, body, Once::Keyed(once))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(addresses: &[&str]) -> Result<Wanted, NotWanted> {
        let addresses: Vec<_> = addresses
            .iter()
            .map(|text| text.parse().expect("a net"))
            .collect();
        Wanted::new("acme", ProviderRole::Viewer, String::new(), &addresses)
    }

    fn user(status: &str, enabled: bool) -> User {
        let user = json!({"id": UserId(uuid::Uuid::from_u128(1)), "name": "acme", "role": "VIEWER",
            "enabled": enabled, "status": status, "userType": "API"});
        serde_json::from_value(user).expect("a user")
    }

    #[test]
    fn only_what_the_console_can_hold_is_wanted() {
        assert!(wanted(&["203.0.113.7/32", "203.0.113.8/32"]).is_ok());
        assert_eq!(wanted(&[]), Err(NotWanted::Anywhere));
        for wide in ["203.0.113.0/24", "2001:db8::1/128"] {
            assert!(
                matches!(wanted(&[wide]), Err(NotWanted::Address(_))),
                "{wide}"
            );
        }
        for name in ["", " a", "a\u{202e}", "x".repeat(31).as_str()] {
            let net = ["203.0.113.7/32".parse().expect("a net")];
            let named = Wanted::new(name, ProviderRole::Viewer, String::new(), &net);
            assert_eq!(named, Err(NotWanted::Name), "{name:?}");
        }
    }

    #[test]
    fn what_is_left_is_told_until_nothing_is() {
        let wanted = wanted(&["203.0.113.7/32", "203.0.113.8/32"]).expect("wanted");
        let left = |user: Option<&User>, list: &[&str]| {
            let list = Ok(list.iter().map(|text| (*text).to_owned()).collect());
            standing(&wanted, user, &list).left
        };
        let both = ["203.0.113.8", "203.0.113.7"];
        assert!(left(None, &[])[0].contains("not there yet"));
        let waiting = left(Some(&user("PENDING_ACTIVATION", true)), &[]);
        assert!(
            waiting[0].contains("Quorum") && waiting[1].contains("from anywhere"),
            "{waiting:?}"
        );
        assert!(left(Some(&user("READY", false)), &both)[0].contains("disabled"));
        let ready = user("READY", true);
        assert_eq!(left(Some(&ready), &both), Vec::<String>::new());
        let wrong = left(Some(&ready), &["203.0.113.7", "198.51.100.1"]);
        assert!(
            wrong[0].contains("add 203.0.113.8, and take away 198.51.100.1"),
            "{wrong:?}"
        );
        let blind = standing(&wanted, Some(&ready), &Err(Unseen::closed("why")));
        assert!(
            blind.left[0].contains("203.0.113.7, 203.0.113.8: why"),
            "{:?}",
            blind.left
        );
    }
}
