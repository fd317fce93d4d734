//! The policy: each rule by itself, in the words of Fireblocks' older shape.

use serde_json::{Value, json};

use super::super::plan::{Accounts, Group, Member};
use super::super::read::place_of;
use super::super::written::{File, Rule};
use super::{Checker, usual};
use crate::policy;
use crate::policy::check::World;

/// What a rule says where it says nothing.
fn filled(mut rule: Value) -> Value {
    let usual = json!({
        "type": "TRANSFER",
        "transactionType": "TRANSFER",
        "asset": "*",
        "amountCurrency": "USD",
        "amountScope": "SINGLE_TX",
        "amount": "0",
        "periodSec": 0,
        "operators": { "wildcard": "*" },
        "src": { "ids": [["*", "VAULT"]] },
        "dst": { "ids": [["*"]] },
        "dstAddressType": "*",
    });
    if let (Some(rule), Value::Object(usual)) = (rule.as_object_mut(), usual) {
        for (field, value) in usual {
            rule.entry(field).or_insert(value);
        }
    }
    rule
}

/// Every field that a rule can have, for near words.
const FIELDS: [&str; 19] = [
    "action",
    "type",
    "transactionType",
    "asset",
    "amount",
    "amountCurrency",
    "amountScope",
    "periodSec",
    "operators",
    "src",
    "dst",
    "dstAddressType",
    "designatedSigners",
    "authorizationGroups",
    "amountAggregation",
    "allowedAssetTypes",
    "applyForApprove",
    "applyForTypedMessage",
    "contractMethods",
];

impl Checker<'_> {
    pub(super) fn policy(
        &mut self,
        file: &File,
        people: &[Member],
        groups: &[Group],
        accounts: &[Accounts],
    ) -> Vec<Value> {
        let Some(rules) = &file.policy else {
            let own_people = file.people.is_some() || file.api_users.is_some();
            return if own_people {
                policy::usual()
            } else {
                usual().policy.clone()
            };
        };
        let count: u32 = accounts.iter().map(|block| block.names.count()).sum();
        let world = World::named(
            people
                .iter()
                .map(|member| (member.name.clone(), member.role)),
            groups
                .iter()
                .map(|group| (group.name.clone(), group.members.clone())),
            (0..count).map(|number| number.to_string()),
            self.assets.keys().copied(),
        );
        rules.iter().map(|rule| self.rule(rule, &world)).collect()
    }

    fn rule(&mut self, written: &Rule, world: &World) -> Value {
        let fields = written.rule.as_object();
        for field in fields.into_iter().flatten().map(|(field, _)| field) {
            if !FIELDS.contains(&field.as_str()) {
                let near = super::near(field, FIELDS);
                let what = format!("unknown field `{field}` of a rule{near}");
                self.wrong(place_of(written, field), what);
            }
        }
        let rule = filled(written.rule.clone());
        for why in policy::check::problems_of(&rule, world) {
            let word = written.words.iter().find(|word| {
                let text = word.get_ref().as_str();
                why.ends_with(&format!(": {text}")) || why.starts_with(&format!("{text} "))
            });
            let at = word.map_or_else(|| written.at.clone(), toml::Spanned::span);
            self.wrong(at, why);
        }
        rule
    }
}
