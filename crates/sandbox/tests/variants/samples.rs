//! Bodies that say more than their schema asks for, whole calls, and what is done before a chapter
//! is judged: `samples.json`. `{unique}` is another number each time; `{csr}` and `{certificate}` are
//! files beside it. In calls, and in what is done before, `{listed:PATH}` is an id of that list,
//! `{named:NAME}` a value that fields of that name have, `{user:NAME}` a user's id.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rand::Rng;
use rand::seq::IndexedRandom as _;
use sandbox::people::PEOPLE;
use sandbox::world::Network;
use serde::Deserialize;
use serde_json::Value;

use crate::changes::text_of;
use crate::pool::Pool;

static SAMPLES: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("samples.json");
    serde_json::from_str(text).expect("samples.json is JSON")
});

fn filled(value: &Value, unique: u32) -> Value {
    match value {
        Value::String(text) => text
            .replace("{unique}", &unique.to_string())
            .replace("{csr}", include_str!("user.csr"))
            .replace("{certificate}", include_str!("client.crt"))
            .into(),
        Value::Array(parts) => parts.iter().map(|part| filled(part, unique)).collect(),
        Value::Object(parts) => {
            let parts = parts
                .iter()
                .map(|(name, part)| (name.clone(), filled(part, unique)));
            Value::Object(parts.collect())
        }
        other => other.clone(),
    }
}

/// The body of an operation, where one is given.
pub(crate) fn body(id: &str, unique: u32) -> Option<Value> {
    SAMPLES["bodies"].get(id).map(|body| filled(body, unique))
}

/// A call as it should be.
#[derive(Deserialize)]
pub(crate) struct Given {
    /// Below `/v1`; the operation's own, if missing.
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
}

/// The call of an operation, where one is given and all is there that it names.
pub(crate) fn call(id: &str, pool: &Pool, random: &mut impl Rng) -> Option<Given> {
    let unique = random.random_range(0..1_000_000);
    let given = filled(SAMPLES["calls"].get(id)?, unique);
    serde_json::from_value(resolved(&given, pool, random)?).expect("a call")
}

/// Whether people act by themselves where a chapter is judged.
pub(crate) fn is_automatic(chapter: &str) -> bool {
    let all = SAMPLES["automatic"].as_array();
    all.is_some_and(|all| all.iter().any(|one| one == chapter))
}

/// A value with what is there in the place of what names it; nothing, where something is not.
pub(crate) fn resolved(value: &Value, pool: &Pool, random: &mut impl Rng) -> Option<Value> {
    Some(match value {
        Value::String(text) => known(text, pool, random)?.into(),
        Value::Array(parts) => parts
            .iter()
            .map(|part| resolved(part, pool, random))
            .collect::<Option<_>>()?,
        Value::Object(parts) => {
            let parts = parts.iter().map(|(name, part)| {
                let part = resolved(part, pool, random)?;
                Some((name.clone(), part))
            });
            Value::Object(parts.collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}

fn known(text: &str, pool: &Pool, random: &mut impl Rng) -> Option<String> {
    let mut text = text.to_owned();
    // The innermost first: a list's path may name something itself.
    for kind in ["{user:", "{named:", "{listed:"] {
        while let Some(from) = text.find(kind) {
            let start = from + kind.len();
            let end = start + text[start..].find('}').expect("it is closed");
            let name = &text[start..end];
            let value = match kind {
                "{user:" => {
                    let person = PEOPLE.iter().find(|person| person.name == name);
                    person.expect("a person").id(Network::Mainnet).to_string()
                }
                "{named:" => text_of(pool.named(name).choose(random)?),
                _ => pool.listed(name).choose(random)?.clone(),
            };
            text.replace_range(from..=end, &value);
        }
    }
    Some(text)
}

/// Something that is done before a chapter is judged.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Step {
    /// An operation, and what people and chain do with what it made.
    Call {
        operation: String,
        path: Option<String>,
        body: Option<Value>,
        #[serde(default)]
        then: Vec<String>,
        /// Names, and where in the answer their value stands.
        #[serde(default)]
        learn: BTreeMap<String, String>,
    },
    /// A list that is asked until a field of each of its things is so.
    Until {
        until: String,
        field: String,
        is: Value,
    },
    /// Something of the control plane: method and path; `W` is the workspace.
    Control {
        control: String,
        body: Option<Value>,
        #[serde(default)]
        learn: BTreeMap<String, String>,
    },
}

/// What is done before a chapter is judged. `{origin}` is where the sandbox is.
pub(crate) fn before(chapter: &str, origin: &str) -> Vec<Step> {
    steps("before", chapter, origin)
}

/// What is done before each operation of a chapter.
pub(crate) fn between(chapter: &str, origin: &str) -> Vec<Step> {
    steps("between", chapter, origin)
}

fn steps(when: &str, chapter: &str, origin: &str) -> Vec<Step> {
    let steps = filled(&SAMPLES[when][chapter], 0);
    let text = steps.to_string().replace("{origin}", origin);
    serde_json::from_str::<Option<Vec<Step>>>(&text)
        .expect("steps")
        .unwrap_or_default()
}
