//! What is known of a sandbox: the ids of its things by where they are listed, and values by the
//! name of their field.

use std::collections::BTreeMap;

use protocol::operations::{self, Method, Operation, PREFIX};
use rand::Rng;
use rand::seq::IndexedRandom as _;
use serde_json::Value;

use crate::caller::{Caller, Door};

/// Where things of a parameter's name are listed, where that is not what stands before it.
const LISTS: [(&str, &str); 5] = [
    ("jobId", "/vault/accounts/bulk"),
    ("txId", "/transactions"),
    ("vaultAccountId", "/vault/accounts"),
    ("webhookId", "/webhooks"),
    ("userId", "/users"),
];
/// How many instances of a list are asked.
const ASKED: usize = 6;
/// How often a path is tried that leads to something.
const TRIES: usize = 40;
/// Most values kept of one name.
const MOST: usize = 8;

#[derive(Default)]
pub(crate) struct Pool {
    /// Ids, by the path of the list that they stand in.
    children: BTreeMap<String, Vec<String>>,
    by_name: BTreeMap<String, Vec<Value>>,
}

fn add<T: PartialEq>(known: &mut Vec<T>, value: T) {
    if known.len() < MOST && !known.contains(&value) {
        known.push(value);
    }
}

/// A list's path without what pages it: `/vault/accounts_paged` lists `/vault/accounts`.
fn plain(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let path = path
        .strip_suffix("/paged")
        .or_else(|| path.strip_suffix("_paged"))
        .unwrap_or(path);
    path.strip_suffix("_paginated").unwrap_or(path).to_owned()
}

impl Pool {
    /// Asks every list on the way to an operation, and those of its chapter.
    pub(crate) async fn fill(&mut self, caller: &Caller, operation: &'static Operation) {
        if self.by_name.is_empty() {
            for id in [
                "getPagedVaultAccounts",
                "getAssetWallets",
                "getUsers",
                "getInternalWallets",
                "getExternalWallets",
                "getContracts",
                "getTransactions",
                "listAssets",
                "listBlockchains",
            ] {
                if let Some(list) = operations::by_id(id) {
                    self.ask(caller, list, list.path).await;
                }
            }
        }
        let mut lists: Vec<_> = operations::all()
            .iter()
            .filter(|one| one.method == Method::Get && one.path != operation.path)
            .filter(|one| {
                let list = plain(one.path);
                operation.path.starts_with(&format!("{list}/")) || one.tag == operation.tag
            })
            .collect();
        lists.sort_by_key(|one| one.path.matches('/').count());
        for list in lists {
            for path in self.every(list.path) {
                self.ask(caller, list, &path).await;
            }
        }
    }

    async fn ask(&mut self, caller: &Caller, list: &Operation, path: &str) {
        let target = format!("{PREFIX}{path}");
        let answer = caller.call(list, &target, b"", Door::Right).await;
        if answer.status == 200 {
            self.learn(&target, &answer.body);
        }
    }

