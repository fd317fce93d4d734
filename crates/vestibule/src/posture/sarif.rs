//! SARIF 2.1.0 (OASIS): a rule a practice, a result a finding.

use gate::posture::Verdict;
use gate::posture::workspace::{Judged, Severity};
use serde_json::{Value, json};

use super::Report;

pub(super) fn of(report: &Report) -> Value {
    let mut rules: Vec<&Judged> = Vec::new();
    for one in &report.findings {
        if !rules.iter().any(|rule| rule.practice == one.practice) {
            rules.push(one);
        }
    }
    rules.sort_by_key(|rule| rule.practice);
    let rule = |one: &&Judged| {
        json!({
            "id": one.practice,
            "shortDescription": {"text": one.asks},
            "help": {"text": one.todo},
        })
    };
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "vestibule posture",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            "results": report.findings.iter().map(|one| result(report, one)).collect::<Vec<_>>(),
        }],
    })
}

fn result(report: &Report, one: &Judged) -> Value {
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
        "properties": {"source": one.source},
    })
}
