//! A proposal in words: every field that would be sent, who decided, and what upstream says. All of
//! it comes from outside; each value is one line that shows as it is. Pure.

use gate::connections::Place;
use gate::proposals::Proposal;
use protocol::model::transaction::AuthorizationInfo;
use protocol::time::Millis;
use serde_json::Value;

use super::Shown;
use crate::output::printable;

/// The proposal, for whoever decides.
pub(super) fn told(one: &Shown) -> String {
    let proposal = &one.proposal;
    let mut lines = vec![
        line("id", proposal.id),
        line("connection", &proposal.connection),
        line("state", proposal.state.as_str()),
        line("approved", place(proposal.place)),
        line("made", at(proposal.created_at)),
        line("changed", at(proposal.updated_at)),
        "sent up, once approved:".to_owned(),
    ];
    lines.extend(fields(one));
    let own = proposal.transfer.external_tx_id.as_deref();
    lines.push(line("its own id", own.unwrap_or("none")));
    lines.push(line("digest", &one.digest));
    lines.extend(decided(proposal));
    if let Some(probe) = &proposal.probe {
        let expects = probe.expects.iter().map(ToString::to_string);
        lines.push(line("expects", expects.collect::<Vec<_>>().join(" ")));
        if let Some(judged) = &probe.judged {
            lines.push(line("policy", &judged.saw));
        }
        if let Some(ended) = probe.ended {
            lines.push(line("ended", ended.as_str()));
        }
    }
    if let Some(info) = &proposal.approved_upstream {
        lines.extend(upstream(info));
    }
    if let Some(id) = proposal.upstream_id {
        lines.push(line("upstream id", id));
    }
    if let Some(why) = &proposal.why {
        lines.push(line("why", why));
    }
    if let Some(told) = &proposal.told {
        lines.push(line("it is told", told));
    }
    lines.join("\n")
}

fn line(name: &str, value: impl ToString) -> String {
    format!("{name:<12}{}", printable(&value.to_string()))
}

/// The body that goes up, field by field: taken from its JSON, so that none can be left out.
fn fields(one: &Shown) -> Vec<String> {
    let body = serde_json::to_value(one.proposal.upstream_body()).unwrap_or_default();
    let Value::Object(fields) = body else {
        return Vec::new();
    };
    let name = |field: &str| match field {
        "source" => one.names.source.as_deref(),
        "destination" => one.names.destination.as_deref(),
        _ => None,
    };
    fields
        .iter()
        .map(|(field, value)| {
            let name = name(field).map(|name| format!(" ({name})"));
            let text = format!("{}{}", words(value), name.unwrap_or_default());
            format!("  {field:<20}{}", printable(&text))
        })
        .collect()
}

/// A value without the marks of JSON: a place is its kind and its id.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields.values().map(words).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Gate => "at the gate, by an operator, before it goes up",
        Place::Fireblocks => "at Fireblocks: it goes up at once, and waits there",
    }
}

fn at(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// Who decided here.
fn decided(proposal: &Proposal) -> Option<String> {
    let decision = proposal.decision.as_ref()?;
    let text = format!(
        "by {} at {}, signed {}",
        decision.operator,
        at(decision.at),
        decision.signature
    );
    Some(line("decided", text))
}

/// Who approved upstream, in the workspace's own words.
fn upstream(info: &AuthorizationInfo) -> Vec<String> {
    let groups = info.groups.iter().map(|group| {
        let users = group
            .users
            .iter()
            .map(|(user, said)| format!("{user} {said}"));
        let users: Vec<_> = users.collect();
        line("", format!("{} of: {}", group.th, users.join(", ")))
    });
    let own = if info.allow_operator_as_authorizer {
        "the initiator's own approval counts"
    } else {
        "the initiator's own approval does not count"
    };
    let first = line(
        "upstream",
        format!("approved ({} over groups; {own})", info.logic),
    );
    std::iter::once(first).chain(groups).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown() -> Value {
        json!({
            "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "connection": "acme", "asset": "ETH",
            "transfer": {
                "operation": "TRANSFER", "assetId": "ETH", "amount": "1.5",
                "source": {"type": "VAULT_ACCOUNT", "id": "1"},
                "destination": {"type": "EXTERNAL_WALLET", "id": "00000000-0000-0000-0000-000000000005"},
                "note": "invoice 7", "externalTxId": "acme-7", "feeLevel": "HIGH", "treatAsGrossAmount": true,
            },
            "place": "gate", "state": "APPROVED", "created_at": 0, "updated_at": 1000,
            "decision": {"operator": "owner", "at": 1000, "signature": "c2ln"},
            "digest": "d1g357", "names": {"source": "Treasury", "destination": "Broker"},
        })
    }

    fn text(value: Value) -> String {
        told(&serde_json::from_value(value).expect("a proposal"))
    }

    #[test]
    fn every_field_that_would_be_sent_is_told() {
        let text = text(shown());
        for line in [
            "  operation           TRANSFER",
            "  assetId             ETH",
            "  amount              1.5",
            "  source              VAULT_ACCOUNT 1 (Treasury)",
            "  destination         EXTERNAL_WALLET 00000000-0000-0000-0000-000000000005 (Broker)",
            "  note                invoice 7",
            "  externalTxId        vestibule-6ba7b810-9dad-41d1-80b4-00c04fd430c8",
            "  feeLevel            HIGH",
            "  treatAsGrossAmount  true",
            "its own id  acme-7",
            "approved    at the gate, by an operator, before it goes up",
            "decided     by owner at 1970-01-01T00:00:01Z, signed c2ln",
            "digest      d1g357",
        ] {
            assert!(
                text.lines().any(|one| one == line),
                "{text}\nwithout: {line}"
            );
        }
    }

    #[test]
    fn what_upstream_says_is_told() {
        let mut sent = shown();
        sent["place"] = json!("fireblocks");
        sent["upstream_id"] = json!("6ba7b810-9dad-41d1-80b4-00c04fd430c9");
        sent["approved_upstream"] = json!({"logic": "AND", "groups": [{"th": 1, "users": {"u-1": "APPROVED", "u-2": "NA"}}]});
        let text = text(sent);
        for words in [
            "1 of: u-1 APPROVED, u-2 NA",
            "(AND over groups",
            "430c9",
            "at Fireblocks",
        ] {
            assert!(text.contains(words), "{text}\nwithout: {words}");
        }
    }

    /// A note is the provider's: it writes no lines, and turns none around.
    #[test]
    fn what_a_provider_writes_stays_in_its_line() {
        let mut evil = shown();
        evil["transfer"]["note"] = json!("ok\namount      0.1\u{202e}\u{1b}[2J");
        evil["names"]["destination"] = json!("Bank\nstate       SENT");
        let (plain, evil) = (text(shown()), text(evil));
        assert_eq!(plain.lines().count(), evil.lines().count());
        assert!(
            evil.contains(r"ok\namount      0.1\u202e\u001b[2J"),
            "{evil}"
        );
    }
}
