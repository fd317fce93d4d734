//! Fireblocks' environments by name.

use url::Url;

/// An environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    name: &'static str,
    api: &'static str,
    keys: &'static str,
}

const ALL: [Environment; 4] = [
    Environment {
        name: "us",
        api: "https://api.fireblocks.io/v1",
        keys: "https://keys.fireblocks.io/.well-known/jwks.json",
    },
    Environment {
        name: "eu",
        api: "https://eu-api.fireblocks.io/v1",
        keys: "https://eu-keys.fireblocks.io/.well-known/jwks.json",
    },
    Environment {
        name: "eu2",
        api: "https://eu2-api.fireblocks.io/v1",
        keys: "https://eu2-keys.fireblocks.io/.well-known/jwks.json",
    },
    Environment {
        name: "sandbox",
        api: "https://sandbox-api.fireblocks.io/v1",
        keys: "https://sandbox-keys.fireblocks.io/.well-known/jwks.json",
    },
];

/// The one of that name.
pub(crate) fn named(name: &str) -> Option<Environment> {
    ALL.into_iter().find(|environment| environment.name == name)
}

impl Environment {
    pub(crate) fn base_url(self) -> anyhow::Result<Url> {
        Ok(Url::parse(self.api)?)
    }

    pub(crate) fn jwks_url(self) -> anyhow::Result<Url> {
        Ok(Url::parse(self.keys)?)
    }
}
