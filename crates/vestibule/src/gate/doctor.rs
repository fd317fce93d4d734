//! `vestibule gate doctor`: the set-up, as far as it can be seen.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::At;
use super::desk::Desk;
use crate::output::Output;

#[derive(Deserialize, Serialize)]
struct Status {
    workspace_id: String,
    public_url: String,
    filled: bool,
    as_of: i64,
    areas: Vec<super::status::Age>,
    log_entries: u64,
    checks: Vec<Check>,
}

#[derive(Deserialize, Serialize)]
struct Check {
    what: String,
    ok: Option<bool>,
    saw: String,
}

pub(crate) async fn run(at: &At, out: Output) -> anyhow::Result<ExitCode> {
    let status: Status = Desk::open(at)?.get("/status").await?;
    out.show(&status, |status| {
        let line = |check: &Check| {
            let mark = match check.ok {
                Some(true) => "ok     ",
                Some(false) => "BROKEN ",
                None => "unseen ",
            };
            format!("{mark} {}: {}", check.what, check.saw)
        };
        status
            .checks
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    let broken = status.checks.iter().any(|check| check.ok == Some(false));
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
