//! Findings for people.

use gate::posture::{Finding, Verdict};

use super::report::Report;
use crate::output::printable;

pub(super) fn of(report: &Report) -> String {
    let mut lines = vec![printable(&format!(
        "Posture of {}, as of {}",
        report.environment, report.as_of
    ))];
    let mut subject = None;
    for one in &report.findings {
        if subject != Some(&one.subject) {
            subject = Some(&one.subject);
            let standing = report.standings.get(&one.subject);
            let standing = standing.map(|standing| format!(" ({standing})"));
            lines.push(printable(&one.subject) + &printable(&standing.unwrap_or_default()));
        }
        lines.push(format!(
            "  {:7} {:6} {}: {}",
            one.practice,
            word(one.verdict),
            printable(&one.asks),
            printable(&one.evidence)
        ));
        lines.push(format!("          source: {}", printable(&one.source)));
        let severity = one.severity.as_str();
        lines.push(format!("          {severity}: {}", printable(&todo(one))));
    }
    if let Some(theirs) = &report.theirs {
        lines.push("Fireblocks' own findings".to_owned());
        let found = theirs.fireblocks.iter();
        lines
            .extend(found.map(|one| {
                printable(&format!("  {} {}: {}", one.severity, one.status, one.title))
            }));
        let unseen = theirs.fireblocks_unseen.iter();
        lines.extend(unseen.map(|why| printable(&format!("  unseen: {why}"))));
    }
    lines.join("\n")
}

/// What to do, and when.
pub(super) fn todo(one: &Finding) -> String {
    match one.verdict {
        Verdict::Broken => one.todo.to_string(),
        Verdict::Held => format!("nothing; were it broken: {}", one.todo),
        Verdict::CannotBeSeen => format!("find out; if it is broken: {}", one.todo),
    }
}

pub(super) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::Broken => "BROKEN",
        Verdict::CannotBeSeen => "unseen",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gate::posture::workspace::{Handed, Seen, judge};

    use super::*;

    #[test]
    fn each_finding_says_where_it_was_seen_how_bad_it_is_and_what_to_do() {
        let mut seen = Seen::nothing("no key");
        let handed = |fingerprint: Option<&str>| Handed {
            fingerprint: fingerprint.map(str::to_owned),
            evidence: "seen".to_owned(),
        };
        seen.handed.insert("acme".to_owned(), handed(Some("aa")));
        seen.handed.insert("dodgy".to_owned(), handed(None));
        let report = Report {
            environment: "here".to_owned(),
            as_of: "2026-09-18T12:00:00Z".to_owned(),
            failed: Vec::new(),
            findings: judge(&seen, &[]),
            standings: BTreeMap::new(),
            theirs: None,
        };
        let told = of(&report);
        assert!(
            told.starts_with("Posture of here, as of 2026-09-18T12:00:00Z\nacme\n"),
            "{told}"
        );
        let todo = "ask the third party how its key was made";
        for line in [
            "  C2      held   the key is the third party's own, only its CSR travels: seen\n          source: the CSR that was handed over\n".to_owned(),
            format!("          high: nothing; were it broken: {todo}"),
            format!("          high: {todo}"),
            "          low: find out; if it is broken: ask the third party whether it still needs".to_owned(),
        ] {
            assert!(told.contains(&line), "{line}\n{told}");
        }
        let sources = told.matches("          source: ").count();
        assert_eq!(sources, report.findings.len());
    }
}
