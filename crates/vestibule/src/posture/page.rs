//! One page for an auditor: no script, nothing from elsewhere.

use gate::posture::{Finding, Verdict};

use super::report::{Fireblocks, Report};
use super::text::{todo, word};

const STYLE: &str = "body{font:15px/1.4 sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse;width:100%}\
    td,th{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}.b{background:#fdd}.h{background:#dfd}";

pub(super) fn of(report: &Report) -> String {
    let row = |one: &Finding| {
        let class = match one.verdict {
            Verdict::Held => "h",
            Verdict::Broken => "b",
            Verdict::CannotBeSeen => "u",
        };
        format!(
            "<tr class=\"{class}\"><td>{}</td><td>{} {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&whose(report, one)),
            one.practice,
            escaped(&one.asks),
            word(one.verdict),
            one.severity.as_str(),
            escaped(&one.evidence),
            escaped(&one.source),
            escaped(&todo(one))
        )
    };
    let rows: String = report.findings.iter().map(row).collect();
    let theirs = report.theirs.as_ref().map(own).unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>Posture of {0}</title><style>{STYLE}</style><h1>Posture of {0}</h1><p>As of {1}</p><table><tr><th>Whose<th>Practice<th>Verdict<th>Severity<th>Evidence<th>Source<th>What to do</tr>{rows}</table>{theirs}</html>",
        escaped(&report.environment),
        escaped(&report.as_of)
    )
}

/// Whose it is, and how far a connection is.
fn whose(report: &Report, one: &Finding) -> String {
    match report.standings.get(&one.subject) {
        Some(standing) => format!("{} ({standing})", one.subject),
        None => one.subject.clone(),
    }
}

/// Fireblocks' own findings.
fn own(theirs: &Fireblocks) -> String {
    let found = theirs
        .fireblocks
        .iter()
        .map(|one| format!("{} {}: {}", one.severity, one.status, one.title));
    let unseen = theirs.fireblocks_unseen.iter();
    let rows: String = found
        .chain(unseen.map(|why| format!("not seen: {why}")))
        .map(|row| format!("<li>{}</li>", escaped(&row)))
        .collect();
    format!("<h2>Fireblocks' own findings</h2><ul>{rows}</ul>")
}

/// Text, as it may stand anywhere in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gate::posture::workspace::{Seen, judge};

    use super::*;

    #[test]
    fn each_row_says_how_bad_it_is_and_what_to_do_and_the_page_of_when_it_is() {
        let report = Report {
            environment: "here".to_owned(),
            as_of: "2026-09-18T12:00:00Z".to_owned(),
            failed: Vec::new(),
            findings: judge(&Seen::nothing("no key"), &[]),
            standings: BTreeMap::new(),
            theirs: None,
        };
        let page = of(&report);
        assert!(page.contains("<p>As of 2026-09-18T12:00:00Z</p>"), "{page}");
        assert_eq!(
            page.matches("<td>unseen</td><td>").count(),
            report.findings.len()
        );
        for words in [
            "<td>unseen</td><td>high</td><td>no key</td>",
            "<td>find out; if it is broken: in the Console, delete the API user",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }

    #[test]
    fn a_name_is_no_markup() {
        let report = Report {
            environment: "<script>alert(1)</script>".to_owned(),
            as_of: "<script>".to_owned(),
            failed: Vec::new(),
            findings: Vec::new(),
            standings: BTreeMap::new(),
            theirs: Some(Fireblocks {
                fireblocks: Vec::new(),
                fireblocks_unseen: Some("\"><img src=x onerror='1'>".to_owned()),
            }),
        };
        let page = of(&report);
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{page}"
        );
    }
}
