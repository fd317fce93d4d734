//! `vestibule gate status`: as of when the books are.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::At;
use super::desk::Desk;
use crate::output::Output;

/// How old one part of the books is.
#[derive(Deserialize, Serialize)]
pub(super) struct Age {
    area: String,
    as_of: Option<i64>,
    every_seconds: u32,
    max_age_seconds: u32,
    too_old: bool,
}

/// A gate over the store.
#[derive(Deserialize, Serialize)]
struct OneGate {
    name: String,
    leads: bool,
    here: bool,
}

#[derive(Deserialize, Serialize)]
struct Status {
    filled: bool,
    as_of: i64,
    areas: Vec<Age>,
    /// Where there may be several.
    gates: Vec<OneGate>,
}

pub(crate) async fn run(at: &At, out: Output) -> anyhow::Result<ExitCode> {
    let status: Status = Desk::open(at)?.get("/status").await?;
    out.show(&status, |status| {
        let filled = if status.filled {
            "filled"
        } else {
            "not filled yet"
        };
        let mut lines = vec![format!(
            "books         {filled}, events as of {}",
            status.as_of
        )];
        lines.extend(status.areas.iter().map(line));
        lines.extend(status.gates.iter().map(of_several));
        lines.join("\n")
    })?;
    let too_old = status.areas.iter().any(|age| age.too_old);
    Ok(if too_old {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn line(age: &Age) -> String {
    let as_of = age
        .as_of
        .map_or_else(|| "never walked".to_owned(), |at| format!("as of {at}"));
    let closed = if age.too_old { "; TOO OLD: closed" } else { "" };
    format!(
        "{:13} {as_of}, walked every {} s, at most {} s old{closed}",
        age.area, age.every_seconds, age.max_age_seconds
    )
}

fn of_several(gate: &OneGate) -> String {
    let leads = if gate.leads { "leads" } else { "follows" };
    let here = if gate.here { " (this one)" } else { "" };
    format!("gate          {} {leads}{here}", gate.name)
}
