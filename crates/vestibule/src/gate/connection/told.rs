//! A connection in words. Names and URLs come from outside. Pure.

use gate::connections::{BudgetName, Budgets, Connection, Place};
use gate::operations::connections::Shown;
use ledger::{AssetFilter, PartScope};
use protocol::role::ProviderRole;
use protocol::time::Millis;

use crate::output::printable;

/// The connection, a line a fact.
pub(in crate::gate) fn told(shown: &Shown) -> String {
    let one = &shown.connection;
    let webhook = one.webhook.as_ref();
    let lines = [
        ("name", one.name.clone()),
        ("provider", one.provider.clone()),
        ("role", one.role.to_string()),
        ("mode", one.mode.as_str().to_owned()),
        ("state", shown.standing.as_str().to_owned()),
        ("until", day(one.until)),
        (
            "contact",
            one.contact
                .as_ref()
                .map_or_else(|| "none".to_owned(), ToString::to_string),
        ),
        ("API key", one.api_key.to_string()),
        ("key", one.fingerprint.clone()),
        ("from", joined(&one.addresses, "nowhere")),
        (
            "TLS key",
            one.client_certificate
                .map_or_else(|| "any, or none".to_owned(), |pin| pin.to_string()),
        ),
        ("accounts", joined(&one.part.accounts, "none")),
        ("assets", assets(&one.part.assets)),
        ("whitelist", joined(&one.part.whitelists, "none")),
        ("follows", follows(one)),
        ("shows", shows(&one.part)),
        ("upstream", forwarded(one.forward).to_owned()),
        ("budgets", budgets(&one.budgets)),
        ("approved", place(one.place).to_owned()),
        (
            "goes up as",
            match (one.role, one.editor) {
                (ProviderRole::Viewer, _) => "nothing goes up".to_owned(),
                (ProviderRole::Editor, None) => "the gate's Editor".to_owned(),
                (ProviderRole::Editor, Some(id)) => format!("API user {id}, its own Editor"),
            },
        ),
        (
            "webhook",
            webhook.map_or("none", |to| to.url.as_str()).to_owned(),
        ),
    ];
    let lines = lines.map(|(name, value)| format!("{name:<11}{}", printable(&value)));
    lines.join("\n")
}

/// A moment, as people write it.
pub(in crate::gate) fn day(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0);
    at.map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string())
        .unwrap_or_default()
}

/// What it may do and see, in one line.
pub(in crate::gate) fn scope_told(one: &Connection) -> String {
    let upstream = if one.forward {
        "; upstream asked what the books do not hold"
    } else {
        ""
    };
    let approved = match one.role {
        ProviderRole::Viewer => String::new(),
        ProviderRole::Editor => format!("; transactions approved {}", place(one.place)),
    };
    format!(
        "role {}; vault accounts {}; assets {}; whitelisted wallets {}; from {}{approved}{upstream}; budgets {}",
        one.role,
        joined(&one.part.accounts, "none"),
        assets(&one.part.assets),
        joined(&one.part.whitelists, "none"),
        joined(&one.addresses, "nowhere"),
        budgets(&one.budgets),
    )
}

fn assets(filter: &AssetFilter) -> String {
    match filter {
        AssetFilter::All => "all".to_owned(),
        AssetFilter::Only(assets) => joined(assets, "none"),
    }
}

fn follows(one: &Connection) -> String {
    match &one.followed {
        None => "no tags".to_owned(),
        Some(followed) => format!("tags {}", joined(&followed.tags, "none")),
    }
}

/// What of transactions is shown, beside amounts and sides.
fn shows(part: &PartScope) -> String {
    let (ways, shown) = (part.directions, part.shown);
    let others = part.only_of.is_none();
    let words = [
        (ways.incoming, "incoming"),
        (ways.outgoing, "outgoing"),
        (ways.internal, "internal"),
        (others, "other people's transactions"),
        (shown.usd, "USD"),
        (shown.notes, "notes"),
        (shown.users, "users"),
    ];
    let shown = words.into_iter().filter(|(shown, _)| *shown);
    let shown: Vec<_> = shown.map(|(_, word)| word).collect();
    let since = part.history_from.map(|from| format!("; since {from}"));
    format!("{}{}", shown.join(", "), since.unwrap_or_default())
}

/// How much it may use.
pub(in crate::gate) fn budgets(budgets: &Budgets) -> String {
    let each = BudgetName::ALL.map(|name| format!("{name} {}", budgets.of(name)));
    each.join(", ")
}

const fn forwarded(forward: bool) -> &'static str {
    if forward {
        "asked what the books do not hold"
    } else {
        "not asked"
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
