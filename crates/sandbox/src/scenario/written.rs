//! A scenario's file as it is written: its keys and their types, with where each stands.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

pub(super) type Table = BTreeMap<String, Spanned<Value>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) workspace: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) network: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) manual: bool,
    #[serde(default)]
    pub(super) seed: Option<u64>,
    #[serde(default)]
    pub(super) frozen_at: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) receivers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) step: Vec<Spanned<Step>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: Spanned<String>,
    // One of these says what is done.
    #[serde(default)]
    pub(super) call: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) control: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) webhook: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) receiver: Option<Spanned<String>>,
    // More about it.
    #[serde(default, rename = "as")]
    pub(super) user: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) path: Option<Spanned<Table>>,
    #[serde(default)]
    pub(super) query: Option<Spanned<Table>>,
    #[serde(default)]
    pub(super) body: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) idempotency_key: Option<Spanned<String>>,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) count: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) answers: Option<Spanned<u16>>,
    #[serde(default)]
    pub(super) within: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) capture: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    #[serde(default)]
    pub(super) status: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) code: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) headers: Table,
    #[serde(default)]
    pub(super) body: Table,
}
