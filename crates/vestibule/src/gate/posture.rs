//! `vestibule gate posture`: the practices, per connection.

use std::process::ExitCode;

use gate::operations::posture::Posture;
use serde::Deserialize;

use super::At;
use super::desk::Desk;
use crate::output::{Output, note};
use crate::posture::{How, Report, now};

#[derive(Deserialize)]
struct Gate {
    public_url: String,
}

pub(super) async fn run(at: &At, how: How, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    let Gate { public_url } = desk.get("/status").await?;
    let all: Vec<Posture> = desk.list("/posture").await?;
    if all.is_empty() {
        note("no connections: there are no practices to check yet");
    }
    let standing = |one: &Posture| {
        let words = format!("{}, {}", one.mode.as_str(), one.state.as_str());
        (one.connection.clone(), words)
    };
    let report = Report {
        environment: public_url,
        as_of: now(),
        failed: Vec::new(),
        standings: all.iter().map(standing).collect(),
        findings: all.into_iter().flat_map(|one| one.findings).collect(),
        theirs: None,
    };
    how.tell(&report, out)
}
