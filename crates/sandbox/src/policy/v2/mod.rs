//! Rules of the newer shape (`PolicyRule` of *Policy Editor V2*): read here, printed in [`print`].

mod print;

use protocol::model::policy::AmountCurrency;
use protocol::model::policy_v2::{
    AccountConfig, AccountIdentifier, AmountRange, ApproversConfig, AssetConfig,
    DesignatedSignersConfig, Initiator, PolicyRuleV2,
};
use protocol::objects;
use serde::Deserialize;
use serde_json::{Value, json};

use super::check::{Field, Problem};
use super::legacy::{MAX_SECONDS, whole};
use super::rule::{
    Action, AddressType, AnyOf, Approval, ApprovalGroup, Assets, Initiators, Logic, People,
    PlaceRule, Places, Range, Rule, Signers, Window,
};

pub(super) use print::{currency, matches, over_time, print};

/// The policies that judge transactions.
pub(crate) const TYPES: [&str; 11] = [
    "TRANSFER",
    "STAKE",
    "CONTRACT_CALL",
    "TYPED_MESSAGE",
    "APPROVE",
    "MINT",
    "BURN",
    "RAW",
    "PROGRAM_CALL",
    "DEPLOYMENT",
    "UPGRADE",
];

/// A place that a client asks about: `{"id", "type"}`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Participant {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// Reads a rule, or everything that is wrong with it; nothing of one that judges no transactions.
pub(super) fn read(written: &Value) -> Result<Option<Rule>, Vec<Problem>> {
    let rule: PolicyRuleV2 = objects::read(written)
        .map_err(|error| vec![Problem::new(Field::AmountAggregation, error.to_string())])?;
    if !TYPES.contains(&rule.kind.as_str()) {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let mut wrong = |field, why: &str| problems.push(Problem::new(field, why));
    let is_free = |value: &Option<Value>| {
        value
            .as_ref()
            .is_none_or(|value| value.as_str() == Some("*"))
    };
    let any_program = json!({"allowedSolanaProgramCalls": "*"});
    if !is_free(&rule.method)
        || rule.derivation_path.is_some()
        || rule
            .program_call
            .as_ref()
            .is_some_and(|it| *it != any_program)
    {
        let why =
            "rules of single methods, programs or derivation paths are not served by this sandbox";
        wrong(Field::ContractMethods, why);
    }
    let mut kinds = vec![rule.kind.clone()];
    kinds.extend(rule.sub_type.clone().filter(|kind| *kind != rule.kind));
    let initiators = match &rule.initiator {
        Initiator::Wildcard(_) => Initiators::Anybody,
        Initiator::Named(named) => Initiators::These(People {
            users: named.users.clone(),
            groups: named.groups.clone(),
        }),
    };
    let amount = rule.amount.as_ref().map(|amount| {
        let currency = amount.currency.unwrap_or(AmountCurrency::Usd);
        range(&amount.range, currency)
    });
    let mut window = None;
    if let Some(over_time) = &rule.amount_over_time {
        let period = &over_time.time_period;
        match whole(&period.seconds).filter(|seconds| (1..=MAX_SECONDS).contains(seconds)) {
            None => wrong(
                Field::AmountAggregation,
                "timePeriod.seconds is from 1 to 31622400",
            ),
            Some(seconds) => {
                window = Some(Window {
                    seconds,
                    range: range(&over_time.range, over_time.currency),
                    initiators: period.initiator,
                    sources: period.source,
                    destinations: period.destination,
                });
            }
        }
    }
    let ranges = amount
        .iter()
        .chain(window.as_ref().map(|window| &window.range));
    for range in ranges {
        if range.over.is_negative() || range.up_to.as_ref().is_some_and(|most| *most < range.over) {
            wrong(
                Field::AmountAggregation,
                "min is at least 0 and at most max",
            );
        }
    }
    let signers = signers(rule.verdict.designated_signers.as_ref());
    let action = match rule.verdict.action.as_str() {
        "BLOCK" => Action::Block,
        "ALLOW" => Action::Go(None, signers),
        "2-TIER" => match approval(rule.verdict.approvers.as_ref()) {
            Ok(approval) => Action::Go(Some(approval), signers),
            Err(why) => {
                wrong(Field::AuthorizationGroups, why);
                Action::Block
            }
        },
        _ => {
            let why = "a transaction is allowed, blocked or approved in two tiers";
            wrong(Field::AuthorizationGroups, why);
            Action::Block
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let address = rule
        .destination
        .as_ref()
        .and_then(|to| to.address_type.as_deref());
    Ok(Some(Rule {
        kinds,
        initiators,
        assets: assets(rule.asset.as_ref()),
        source: places(Some(&rule.source)),
        destination: places(rule.destination.as_ref()),
        address: match address {
            Some("ONE_TIME") => AddressType::OneTime,
            Some("WHITELISTED") => AddressType::Whitelisted,
            _ => AddressType::Any,
        },
        amount,
        window,
        action,
    }))
}

fn range(range: &AmountRange, currency: AmountCurrency) -> Range {
    Range {
        over: range.min.clone(),
        up_to: range.max.clone(),
        currency,
    }
}

fn assets(asset: Option<&AssetConfig>) -> Assets {
    let Some(asset) = asset else {
        return Assets {
            ids: AnyOf::All,
            nfts: None,
        };
    };
    let ids = asset.asset_types.clone().unwrap_or_default();
    let all = ids.is_empty() || ids.iter().any(|id| id == "*");
    Assets {
        ids: if all { AnyOf::All } else { AnyOf::These(ids) },
        nfts: Some(asset.nft_transfer),
    }
}

fn approval(approvers: Option<&ApproversConfig>) -> Result<Approval, &'static str> {
    let approvers = approvers
        .filter(|approvers| !approvers.approval_groups.is_empty())
        .ok_or("approvalGroups are required with 2-TIER")?;
    let groups = approvers.approval_groups.iter().map(|group| {
        let threshold = whole(&group.threshold).filter(|threshold| *threshold > 0);
        Ok(ApprovalGroup {
            people: People {
                users: group.users.clone(),
                groups: group.groups.clone(),
            },
            threshold: threshold.ok_or("threshold is a whole number of at least 1")?,
        })
    });
    Ok(Approval {
        logic: match approvers.operator.as_deref() {
            Some("OR") => Logic::Or,
            _ => Logic::And,
        },
        initiator_counts: approvers.can_initiator_approve || approvers.allow_operator_as_authorizer,
        groups: groups.collect::<Result<_, &'static str>>()?,
    })
}

fn signers(named: Option<&DesignatedSignersConfig>) -> Signers {
    match named {
        Some(named) if named.kind != "INITIATOR" => Signers::Named(People {
            users: named.users.clone(),
            groups: named.groups.clone(),
        }),
        _ => Signers::Initiator,
    }
}

/// Whether any place is meant.
fn is_any(kind: &str) -> bool {
    matches!(kind, "*" | "ANY")
}

fn places(account: Option<&AccountConfig>) -> Places {
    let Some(account) = account else {
        return Places::Anywhere;
    };
    let by_kind = |kind: &String| {
        place(&AccountIdentifier {
            kind: kind.clone(),
            ..AccountIdentifier::default()
        })
    };
    let by_tag = account.tags.iter().map(|tag| PlaceRule {
        tag: Some(tag.id.clone()),
        ..PlaceRule::default()
    });
    let named = account.sub_type.iter().chain(&account.ids).map(place);
    let rules: Vec<_> = account
        .kinds
        .iter()
        .map(by_kind)
        .chain(named)
        .chain(by_tag)
        .collect();
    if rules.is_empty() || rules.contains(&PlaceRule::default()) {
        Places::Anywhere
    } else {
        Places::These(rules)
    }
}

fn place(account: &AccountIdentifier) -> PlaceRule {
    let some = |text: &Option<String>| text.clone().filter(|text| !is_any(text));
    let (kind, sub_type) = match account.kind.as_str() {
        kind if is_any(kind) => (None, some(&account.sub_type)),
        // What the newer shape gives types of their own.
        kind @ ("INTERNAL" | "EXTERNAL" | "CONTRACT") => {
            (Some("UNMANAGED".to_owned()), Some(kind.to_owned()))
        }
        kind => (Some(kind.to_owned()), some(&account.sub_type)),
    };
    PlaceRule {
        kind,
        sub_type,
        id: some(&account.id),
        address: some(&account.address),
        tag: None,
    }
}