    /// Remembers what an answer tells.
    pub(crate) fn learn(&mut self, target: &str, body: &[u8]) {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return;
        };
        let path = plain(target);
        let list = self.children.entry(path.clone()).or_default();
        let mut items: Vec<&Value> = vec![&body];
        match &body {
            Value::Array(rows) => items.extend(rows),
            Value::Object(parts) => {
                items.extend(parts.values().filter_map(Value::as_array).flatten());
            }
            _ => {}
        }
        for item in items {
            let id = ["id", "jobId", "legacyId", "address"]
                .iter()
                .find_map(|name| item.get(name));
            match id {
                // A thing does not stand below itself.
                Some(Value::String(id)) if path.ends_with(&format!("/{id}")) => {}
                Some(Value::String(id)) => add(list, id.clone()),
                Some(Value::Number(id)) => add(list, id.to_string()),
                _ => {}
            }
        }
        self.names(&body);
    }

    fn names(&mut self, value: &Value) {
        match value {
            Value::Object(parts) => {
                for (name, part) in parts {
                    if part.is_string() || part.is_number() {
                        add(self.by_name.entry(name.clone()).or_default(), part.clone());
                    }
                    self.names(part);
                }
            }
            Value::Array(parts) => parts.iter().take(20).for_each(|part| self.names(part)),
            _ => {}
        }
    }

    /// Values that fields of this name have.
    pub(crate) fn named(&self, name: &str) -> &[Value] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Ids that stand in the list of this path.
    pub(crate) fn listed(&self, path: &str) -> &[String] {
        self.children.get(path).map_or(&[], Vec::as_slice)
    }

    /// Remembers values by a name of the caller's.
    pub(crate) fn teach(&mut self, learn: &BTreeMap<String, String>, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        for (name, place) in learn {
            let value = body.pointer(place);
            assert!(value.is_some(), "no {place} in {body}");
            let known = self.by_name.entry(name.clone()).or_default();
            value
                .into_iter()
                .for_each(|value| add(known, value.clone()));
        }
    }

    /// What was deleted is in its list no longer.
    pub(crate) fn gone(&mut self, target: &str) {
        if let Some((list, id)) = plain(target).rsplit_once('/')
            && let Some(known) = self.children.get_mut(list)
        {
            known.retain(|known| known != id);
        }
    }

    /// What an answer's `Location` names stands in its list.
    pub(crate) fn located(&mut self, location: &str) {
        // The whole URL may be told.
        let path = location
            .find(PREFIX)
            .and_then(|at| location.get(at..))
            .unwrap_or(location);
        if let Some((list, id)) = path.rsplit_once('/') {
            add(self.children.entry(plain(list)).or_default(), id.to_owned());
        }
    }

    /// Paths of a template whose parameters stand for what is there: some of them.
    fn every(&self, template: &str) -> Vec<String> {
        let mut paths = vec![String::new()];
        for part in template.split('/').skip(1) {
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            let longer = paths.iter().flat_map(|path| {
                let known = match name {
                    None => vec![part.to_owned()],
                    Some(name) => self.known(path, name, true),
                };
                known
                    .into_iter()
                    .map(move |value| format!("{path}/{value}"))
            });
            paths = longer.take(ASKED).collect();
        }
        paths
    }

    /// A path whose parameters stand for what is there, if something is.
    pub(crate) fn resolved(&self, template: &str, random: &mut impl Rng) -> Option<String> {
        // Half of them: as it is listed. The others: perhaps new in its list.
        let listed = random.random_bool(0.5);
        let found = (0..TRIES).find_map(|_| self.attempt(template, random, !listed));
        found.or_else(|| self.attempt(template, random, true))
    }

    fn attempt(&self, template: &str, random: &mut impl Rng, by_name: bool) -> Option<String> {
        let mut path = String::new();
        for part in template.split('/').skip(1) {
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            let value = match name {
                None => part.to_owned(),
                Some(name) => self.known(&path, name, by_name).choose(random).cloned()?,
            };
            path.push('/');
            path.push_str(&value);
        }
        Some(path)
    }

    /// What a parameter can be, behind this path: what is listed there, or what fields of its name
    /// are elsewhere.
    fn known(&self, list: &str, name: &str, by_name: bool) -> Vec<String> {
        let elsewhere = LISTS.iter().find(|(known, _)| *known == name);
        let lists = [Some(list), elsewhere.map(|(_, list)| *list)];
        let listed = lists.into_iter().flatten().find_map(|list| {
            let known = self.children.get(list)?;
            (!known.is_empty()).then(|| known.clone())
        });
        let mut known = listed.unwrap_or_default();
        if !by_name {
            return known;
        }
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let named = self.named(name).iter().map(text);
        known.extend(named.filter(|id| !id.is_empty() && !id.contains('/')));
        if known.is_empty() {
            known.push("0".to_owned());
        }
        known
    }
}
