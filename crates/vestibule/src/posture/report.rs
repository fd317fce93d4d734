//! What was found, of a workspace or of a gate's connections, and how it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::ValueEnum;
use gate::posture::workspace::Theirs;
use gate::posture::{Finding, Practice, Severity, Verdict};
use serde::Serialize;
use wire::clock::{SystemClock, WallClock};

use super::{page, sarif, text};
use crate::output::{Output, note};

/// How findings are told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct How {
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit code 1 where something this bad or worse is broken, or the look itself failed.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Exit code 1 where a practice cannot be seen: any, or one of these (=C1,C4,C7), or the look itself
    /// failed. Without a gate nothing tells C5 and C6 of an API user.
    #[arg(
        long,
        value_name = "PRACTICE",
        value_parser = practice,
        num_args = 0..,
        require_equals = true,
        value_delimiter = ','
    )]
    fail_on_unseen: Option<Vec<Practice>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One page that needs nothing else.
    Html,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Low,
    Medium,
    High,
}

impl FailOn {
    const fn severity(self) -> Severity {
        match self {
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
        }
    }
}

fn practice(word: &str) -> Result<Practice, String> {
    let words = || Practice::ALL.map(Practice::as_str).join(", ");
    let is = |practice: &Practice| practice.as_str().eq_ignore_ascii_case(word);
    let found = Practice::ALL.into_iter().find(is);
    found.ok_or_else(|| format!("one of {}", words()))
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Where.
    pub(crate) environment: String,
    /// When it had been looked at: ISO 8601, UTC.
    pub(crate) as_of: String,
    /// Why the look itself failed, of each question that it failed at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<String>,
    /// The practices.
    pub(crate) findings: Vec<Finding>,
    /// How far each connection is, of a gate's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) standings: BTreeMap<String, String>,
    /// Fireblocks' own findings, of a workspace.
    #[serde(flatten)]
    pub(crate) theirs: Option<Fireblocks>,
}

/// Fireblocks' own findings.
#[derive(Debug, Serialize)]
pub(crate) struct Fireblocks {
    /// They.
    pub(crate) fireblocks: Vec<Theirs>,
    /// Why there are none, where they could not be read.
    pub(crate) fireblocks_unseen: Option<String>,
}

/// Now, as a report says it.
pub(crate) fn now() -> String {
    let now = SystemClock.now();
    let second = jiff::Timestamp::from_second(now.seconds()).unwrap_or_default();
    second.to_string()
}

impl How {
    /// Tells it; the exit code says whether it is as bad as that.
    pub(crate) fn tell(&self, report: &Report, out: Output) -> anyhow::Result<ExitCode> {
        out.line(match self.format {
            Format::Text if !out.json => text::of(report),
            Format::Text | Format::Json => serde_json::to_string(report)?,
            Format::Sarif => serde_json::to_string_pretty(&sarif::of(report))?,
            Format::Html => page::of(report),
        })?;
        if let Some(sentence) = failed(&report.failed) {
            note(format_args!("vestibule: {sentence}"));
        }
        Ok(if self.is_bad(report) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    /// Whether it is as bad as what was asked to fail on.
    fn is_bad(&self, report: &Report) -> bool {
        let asked = self.fail_on.is_some() || self.fail_on_unseen.is_some();
        let broken = |least: FailOn| {
            let broken =
                |one: &Finding| one.verdict == Verdict::Broken && one.severity >= least.severity();
            report.findings.iter().any(broken)
        };
        let unseen = |asked: &Vec<Practice>| {
            let unseen = |one: &Finding| {
                one.verdict == Verdict::CannotBeSeen
                    && (asked.is_empty() || asked.contains(&one.practice))
            };
            report.findings.iter().any(unseen)
        };
        asked && !report.failed.is_empty()
            || self.fail_on.is_some_and(broken)
            || self.fail_on_unseen.as_ref().is_some_and(unseen)
    }
}

/// That the look itself failed, in a sentence: the same reason once, and the first of several.
fn failed(all: &[String]) -> Option<String> {
    let (first, more) = (all.first()?, BTreeSet::from_iter(all).len() - 1);
    let more = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    };
    Some(format!(
        "the workspace could not be looked at as asked: {first}{more}"
    ))
}

#[cfg(test)]
mod tests {
    use gate::posture::workspace::{Seen, judge};

    use super::*;

    fn report(findings: Vec<Finding>, failed: &[&str]) -> Report {
        Report {
            environment: "here".to_owned(),
            as_of: now(),
            failed: failed.iter().map(|why| (*why).to_owned()).collect(),
            findings,
            standings: BTreeMap::new(),
            theirs: None,
        }
    }

    fn how(words: &str) -> How {
        use clap::{Args, FromArgMatches};
        let command = How::augment_args(clap::Command::new("posture"));
        let words = ["posture"].into_iter().chain(words.split_whitespace());
        let matches = command.try_get_matches_from(words).expect("arguments");
        How::from_arg_matches(&matches).expect("arguments")
    }

    #[test]
    fn what_could_not_be_looked_at_is_no_pass() {
        let unseen = || judge(&Seen::nothing("no"), &[]);
        let cases = [
            ("", unseen(), &[][..], false),
            ("", unseen(), &["no route"], false),
            ("--fail-on low", unseen(), &[], false),
            ("--fail-on low", unseen(), &["no route"], true),
            ("--fail-on high", unseen(), &["no route"], true),
            ("--fail-on high", Vec::new(), &["no route"], true),
            ("--fail-on-unseen", unseen(), &[], true),
            ("--fail-on-unseen=C1", Vec::new(), &["no route"], true),
            ("--fail-on-unseen", Vec::new(), &[], false),
            ("--fail-on-unseen=c4,C7", unseen(), &[], true),
        ];
        for (words, findings, failed, bad) in cases {
            let report = report(findings, failed);
            assert_eq!(how(words).is_bad(&report), bad, "{words} {failed:?}");
        }
        let c1: Vec<_> = unseen()
            .into_iter()
            .filter(|one| one.practice == Practice::C1)
            .collect();
        for (words, bad) in [
            ("--fail-on-unseen=C4,C7", false),
            ("--fail-on-unseen=C1", true),
        ] {
            assert_eq!(how(words).is_bad(&report(c1.clone(), &[])), bad, "{words}");
        }
        assert!(practice("C8").is_err_and(|why| why.contains("C1, C2")));
    }

    #[test]
    fn why_it_could_not_be_looked_at_is_one_sentence() {
        let told = |all: &[&str]| {
            let all: Vec<_> = all.iter().map(|why| (*why).to_owned()).collect();
            failed(&all)
        };
        assert_eq!(told(&[]), None);
        for (all, end) in [
            (&["a key"; 5][..], "asked: a key"),
            (&["b", "a", "b"], "asked: b; and 1 more"),
        ] {
            let told = told(all).expect("a sentence");
            assert!(told.ends_with(end), "{told}");
        }
    }

    #[test]
    fn a_report_says_of_when_it_is() {
        let now = now();
        assert!(now.len() == 20 && now.ends_with('Z'), "{now}");
    }
}
