//! Bodies that say more than their schema asks for, and what is done before a chapter is judged:
//! `samples.json`. `{unique}` is another number each time; `{csr}` and `{certificate}` are files
//! beside it.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

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

/// Something that is done before a chapter is judged.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Step {
    /// An operation without parameters, and what people and chain do with what it made.
    Call {
        operation: String,
        body: Value,
        #[serde(default)]
        then: Vec<String>,
    },
    /// Something of the control plane, in the workspace.
    Control { control: String, body: Value },
}

/// What is done before a chapter is judged. `{origin}` is where the sandbox is.
pub(crate) fn before(chapter: &str, origin: &str) -> Vec<Step> {
    let steps = filled(&SAMPLES["before"][chapter], 0);
    let text = steps.to_string().replace("{origin}", origin);
    serde_json::from_str::<Option<Vec<Step>>>(&text)
        .expect("steps")
        .unwrap_or_default()
}
