//! One practice of somebody's, judged: of a connection, and of a workspace's own users alike.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What is asked of whoever lets a provider in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Practice {
    /// Viewer or Editor, nothing more.
    C1,
    /// The key is the provider's own.
    C2,
    /// A key of its own for each provider.
    C3,
    /// A key that is used.
    #[serde(rename = "C3-used")]
    C3Used,
    /// An IP allow-list.
    C4,
    /// Reports first.
    C5,
    /// Webhooks instead of polling.
    C6,
    /// Few webhooks, of a workspace.
    #[serde(rename = "C6-few")]
    C6Few,
    /// People approve before anything is signed.
    C7,
}

impl Practice {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::C1,
        Self::C2,
        Self::C3,
        Self::C3Used,
        Self::C4,
        Self::C5,
        Self::C6,
        Self::C6Few,
        Self::C7,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::C1 => "C1",
            Self::C2 => "C2",
            Self::C3 => "C3",
            Self::C3Used => "C3-used",
            Self::C4 => "C4",
            Self::C5 => "C5",
            Self::C6 => "C6",
            Self::C6Few => "C6-few",
            Self::C7 => "C7",
        }
    }
}

impl fmt::Display for Practice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a practice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is kept.
    Held,
    /// It is not.
    Broken,
    /// Nobody here can tell.
    CannotBeSeen,
}

/// How bad it is where a practice is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look.
    Low,
    /// To be mended.
    Medium,
    /// To be mended today.
    High,
}

impl Severity {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One practice of one connection, of one user, or of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which.
    pub practice: Practice,
    /// Whose.
    pub subject: String,
    /// What it asks for.
    pub asks: Cow<'static, str>,
    /// How it stands.
    pub verdict: Verdict,
    /// How bad, where it is broken.
    pub severity: Severity,
    /// What was seen, or why nothing was.
    pub evidence: String,
    /// Where it was seen.
    pub source: Cow<'static, str>,
    /// What to do.
    pub todo: Cow<'static, str>,
}

impl Finding {
    /// Judged so, of whom; with what the practice asks for, where it is seen, and what mends it.
    pub(super) fn new(
        (practice, [asks, source, todo]): (Practice, [&'static str; 3]),
        subject: &str,
        verdict: Verdict,
        severity: Severity,
        evidence: String,
    ) -> Self {
        Self {
            practice,
            subject: subject.to_owned(),
            asks: asks.into(),
            verdict,
            severity,
            evidence,
            source: source.into(),
            todo: todo.into(),
        }
    }
}
