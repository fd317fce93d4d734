//! Roles of a workspace's users (`UserRole` of the contract and of the newest SDK).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A user's role in a workspace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
pub enum Role {
    /// The one owner of a workspace: a person, never an API key.
    Owner,
    /// Administers and signs.
    Admin,
    /// Administers, cannot sign.
    NonSigningAdmin,
    /// Signs.
    Signer,
    /// Approves, cannot sign.
    Approver,
    /// Initiates, cannot approve or sign.
    Editor,
    /// Reads.
    Viewer,
    /// Reads, including settings.
    Auditor,
    /// Administers embedded wallets.
    NcwAdmin,
    /// Signs for embedded wallets.
    NcwSigner,
    /// Administers users and policies, no transactions.
    SecurityAdmin,
    /// Reads users and policies.
    SecurityAuditor,
    /// Signs collateral movements of off-exchange workspaces.
    CollateralsSigner,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 13] = [
        Self::Owner,
        Self::Admin,
        Self::NonSigningAdmin,
        Self::Signer,
        Self::Approver,
        Self::Editor,
        Self::Viewer,
        Self::Auditor,
        Self::NcwAdmin,
        Self::NcwSigner,
        Self::SecurityAdmin,
        Self::SecurityAuditor,
        Self::CollateralsSigner,
    ];

    /// The value on the wire, such as `NON_SIGNING_ADMIN`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::NonSigningAdmin => "NON_SIGNING_ADMIN",
            Self::Signer => "SIGNER",
            Self::Approver => "APPROVER",
            Self::Editor => "EDITOR",
            Self::Viewer => "VIEWER",
            Self::Auditor => "AUDITOR",
            Self::NcwAdmin => "NCW_ADMIN",
            Self::NcwSigner => "NCW_SIGNER",
            Self::SecurityAdmin => "SECURITY_ADMIN",
            Self::SecurityAuditor => "SECURITY_AUDITOR",
            Self::CollateralsSigner => "COLLATERALS_SIGNER",
        }
    }

    /// Whether a user of this role holds a key share and so can sign.
    pub const fn signs(self) -> bool {
        matches!(
            self,
            Self::Owner | Self::Admin | Self::Signer | Self::NcwSigner | Self::CollateralsSigner
        )
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct BadRole;

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(BadRole)
    }
}

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RoleSet(u16);

impl RoleSet {
    /// No role at all.
    pub const NONE: Self = Self(0);

    /// The set of these roles.
    pub const fn of(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < roles.len() {
            bits |= 1 << roles[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// Whether the role is one of them.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & (1 << role as u16) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its roles, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

impl fmt::Debug for RoleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a third party may be. A third variant cannot be written down (practice C1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProviderRole {
    /// Reads what is in scope.
    Viewer,
    /// Reads what is in scope, and proposes transactions.
    Editor,
}

impl ProviderRole {
    /// The workspace role of that name.
    pub const fn role(self) -> Role {
        match self {
            Self::Viewer => Role::Viewer,
            Self::Editor => Role::Editor,
        }
    }
}

impl fmt::Display for ProviderRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.role().fmt(f)
    }
}

impl FromStr for ProviderRole {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        match text {
            "VIEWER" => Ok(Self::Viewer),
            "EDITOR" => Ok(Self::Editor),
            _ => Err(BadRole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            let json = serde_json::to_string(&role).expect("a role is a string");
            assert_eq!(json, format!("{:?}", role.as_str()));
        }
    }

    #[test]
    fn a_provider_is_never_more_than_an_editor() {
        for role in Role::ALL {
            let provider = role.as_str().parse::<ProviderRole>();
            assert_eq!(
                provider.is_ok(),
                matches!(role, Role::Viewer | Role::Editor),
                "{role}"
            );
        }
    }
}
