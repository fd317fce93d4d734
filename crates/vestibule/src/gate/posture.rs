//! `vestibule gate posture`: the practices, per connection.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::At;
use super::desk::Desk;
use crate::output::{Output, note};

#[derive(Deserialize, Serialize)]
pub(crate) struct Posture {
    pub(crate) connection: String,
    state: String,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Finding {
    pub(crate) practice: String,
    asks: String,
    pub(crate) verdict: String,
    evidence: String,
}

pub(crate) async fn run(at: &At, out: Output) -> anyhow::Result<ExitCode> {
    let all: Vec<Posture> = Desk::open(at)?.list("/posture").await?;
    if all.is_empty() {
        note("no connections: there are no practices to check yet");
    }
    if out.json {
        for one in &all {
            out.line(serde_json::to_string(one)?)?;
        }
    } else {
        for one in &all {
            out.line(format_args!("{} ({})", one.connection, one.state))?;
            for finding in &one.findings {
                let verdict = match finding.verdict.as_str() {
                    "held" => "held  ",
                    "broken" => "BROKEN",
                    _ => "unseen",
                };
                out.line(format_args!(
                    "  {} {verdict}  {}: {}",
                    finding.practice, finding.asks, finding.evidence
                ))?;
            }
        }
    }
    let broken = all
        .iter()
        .flat_map(|one| &one.findings)
        .any(|finding| finding.verdict == "broken");
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
