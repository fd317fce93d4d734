//! SARIF 2.1.0 (OASIS): a rule a practice, a result a finding.

use std::collections::BTreeMap;

use gate::posture::{Finding, Severity, Verdict};
use serde_json::{Value, json};

use super::report::Report;

pub(super) fn of(report: &Report) -> Value {
    // What mends a practice depends on whose it is.
    let mut rules: BTreeMap<_, (&str, Vec<&str>)> = BTreeMap::new();
    for one in &report.findings {
        let (_, todos) = rules.entry(one.practice).or_insert((&one.asks, Vec::new()));
        if !todos.contains(&one.todo.as_ref()) {
            todos.push(&one.todo);
        }
    }
    let rules = rules.iter().map(|(practice, (asks, todos))| {
        json!({
            "id": practice,
            "shortDescription": {"text": asks},
            "help": {"text": todos.join("; or: ")},
        })
    });
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "vestibule posture",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "results": report.findings.iter().map(|one| result(report, one)).collect::<Vec<_>>(),
        }],
    })
}

fn result(report: &Report, one: &Finding) -> Value {
    let (kind, level) = match (one.verdict, one.severity) {
        (Verdict::Held, _) => ("pass", "none"),
        (Verdict::CannotBeSeen, _) => ("open", "none"),
        (Verdict::Broken, Severity::High) => ("fail", "error"),
        (Verdict::Broken, Severity::Medium) => ("fail", "warning"),
        (Verdict::Broken, Severity::Low) => ("fail", "note"),
    };
    json!({
        "ruleId": one.practice,
        "kind": kind,
        "level": level,
        "message": {"text": format!("{}: {}", one.subject, one.evidence)},
        "locations": [{"logicalLocations": [{
            "name": one.subject,
            "fullyQualifiedName": format!("{}/{}", report.environment, one.subject),
            "kind": "resource",
        }]}],
        "properties": {"source": one.source, "severity": one.severity, "todo": one.todo},
    })
}
