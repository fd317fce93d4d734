//! Rules of the newer shape, printed.

use protocol::model::policy::{AmountCurrency, Matches};
use serde_json::{Value, json};

use crate::policy::rule::{
    Action, AddressType, AnyOf, Assets, Initiators, People, Places, Range, Rule, Signers, Window,
};

pub(in crate::policy) const fn currency(currency: AmountCurrency) -> &'static str {
    match currency {
        AmountCurrency::Usd => "USD",
        AmountCurrency::Eur => "EUR",
        AmountCurrency::Native => "NATIVE",
    }
}

pub(in crate::policy) const fn matches(matches: Matches) -> &'static str {
    match matches {
        Matches::PerSingleMatch => "PER_SINGLE_MATCH",
        Matches::AcrossAllMatches => "ACROSS_ALL_MATCHES",
    }
}

/// Prints a rule that was written in the older shape.
pub(in crate::policy) fn print(rule: &Rule, id: &str) -> Value {
    let kind = rule.kinds.first().map(String::as_str).unwrap_or_default();
    let mut fields = json!({
        "name": format!("{kind} {id}"),
        "id": id,
        "policyEngineVersion": "v2",
        "type": kind,
        "initiator": match &rule.initiators {
            Initiators::Anybody => "*".into(),
            Initiators::These(people) => {
                json!({"users": people.users, "groups": people.groups, "operator": "INCLUDES"})
            }
        },
        "asset": printed_assets(&rule.assets),
        "source": printed_places(&rule.source),
        "destination": printed_places(&rule.destination),
        "externalDescriptor": json!({ "id": id }).to_string(),
    });
    fields["destination"]["addressType"] = match rule.address {
        AddressType::Any => "*",
        AddressType::Whitelisted => "WHITELISTED",
        AddressType::OneTime => "ONE_TIME",
    }
    .into();
    if let Some(sub_type) = rule.kinds.get(1) {
        fields["subType"] = sub_type.as_str().into();
    }
    if let Some(amount) = &rule.amount {
        fields["amount"] = json!({
            "range": printed_range(amount),
            "currency": currency(amount.currency),
        });
    }
    if let Some(window) = &rule.window {
        fields["amountOverTime"] = over_time(window);
    }
    fields["verdict"] = match &rule.action {
        Action::Block => json!({ "action": "BLOCK" }),
        Action::Go(approval, signers) => {
            let (kind, people) = match signers {
                Signers::Initiator => ("INITIATOR", People::default()),
                Signers::Named(people) if people.users.len() == 1 && people.groups.is_empty() => {
                    ("SINGLE", people.clone())
                }
                Signers::Named(people) => ("MULTIPLE", people.clone()),
            };
            let signers = json!({"type": kind, "users": people.users, "groups": people.groups});
            match approval {
                None => json!({"action": "ALLOW", "designatedSigners": signers}),
                Some(approval) => {
                    let groups = approval.groups.iter().map(|group| {
                        let (users, groups) = (&group.people.users, &group.people.groups);
                        json!({"threshold": group.threshold, "users": users, "groups": groups})
                    });
                    json!({
                        "action": "2-TIER",
                        "approvers": {
                            "canInitiatorApprove": approval.initiator_counts,
                            "operator": approval.logic.as_str(),
                            "allowOperatorAsAuthorizer": approval.initiator_counts,
                            "approvalGroups": groups.collect::<Vec<_>>(),
                        },
                        "designatedSigners": signers,
                    })
                }
            }
        }
    };
    fields
}

/// A window, as the newer shape says it.
pub(in crate::policy) fn over_time(window: &Window) -> Value {
    json!({
        "range": printed_range(&window.range),
        "currency": currency(window.range.currency),
        "timePeriod": {
            "seconds": window.seconds.to_string(),
            "initiator": matches(window.initiators),
            "source": matches(window.sources),
            "destination": matches(window.destinations),
        },
    })
}

/// Without the ids where all are meant: the Python SDK reads no list of them.
fn printed_assets(assets: &Assets) -> Value {
    let mut printed = json!({ "nftTransfer": assets.nfts.unwrap_or_default() });
    if let AnyOf::These(ids) = &assets.ids {
        printed["assetTypes"] = json!(ids);
        printed["operator"] = "INCLUDES".into();
    }
    printed
}

fn printed_range(range: &Range) -> Value {
    let mut printed = json!({ "min": range.over });
    if let Some(most) = &range.up_to {
        printed["max"] = json!(most);
    }
    printed
}

fn printed_places(places: &Places) -> Value {
    let Places::These(list) = places else {
        return json!({"type": ["*"], "operator": "INCLUDES"});
    };
    let ids = list.iter().filter(|one| one.tag.is_none()).map(|one| {
        let mut printed = json!({ "type": one.kind.as_deref().unwrap_or("*") });
        for (name, part) in [
            ("id", &one.id),
            ("subType", &one.sub_type),
            ("address", &one.address),
        ] {
            if let Some(part) = part {
                printed[name] = part.as_str().into();
            }
        }
        printed
    });
    let tags = list.iter().filter_map(|one| one.tag.as_ref());
    json!({
        "ids": ids.collect::<Vec<_>>(),
        "tags": tags.map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        "operator": "INCLUDES",
    })
}
