//! Rules of the older shape, printed.

use protocol::amount::Amount;
use protocol::model::policy::AmountCurrency;
use serde_json::{Map, Value, json};

use crate::policy::rule::{
    Action, AddressType, AnyOf, Initiators, People, PlaceRule, Places, Range, Rule, Signers,
};
use crate::policy::v2;

/// What the shape has a word for.
const KINDS: [&str; 11] = [
    "TRANSFER",
    "CONTRACT_CALL",
    "APPROVE",
    "MINT",
    "BURN",
    "SUPPLY",
    "REDEEM",
    "STAKE",
    "RAW",
    "TYPED_MESSAGE",
    "PROGRAM_CALL",
];
/// Prints a rule; nothing if the shape has no words for it.
pub(in crate::policy) fn print(rule: &Rule) -> Option<Value> {
    let kind = rule.kinds.first()?;
    if !KINDS.contains(&kind.as_str()) {
        return None;
    }
    let extends = |kind: &str| rule.kinds.iter().skip(1).any(|other| other == kind);
    let asset = match &rule.assets.ids {
        AnyOf::All => "*",
        AnyOf::These(ids) => match ids.as_slice() {
            [one] => one,
            _ => return None,
        },
    };
    let range = rule.window.as_ref().map(|window| &window.range);
    let usual = Range {
        over: Amount::zero(),
        up_to: None,
        currency: AmountCurrency::Usd,
    };
    let range = match (range, &rule.amount) {
        (Some(_), Some(_)) => return None,
        (Some(range), None) | (None, Some(range)) => range,
        (None, None) => &usual,
    };
    if range.up_to.is_some() {
        return None;
    }
    let (action, approval, signers) = match &rule.action {
        Action::Block => ("BLOCK", None, &Signers::Initiator),
        Action::Go(None, signers) => ("ALLOW", None, signers),
        Action::Go(approval, signers) => ("2-TIER", approval.as_ref(), signers),
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("type", "TRANSFER".into());
    put("transactionType", kind.as_str().into());
    put("action", action.into());
    put("asset", asset.into());
    put("amountCurrency", v2::currency(range.currency).into());
    put("amount", range.over.to_string().into());
    put(
        "amountScope",
        if rule.window.is_some() {
            "TIMEFRAME"
        } else {
            "SINGLE_TX"
        }
        .into(),
    );
    let seconds = rule.window.as_ref().map_or(0, |window| window.seconds);
    put("periodSec", seconds.into());
    put(
        "operators",
        match &rule.initiators {
            Initiators::Anybody => json!({ "wildcard": "*" }),
            Initiators::These(people) => printed(people),
        },
    );
    put("src", printed_places(&rule.source)?);
    put("dst", printed_places(&rule.destination)?);
    put(
        "dstAddressType",
        match rule.address {
            AddressType::Any => "*",
            AddressType::Whitelisted => "WHITELISTED",
            AddressType::OneTime => "ONE_TIME",
        }
        .into(),
    );
    if let Some(nfts) = rule.assets.nfts {
        let word = if nfts { "NON_FUNGIBLE" } else { "FUNGIBLE" };
        put("allowedAssetTypes", word.into());
    }
    if kind == "CONTRACT_CALL" {
        put("applyForApprove", extends("APPROVE").into());
        put("applyForTypedMessage", extends("TYPED_MESSAGE").into());
    }
    if let Signers::Named(people) = signers {
        put("designatedSigners", printed(people));
    }
    if let Some(window) = &rule.window {
        put(
            "amountAggregation",
            json!({
                "operators": v2::matches(window.initiators),
                "srcTransferPeers": v2::matches(window.sources),
                "dstTransferPeers": v2::matches(window.destinations),
            }),
        );
    }
    if let Some(approval) = approval {
        let groups = approval.groups.iter().map(|group| {
            json!({"users": group.people.users, "usersGroups": group.people.groups, "th": group.threshold})
        });
        put(
            "authorizationGroups",
            json!({
                "logic": approval.logic.as_str(),
                "allowOperatorAsAuthorizer": approval.initiator_counts,
                "groups": groups.collect::<Vec<_>>(),
            }),
        );
    }
    Some(fields.into())
}

fn printed(people: &People) -> Value {
    json!({ "users": people.users, "usersGroups": people.groups })
}

fn printed_places(places: &Places) -> Option<Value> {
    let Places::These(list) = places else {
        return Some(json!({ "ids": [["*"]] }));
    };
    let print = |one: &PlaceRule| {
        if one.tag.is_some() || one.address.is_some() {
            return None;
        }
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        Some(json!([part(&one.id), part(&one.kind), part(&one.sub_type)]))
    };
    let ids: Option<Vec<Value>> = list.iter().map(print).collect();
    Some(json!({ "ids": ids? }))
}
