//! How many webhooks a workspace has: none has a scope, each is told of everything.

use url::Url;

use super::practices::judged;
use super::{Hook, Seen, WORKSPACE};
use crate::posture::{Finding, Practice, Severity, Verdict};

/// Most webhooks that send: the client's own, a gate's, and one that takes another's place. Each one
/// more is one more that is told of every account. Fireblocks has room for 10.
const MOST: usize = 3;

/// Judges the webhooks.
pub(super) fn few(seen: &Seen) -> Finding {
    let (verdict, evidence) = match &seen.webhooks {
        Err(unseen) => (Verdict::CannotBeSeen, unseen.why.clone()),
        Ok(all) => count(all),
    };
    judged(
        Practice::C6Few,
        WORKSPACE,
        verdict,
        Severity::Medium,
        evidence,
    )
}

fn count(all: &[Hook]) -> (Verdict, String) {
    let sends: Vec<_> = all.iter().filter(|hook| hook.status == "ENABLED").collect();
    // A path may be a secret; where it goes is not.
    let mut hosts: Vec<_> = sends.iter().map(|hook| host(&hook.url)).collect();
    hosts.sort();
    hosts.dedup();
    let counted = format!("{} webhooks, of which {} send", all.len(), sends.len());
    let to = if hosts.is_empty() {
        String::new()
    } else {
        format!(", to {}", hosts.join(", "))
    };
    if sends.len() > MOST {
        let evidence = format!("{counted}{to}: more than {MOST}, and each is told of everything");
        (Verdict::Broken, evidence)
    } else {
        (Verdict::Held, counted + &to)
    }
}

fn host(url: &str) -> String {
    let host = Url::parse(url).ok();
    let host = host.as_ref().and_then(Url::host_str);
    host.unwrap_or("an address that is no URL").to_owned()
}
