//! One page for an auditor: no script, nothing from elsewhere.

use gate::posture::Verdict;

use super::{Report, word};

const STYLE: &str = "body{font:15px/1.4 sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse;width:100%}\
    td,th{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}.b{background:#fdd}.h{background:#dfd}";

pub(super) fn of(report: &Report) -> String {
    let row = |one: &gate::posture::workspace::Judged| {
        let class = match one.verdict {
            Verdict::Held => "h",
            Verdict::Broken => "b",
            Verdict::CannotBeSeen => "u",
        };
        let todo = if one.verdict == Verdict::Broken {
            format!("{:?}: {}", one.severity, one.todo)
        } else {
            String::new()
        };
        format!(
            "<tr class=\"{class}\"><td>{}</td><td>{} {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&one.subject),
            one.practice,
            escaped(one.asks),
            word(one.verdict),
            escaped(&one.evidence),
            escaped(one.source),
            escaped(&todo)
        )
    };
    let rows: String = report.findings.iter().map(row).collect();
    let theirs: String = report
        .fireblocks
        .iter()
        .map(|one| {
            format!(
                "<li>{} {}: {}</li>",
                escaped(&one.severity),
                escaped(&one.status),
                escaped(&one.title)
            )
        })
        .chain(
            report
                .fireblocks_unseen
                .iter()
                .map(|why| format!("<li>not seen: {}</li>", escaped(why))),
        )
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>Posture of {0}</title><style>{STYLE}</style><h1>Posture of {0}</h1><table><tr><th>Whose<th>Practice<th>Verdict<th>Evidence<th>Source<th>What to do</tr>{rows}</table><h2>Fireblocks' own findings</h2><ul>{theirs}</ul></html>",
        escaped(&report.environment)
    )
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
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        let report = Report {
            environment: "<script>alert(1)</script>".to_owned(),
            findings: Vec::new(),
            fireblocks: Vec::new(),
            fireblocks_unseen: Some("\"><img src=x onerror='1'>".to_owned()),
        };
        let page = of(&report);
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{page}"
        );
    }
}
