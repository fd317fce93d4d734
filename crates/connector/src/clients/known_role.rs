//! What was last known of a key's role: kept, so that it can be told while nobody can be asked.

use protocol::role::Role;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::client_name::ClientName;
use crate::compare::iso;
use crate::role_check::RoleSeen;
use crate::{Connector, Error};
use sync::roles::{Answered, Judgement, Observation};

/// What was known of a key's role at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRole {
    /// When upstream was asked.
    pub at: Millis,
    /// What it came to.
    pub verdict: Verdict,
    /// What the key can be: one role where that is proven.
    pub among: Vec<Role>,
    /// How it is known, in a sentence.
    pub how: String,
}

/// What the look at a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is a Viewer's or an Editor's, and nothing else.
    Proven,
    /// It can do more than it should.
    TooMuch,
    /// Reading cannot tell.
    CannotBeSeen,
}

impl KnownRole {
    /// What upstream told; nothing where none of its answers did: an outage is no news of a role.
    pub fn of(seen: &RoleSeen, at: Millis) -> Option<Self> {
        let silent = seen.observations.iter().all(|seen| {
            matches!(
                seen,
                Observation::Read {
                    answered: Answered::Unclear,
                    ..
                }
            )
        });
        let (verdict, among) = split(&seen.judgement);
        (!silent).then(|| Self {
            at,
            verdict,
            among,
            how: seen.how.clone(),
        })
    }

    /// In words: as it is now, or as it was when upstream was last asked.
    pub fn told(&self, now: bool) -> String {
        if now {
            return words(self.verdict, &self.among, &self.how);
        }
        let how = format!("last asked {}, not now; {}", iso(self.at), self.how);
        words(self.verdict, &self.among, &how)
    }
}

/// What was seen just now, in words.
pub fn told(seen: &RoleSeen) -> String {
    let (verdict, among) = split(&seen.judgement);
    words(verdict, &among, &seen.how)
}

/// Keeps what was seen of a client's key.
pub(crate) async fn remember(
    connector: &Connector,
    client: &ClientName,
    seen: &RoleSeen,
) -> Result<Option<KnownRole>, Error> {
    let known = KnownRole::of(seen, connector.now());
    if let Some(known) = known.clone() {
        let change = move |progress: &mut super::Progress| progress.role = Some(known.clone());
        connector.clients().progress(client, change).await?;
    }
    Ok(known)
}

fn split(judgement: &Judgement) -> (Verdict, Vec<Role>) {
    match judgement {
        Judgement::Proven { role } => (Verdict::Proven, vec![role.role()]),
        Judgement::TooMuch { among } => (Verdict::TooMuch, among.clone()),
        Judgement::CannotBeSeen { among } => (Verdict::CannotBeSeen, among.clone()),
    }
}

fn words(verdict: Verdict, among: &[Role], how: &str) -> String {
    let names: Vec<_> = among.iter().map(|role| role.as_str()).collect();
    let names = if names.is_empty() {
        "no role that there is".to_owned()
    } else {
        names.join(", ")
    };
    match verdict {
        Verdict::Proven => format!("role {names} (proven): {how}"),
        Verdict::TooMuch => format!(
            "TOO MUCH: the key can do more than a Viewer or Editor (it is one of: {names}), ask the client for another: {how}"
        ),
        Verdict::CannotBeSeen => {
            format!("role cannot be seen (as far as reading can tell one of: {names}): {how}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::role::ProviderRole;
    use sync::roles::judge;

    fn seen(observations: Vec<Observation>) -> RoleSeen {
        RoleSeen {
            judgement: judge(&observations),
            observations,
            how: "by reading".to_owned(),
        }
    }

    fn read(operation: &'static str, answered: Answered) -> Observation {
        Observation::Read {
            operation,
            answered,
        }
    }

    #[test]
    fn the_role_and_the_verdict_are_said() {
        let role = ProviderRole::Viewer;
        let viewer = seen(vec![Observation::Gate { role }]);
        let known = KnownRole::of(&viewer, Millis(1_790_000_000_000)).expect("known");
        assert_eq!(known.told(true), "role VIEWER (proven): by reading");
        assert_eq!(
            known.told(false),
            "role VIEWER (proven): last asked 2026-09-21T14:13:20Z, not now; by reading"
        );
        let signer = seen(vec![
            read("getInternalWallets", Answered::Allowed),
            read("getSupportedAssets", Answered::Allowed),
            read("getUsers", Answered::Forbidden),
            read("getApprovals", Answered::Allowed),
        ]);
        let told = told(&signer);
        assert!(
            told.starts_with("TOO MUCH: ") && told.contains("SIGNER"),
            "{told}"
        );
    }

    #[test]
    fn an_outage_is_no_news_of_a_role() {
        let nothing = seen(vec![
            read("getUsers", Answered::Unclear),
            read("getWebhooks", Answered::Unclear),
        ]);
        assert_eq!(KnownRole::of(&nothing, Millis(0)), None);
        let little = seen(vec![
            read("getUsers", Answered::Unclear),
            read("getWebhooks", Answered::Forbidden),
        ]);
        let known = KnownRole::of(&little, Millis(0)).expect("something");
        assert_eq!(known.verdict, Verdict::CannotBeSeen);
    }
}
