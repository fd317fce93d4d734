//! A connection in words. Names and URLs come from outside. Pure.

use gate::connections::{Connection, Place};
use ledger::AssetFilter;
use protocol::role::ProviderRole;

use crate::output::printable;

/// The connection, a line a fact.
pub(super) fn told(one: &Connection) -> String {
    let webhook = one.webhook.as_ref();
    let lines = [
        ("name", one.name.clone()),
        ("provider", one.provider.clone()),
        ("role", one.role.to_string()),
        ("state", one.state.as_str().to_owned()),
        ("API key", one.api_key.to_string()),
        ("key", one.fingerprint.clone()),
        ("from", joined(&one.addresses, "nowhere")),
        ("accounts", joined(&one.part.accounts, "none")),
        ("assets", assets(&one.part.assets)),
        ("whitelist", joined(&one.part.whitelists, "none")),
        ("approved", place(one.place).to_owned()),
        (
            "webhook",
            webhook.map_or("none", |to| to.url.as_str()).to_owned(),
        ),
    ];
    let lines = lines.map(|(name, value)| format!("{name:<10}{}", printable(&value)));
    lines.join("\n")
}

/// What it may do and see, in one line.
pub(super) fn scope_told(one: &Connection) -> String {
    let approved = match one.role {
        ProviderRole::Viewer => String::new(),
        ProviderRole::Editor => format!("; transactions approved {}", place(one.place)),
    };
    format!(
        "role {}; vault accounts {}; assets {}; whitelisted wallets {}; from {}{approved}",
        one.role,
        joined(&one.part.accounts, "none"),
        assets(&one.part.assets),
        joined(&one.part.whitelists, "none"),
        joined(&one.addresses, "nowhere"),
    )
}

fn assets(filter: &AssetFilter) -> String {
    match filter {
        AssetFilter::All => "all".to_owned(),
        AssetFilter::Only(assets) => joined(assets, "none"),
    }
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Gate => "at the gate",
        Place::Fireblocks => "at Fireblocks",
    }
}

fn joined<'a, T: ToString + 'a>(items: impl IntoIterator<Item = &'a T>, none: &str) -> String {
    let texts: Vec<_> = items.into_iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        none.to_owned()
    } else {
        texts.join(", ")
    }
}
