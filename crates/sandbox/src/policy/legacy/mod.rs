//! Rules of the older shape (`PolicyRule` v1): read here, printed in [`print`].

mod print;

use protocol::amount::Amount;
use protocol::model::policy::{
    AmountAggregation, AmountScope, AuthorizationGroups, Matches, PolicyAction, PolicyPlaces,
    PolicyRule, PolicyUsers,
};
use protocol::objects;
use serde_json::Value;

use super::check::{Field, Problem};
use super::rule::{
    Action, AddressType, AnyOf, Approval, ApprovalGroup, Assets, Initiators, Logic, People,
    PlaceRule, Places, Range, Rule, Signers, Window,
};

pub(super) use print::print;

/// Longest time of a window, in seconds: a year.
pub(super) const MAX_SECONDS: u32 = 366 * 24 * 3_600;
/// What goes nowhere.
const WITHOUT_DESTINATION: [&str; 4] = ["RAW", "TYPED_MESSAGE", "BURN", "STAKE"];

/// A count or a number of seconds.
pub(super) fn whole(number: &Amount) -> Option<u32> {
    number.to_string().parse().ok()
}

/// Reads a rule; or everything that is wrong with it.
pub(super) fn read(written: &Value) -> Result<Rule, Vec<Problem>> {
    let rule: PolicyRule = objects::read(written)
        .map_err(|error| vec![Problem::new(Field::AmountAggregation, error.to_string())])?;
    let mut problems = Vec::new();
    let kind = rule.transaction_type.clone();
    let mut kinds = vec![kind.clone()];
    if kind == "CONTRACT_CALL" {
        let more = [
            ("APPROVE", rule.apply_for_approve),
            ("TYPED_MESSAGE", rule.apply_for_typed_message),
        ];
        kinds.extend(
            more.into_iter()
                .filter(|(_, applies)| *applies == Some(true))
                .map(|(kind, _)| kind.to_owned()),
        );
    }
    let mut wrong = |field, why: &str| problems.push(Problem::new(field, why));
    if rule.raw_message_signing.is_some() {
        wrong(
            Field::ContractMethods,
            "rules of single derivation paths are not served by this sandbox",
        );
    }
    let initiators = initiators(&rule).unwrap_or_else(|| {
        wrong(Field::Operators, "operators are required");
        Initiators::Anybody
    });
    let source = places(
        &rule.src,
        [&rule.src_id, &rule.src_type, &rule.src_sub_type],
    );
    let destination = places(
        &rule.dst,
        [&rule.dst_id, &rule.dst_type, &rule.dst_sub_type],
    );
    if source.is_none() {
        wrong(Field::Src, "src is required");
    }
    if destination.is_none() && !WITHOUT_DESTINATION.contains(&kind.as_str()) {
        wrong(Field::Dst, "dst is required");
    }
    let destination = destination.unwrap_or(Places::Anywhere);
    let address = match rule.dst_address_type.as_deref() {
        Some("ONE_TIME") => AddressType::OneTime,
        Some("*") => AddressType::Any,
        Some(_) => AddressType::Whitelisted,
        // Nothing said: lists alone, for what goes somewhere, unless the place itself is on none.
        None if WITHOUT_DESTINATION.contains(&kind.as_str()) || names_one_time(&destination) => {
            AddressType::Any
        }
        None => AddressType::Whitelisted,
    };
    if rule.amount.is_negative() {
        wrong(Field::AmountAggregation, "amount is at least 0");
    }
    let range = Range {
        over: rule.amount.clone(),
        up_to: None,
        currency: rule.amount_currency,
    };
    let seconds = whole(&rule.period_sec).filter(|seconds| *seconds <= MAX_SECONDS);
    let (amount, window) = match (rule.amount_scope, seconds) {
        (AmountScope::SingleTx, Some(0)) => (Some(range), None),
        (AmountScope::SingleTx, _) => {
            wrong(Field::AmountAggregation, "periodSec is 0 with SINGLE_TX");
            (Some(range), None)
        }
        (AmountScope::Timeframe, Some(seconds @ 1..)) => (
            None,
            Some(window(seconds, range, rule.amount_aggregation.as_ref())),
        ),
        (AmountScope::Timeframe, _) => {
            wrong(
                Field::AmountAggregation,
                "periodSec is from 1 to 31622400 with TIMEFRAME",
            );
            (Some(range), None)
        }
    };
    let signers = signers(&rule);
    let action = match rule.action {
        PolicyAction::Block => Action::Block,
        PolicyAction::Allow => Action::Go(None, signers),
        PolicyAction::TwoTier => match approval(&rule) {
            Ok(approval) => Action::Go(Some(approval), signers),
            Err(why) => {
                wrong(Field::AuthorizationGroups, why);
                Action::Block
            }
        },
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let ids = match rule.asset.as_str() {
        "*" => AnyOf::All,
        id => AnyOf::These(vec![id.to_owned()]),
    };
    Ok(Rule {
        kinds,
        initiators,
        assets: Assets {
            ids,
            nfts: match written.get("allowedAssetTypes").and_then(Value::as_str) {
                Some("FUNGIBLE") => Some(false),
                Some("NON_FUNGIBLE") => Some(true),
                _ => None,
            },
        },
        source: source.unwrap_or(Places::Anywhere),
        destination,
        address,
        amount,
        window,
        action,
    })
}

fn initiators(rule: &PolicyRule) -> Option<Initiators> {
    if let Some(named) = &rule.operators {
        return Some(if named.wildcard.is_some() {
            Initiators::Anybody
        } else {
            Initiators::These(people(named))
        });
    }
    let one = rule.operator.as_ref()?;
    Some(match one.as_str() {
        "*" => Initiators::Anybody,
        _ => Initiators::These(People {
            users: vec![one.clone()],
            groups: Vec::new(),
        }),
    })
}

fn people(named: &PolicyUsers) -> People {
    People {
        users: named.users.clone(),
        groups: named.users_groups.clone(),
    }
}

fn signers(rule: &PolicyRule) -> Signers {
    match (&rule.designated_signers, &rule.designated_signer) {
        (Some(named), _) if !named.users.is_empty() || !named.users_groups.is_empty() => {
            Signers::Named(people(named))
        }
        (_, Some(one)) => Signers::Named(People {
            users: vec![one.clone()],
            groups: Vec::new(),
        }),
        _ => Signers::Initiator,
    }
}

fn approval(rule: &PolicyRule) -> Result<Approval, &'static str> {
    let threshold = |number: &Amount| {
        whole(number)
            .filter(|th| *th > 0)
            .ok_or("th is a whole number of at least 1")
    };
    let of = |all: &AuthorizationGroups| {
        let groups = all.groups.iter().map(|group| {
            Ok(ApprovalGroup {
                people: People {
                    users: group.users.clone(),
                    groups: group.users_groups.clone(),
                },
                threshold: threshold(&group.th)?,
            })
        });
        Ok(Approval {
            logic: if all.logic == "OR" {
                Logic::Or
            } else {
                Logic::And
            },
            initiator_counts: all.allow_operator_as_authorizer,
            groups: groups.collect::<Result<_, &'static str>>()?,
        })
    };
    match (&rule.authorization_groups, &rule.authorizers) {
        (Some(all), _) if !all.groups.is_empty() => of(all),
        (_, Some(authorizers)) if !authorizers.is_empty() => Ok(Approval {
            logic: Logic::And,
            initiator_counts: false,
            groups: vec![ApprovalGroup {
                // Users or groups: an id names one of both.
                people: People {
                    users: authorizers.clone(),
                    groups: authorizers.clone(),
                },
                threshold: threshold(rule.authorizers_count.as_ref().unwrap_or(&one()))?,
            }],
        }),
        _ => Err("authorizationGroups are required with 2-TIER"),
    }
}

