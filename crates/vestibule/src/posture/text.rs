//! Findings for people.

use gate::posture::Verdict;

use super::report::Report;
use crate::output::printable;

pub(super) fn of(report: &Report) -> String {
    let mut lines = Vec::new();
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
        if one.verdict == Verdict::Broken {
            lines.push(format!("     {:?}: {}", one.severity, printable(&one.todo)));
        }
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

pub(super) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::Broken => "BROKEN",
        Verdict::CannotBeSeen => "unseen",
    }
}
