//! The users of a seeded workspace, and their keys: one fixed public set, the same on every machine.

use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::{KeyError, PrivateKey};
use protocol::model::user::{User, UserStatus, UserType};
use protocol::role::Role;
use protocol::signature::WebhookKey;
use uuid::Uuid;

use crate::world::Network;

/// A user of the fixed set.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Its name, in ready files and on the command line.
    pub name: &'static str,
    /// What it may do.
    pub role: Role,
    /// Its private key, PEM; people have none.
    pub key_pem: Option<&'static str>,
}

/// One of each role, and the people.
pub const PEOPLE: [Person; 10] = [
    Person {
        name: "owner",
        role: Role::Owner,
        key_pem: None,
    },
    Person {
        name: "treasurer",
        role: Role::Approver,
        key_pem: None,
    },
    Person {
        name: "signing-officer",
        role: Role::Signer,
        key_pem: None,
    },
    Person {
        name: "admin",
        role: Role::Admin,
        key_pem: Some(include_str!("../keys/admin.pem")),
    },
    Person {
        name: "non-signing-admin",
        role: Role::NonSigningAdmin,
        key_pem: Some(include_str!("../keys/non_signing_admin.pem")),
    },
    Person {
        name: "signer",
        role: Role::Signer,
        key_pem: Some(include_str!("../keys/signer.pem")),
    },
    Person {
        name: "approver",
        role: Role::Approver,
        key_pem: Some(include_str!("../keys/approver.pem")),
    },
    Person {
        name: "editor",
        role: Role::Editor,
        key_pem: Some(include_str!("../keys/editor.pem")),
    },
    Person {
        name: "viewer",
        role: Role::Viewer,
        key_pem: Some(include_str!("../keys/viewer.pem")),
    },
    Person {
        name: "auditor",
        role: Role::Auditor,
        key_pem: Some(include_str!("../keys/auditor.pem")),
    },
];

/// The workspace of a network.
pub fn workspace_id(network: Network) -> WorkspaceId {
    WorkspaceId(Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("vestibule:workspace:{}", network.name()).as_bytes(),
    ))
}

impl Person {
    /// Its id in the workspace of a network.
    pub fn id(&self, network: Network) -> UserId {
        self.id_of(network.name())
    }

    /// Its id in a workspace, whichever.
    pub fn id_in(&self, workspace: WorkspaceId) -> UserId {
        let networks = [Network::Mainnet, Network::Testnet];
        let seeded = networks
            .into_iter()
            .find(|network| workspace_id(*network) == workspace);
        seeded.map_or_else(
            || self.id_of(&workspace.to_string()),
            |network| self.id(network),
        )
    }

    fn id_of(&self, place: &str) -> UserId {
        let name = format!("vestibule:user:{place}:{}", self.name);
        UserId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
    }

    /// As the API of a workspace shows it.
    pub fn user(&self, workspace: WorkspaceId) -> User {
        let person = self.key_pem.is_none();
        User {
            id: self.id_in(workspace),
            first_name: person.then(|| self.name.to_owned()),
            last_name: person.then(|| "Example".to_owned()),
            email: person.then(|| format!("{}@fund.example", self.name)),
            name: (!person).then(|| self.name.to_owned()),
            role: self.role,
            enabled: true,
            status: UserStatus::Ready,
            user_type: if person {
                UserType::Console
            } else {
                UserType::Api
            },
        }
    }

    /// Its private key.
    pub fn key(&self) -> Option<Result<PrivateKey, KeyError>> {
        self.key_pem.map(PrivateKey::from_pem)
    }
}

/// The one of that name.
pub fn named(name: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.name == name)
}

/// The keys that sign webhooks: the first, until it is rotated.
pub fn webhook_keys() -> Result<[WebhookKey; 2], KeyError> {
    let key = |name: &str, pem: &str| Ok(WebhookKey::new(name, PrivateKey::from_pem(pem)?));
    Ok([
        key("vestibule-sandbox-1", include_str!("../keys/webhook.pem"))?,
        key("vestibule-sandbox-2", include_str!("../keys/webhook_2.pem"))?,
    ])
}

/// The key that signs what every sandbox's co-signers ask their callback handlers.
pub fn cosigner_key() -> Result<PrivateKey, KeyError> {
    PrivateKey::from_pem(include_str!("../keys/cosigner.pem"))
}
/// What credentials of exchanges are encrypted with, PEM. Nobody can open them.
pub(crate) const CREDENTIALS_KEY: &str = include_str!("../keys/credentials_public.pem");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_set_is_counted_as_known() {
        let mut keys: Vec<_> = PEOPLE
            .iter()
            .filter_map(Person::key)
            .map(|key| key.expect("a key"))
            .collect();
        for pem in [
            include_str!("../keys/webhook.pem"),
            include_str!("../keys/webhook_2.pem"),
            include_str!("../keys/mtls_rsa.pem"),
        ] {
            keys.push(PrivateKey::from_pem(pem).expect("a key"));
        }
        keys.push(cosigner_key().expect("a key"));
        for key in keys {
            assert!(
                protocol::keys::development::is_known(key.public().fingerprint()),
                "{key:?}"
            );
        }
    }
}