fn one() -> Amount {
    Amount::from_units(1, 0)
}

fn places(named: &Option<PolicyPlaces>, older: [&Option<String>; 3]) -> Option<Places> {
    if let Some(named) = named.as_ref().filter(|named| !named.ids.is_empty()) {
        return Some(places_of(named.ids.iter().map(Vec::as_slice)));
    }
    if older.iter().all(|part| part.is_none()) {
        return None;
    }
    let parts = older.map(|part| part.clone().unwrap_or_else(|| "*".to_owned()));
    Some(places_of(std::iter::once(parts.as_slice())))
}

fn places_of<'a>(lists: impl Iterator<Item = &'a [String]>) -> Places {
    let rules: Vec<_> = lists
        .map(|parts| {
            let part = |at: usize| parts.get(at).filter(|part| *part != "*").cloned();
            PlaceRule {
                id: part(0),
                kind: part(1),
                sub_type: part(2),
                ..PlaceRule::default()
            }
        })
        .collect();
    if rules.contains(&PlaceRule::default()) {
        Places::Anywhere
    } else {
        Places::These(rules)
    }
}

fn names_one_time(places: &Places) -> bool {
    let one_time = |one: &PlaceRule| one.kind.as_deref() == Some("ONE_TIME_ADDRESS");
    matches!(places, Places::These(list) if list.iter().any(one_time))
}

fn window(seconds: u32, range: Range, aggregation: Option<&AmountAggregation>) -> Window {
    let of = |part: fn(&AmountAggregation) -> Option<Matches>| {
        // As the guide's examples have it; nothing says what holds where nothing is said.
        aggregation
            .and_then(part)
            .unwrap_or(Matches::AcrossAllMatches)
    };
    Window {
        seconds,
        range,
        initiators: of(|all| all.operators),
        sources: of(|all| all.src_transfer_peers),
        destinations: of(|all| all.dst_transfer_peers),
    }
}
