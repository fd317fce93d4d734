//! What was found, of a workspace or of a gate's connections, and how it is told.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::ValueEnum;
use gate::posture::workspace::Theirs;
use gate::posture::{Finding, Severity, Verdict};
use serde::Serialize;

use super::{page, sarif, text};
use crate::output::Output;

/// How findings are told.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct How {
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit code 1 where something this bad or worse is broken.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
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

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Where.
    pub(crate) environment: String,
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

impl How {
    /// Tells it; the exit code says whether it is as bad as that.
    pub(crate) fn tell(self, report: &Report, out: Output) -> anyhow::Result<ExitCode> {
        out.line(match self.format {
            Format::Text if !out.json => text::of(report),
            Format::Text | Format::Json => serde_json::to_string(report)?,
            Format::Sarif => serde_json::to_string_pretty(&sarif::of(report))?,
            Format::Html => page::of(report),
        })?;
        let bad = self.fail_on.is_some_and(|least| {
            let broken =
                |one: &Finding| one.verdict == Verdict::Broken && one.severity >= least.severity();
            report.findings.iter().any(broken)
        });
        Ok(if bad {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}
