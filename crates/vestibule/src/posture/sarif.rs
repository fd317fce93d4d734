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
            "invocations": [{
                "executionSuccessful": report.failed.is_empty(),
                "endTimeUtc": report.as_of,
                "toolExecutionNotifications": report.failed.iter().map(failure).collect::<Vec<_>>(),
            }],
            "results": report.findings.iter().map(|one| result(report, one)).collect::<Vec<_>>(),
        }],
    })
}

fn failure(why: &String) -> Value {
    json!({"level": "error", "message": {"text": why}})
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

#[cfg(test)]
mod tests {
    use gate::posture::workspace::{Seen, judge};

    use super::*;

    #[test]
    fn a_run_says_when_it_was_and_what_it_failed_at() {
        for failed in [vec![], vec!["no route".to_owned()]] {
            let report = Report {
                environment: "here".to_owned(),
                as_of: "2026-09-18T12:00:00Z".to_owned(),
                failed: failed.clone(),
                findings: judge(&Seen::nothing("no key"), &[]),
                standings: BTreeMap::new(),
                theirs: None,
            };
            let run = &of(&report)["runs"][0]["invocations"][0];
            assert_eq!(run["endTimeUtc"], "2026-09-18T12:00:00Z");
            assert_eq!(run["executionSuccessful"], failed.is_empty());
            let told = &run["toolExecutionNotifications"];
            assert_eq!(told.as_array().map(Vec::len), Some(failed.len()));
            let of_first = &told[0]["message"]["text"];
            assert_eq!(of_first.as_str(), failed.first().map(String::as_str));
        }
    }
}
