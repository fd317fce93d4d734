//! The users of a seeded workspace, and their keys: one fixed public set, the same on every machine.

use std::sync::LazyLock;

use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::{KeyError, PrivateKey};
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

/// The id of a user in a workspace, by its name there.
pub fn id_in(workspace: WorkspaceId, name: &str) -> UserId {
    let networks = [Network::Mainnet, Network::Testnet];
    let seeded = networks
        .into_iter()
        .find(|network| workspace_id(*network) == workspace);
    let place = seeded.map_or_else(
        || workspace.to_string(),
        |network| network.name().to_owned(),
    );
    let name = format!("vestibule:user:{place}:{name}");
    UserId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}

impl Person {
    /// Its id in the workspace of a network.
    pub fn id(&self, network: Network) -> UserId {
        self.id_in(workspace_id(network))
    }

    /// Its id in a workspace, whichever.
    pub fn id_in(&self, workspace: WorkspaceId) -> UserId {
        id_in(workspace, self.name)
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

/// The public keys of the fixed set, DER.
static KEYS: LazyLock<Vec<(&'static Person, Vec<u8>)>> = LazyLock::new(|| {
    let keys = PEOPLE.iter().filter_map(|person| {
        let key = person.key()?.ok()?;
        Some((person, key.public().spki_der().to_vec()))
    });
    keys.collect()
});

/// Whose key of the fixed set it is, by its public half, DER.
pub(crate) fn of_key(spki: &[u8]) -> Option<&'static Person> {
    let found = KEYS.iter().find(|(_, key)| key == spki);
    found.map(|(person, _)| *person)
}

/// The public half of a key of the fixed set, DER, by the private one.
pub(crate) fn public_half(pem: &str) -> Option<&'static [u8]> {
    let found = KEYS.iter().find(|(person, _)| person.key_pem == Some(pem));
    found.map(|(_, key)| key.as_slice())
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
