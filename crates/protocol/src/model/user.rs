//! Users of a workspace, people and API keys.

use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::role::Role;

/// An API user (`GET /management/api_users`) or a person (`GET /management/users`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id; of an API user, the API key.
    pub id: UserId,
    /// A person's first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// A person's last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// A person's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// An API user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// How far its set-up has come.
    pub status: UserStatus,
    /// Person or API key.
    pub user_type: UserType,
}

/// How far a user's set-up has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// The quorum has not decided.
    PendingActivation,
    /// No device yet.
    PendingDevicePairing,
    /// The device is not set up.
    PendingDeviceSetup,
    /// All done.
    Ready,
}

/// Person or API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserType {
    /// An API key.
    Api,
    /// A person.
    Console,
}

/// `POST /management/api_users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateApiUser {
    /// What it may do.
    pub role: Role,
    /// Its name, at most 30 characters.
    pub name: String,
    /// The CSR.
    pub csr_pem: String,
    /// Which co-signer, for keys that sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co_signer_setup_type: Option<String>,
    /// Whether it is the first user of that co-signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co_signer_setup_is_first_user: Option<bool>,
}

/// `GET /management/api_users/{userId}/whitelist_ip_addresses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhitelistIpAddressesResponse {
    /// Whose list.
    pub user_id: UserId,
    /// Single addresses; `null` or empty means any.
    pub whitelisted_ips: Option<Vec<String>>,
}
