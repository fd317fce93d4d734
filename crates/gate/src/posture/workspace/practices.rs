//! What each practice asks of a workspace's users, and a judgement of one.

use crate::posture::{Finding, Practice, Severity, Verdict};
use Practice::{C1, C2, C3, C3Used, C4, C5, C6, C6Few, C7};

/// Each practice that is judged of every user.
pub(super) const PRACTICES: [Practice; 8] = [C1, C2, C3, C3Used, C4, C5, C6, C7];

/// What each practice asks for, where it is seen, and what mends it.
const fn about(practice: Practice) -> [&'static str; 3] {
    match practice {
        C1 => [
            "third parties are Viewer or Editor only",
            "GET /management/api_users",
            "in the Console, delete the API user and add one of the role Viewer or Editor",
        ],
        C2 => [
            "the key is the third party's own, only its CSR travels",
            "the CSR that was handed over",
            "ask the third party how its key was made; enrol a new one by CSR",
        ],
        C3 => [
            "a key of its own for each third party",
            "the CSRs that were handed over",
            "compare the fingerprints of all CSRs; enrol a new key where two are the same",
        ],
        C3Used => [
            "a key that is used",
            "the Console's transaction history",
            "ask the third party whether it still needs the key, and for what; delete the API user, or add a Viewer in its place",
        ],
        C4 => [
            "an IP allow-list on the key",
            "GET /management/api_users/{userId}/whitelist_ip_addresses",
            "in the Console, put the addresses that the third party calls from on the user's list",
        ],
        C5 => [
            "the first sync comes from reports",
            "the third party's own word",
            "ask the third party to begin with reports",
        ],
        C6 => [
            "webhooks instead of polling",
            "the third party's own word",
            "make a webhook for the third party",
        ],
        C6Few => [
            "few webhooks: each is told of the whole workspace",
            "GET /webhooks",
            "in the Console, delete the webhooks that nobody needs; a gate needs one, and tells each provider what its scope covers",
        ],
        C7 => [
            "no signing right; people approve before anything is signed",
            "GET /policy/active_policy",
            "put a rule for this API user before the one that lets it through, with your approvers",
        ],
    }
}

pub(super) fn judged(
    practice: Practice,
    subject: &str,
    verdict: Verdict,
    severity: Severity,
    evidence: String,
) -> Finding {
    let what = (practice, about(practice));
    Finding::new(what, subject, verdict, severity, evidence)
}

/// What nothing that was seen tells.
pub(super) fn untold(practice: Practice, name: &str, why: &str) -> Finding {
    let evidence = why.to_owned();
    judged(
        practice,
        name,
        Verdict::CannotBeSeen,
        Severity::Medium,
        evidence,
    )
}
