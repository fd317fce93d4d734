//! `vestibule gate status`: as of when the books are, and whether anything is sent.

use std::process::ExitCode;

use gate::mail::Waiting;
use gate::proposals::{Stopped, Stray};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use wire::clock::{SystemClock, WallClock};

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

/// A witness of the log.
#[derive(Deserialize, Serialize)]
struct Witness {
    name: String,
    size: Option<u64>,
    at: Option<Millis>,
    trouble: Option<String>,
    ok: bool,
}

#[derive(Deserialize, Serialize)]
struct Status {
    filled: bool,
    as_of: i64,
    /// Whether a look at all of upstream that was asked for goes on.
    #[serde(default)]
    looking: bool,
    areas: Vec<Age>,
    /// Where there may be several.
    gates: Vec<OneGate>,
    /// Who cosigns the log's head.
    #[serde(default)]
    witnesses: Vec<Witness>,
    /// Reminders by mail that no server has taken yet.
    #[serde(default)]
    letters: Vec<Waiting>,
    /// What is shut, and what opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quarantine: Option<String>,
    /// Why no proposal is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
    #[serde(default)]
    strays: Vec<Stray>,
}

pub(crate) async fn run(at: &At, out: Output) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let status: Status = Desk::open(at)?.get("/status").await?;
    out.show(&status, |status| told(status, now))?;
    let too_old = status.areas.iter().any(|age| age.too_old);
    let unvouched = status.witnesses.iter().any(|witness| !witness.ok);
    let put_off = status.letters.iter().any(|one| one.trouble.is_some());
    let shut = status.stopped.is_some() || status.quarantine.is_some();
    Ok(if too_old || unvouched || put_off || shut {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn told(status: &Status, now: Millis) -> String {
    let filled = if status.filled {
        "filled"
    } else {
        "not filled yet"
    };
    let looking = if status.looking {
        "; all of upstream is looked at now"
    } else {
        ""
    };
    let mut lines = vec![format!(
        "books         {filled}, events as of {}{looking}",
        status.as_of
    )];
    lines.extend(status.areas.iter().map(line));
    lines.extend(status.gates.iter().map(of_several));
    let shut = status.quarantine.as_ref();
    lines.extend(shut.map(|why| format!("quarantine    SHUT: {why}")));
    lines.push(match &status.stopped {
        Some(stopped) => format!(
            "dispatch      STOPPED at {}: {}",
            stopped.at,
            stopped.words()
        ),
        None if shut.is_some() => "dispatch      waits: the gate is in quarantine".to_owned(),
        None => "dispatch      goes on".to_owned(),
    });
    lines.extend(status.strays.iter().map(astray));
    lines.extend(status.witnesses.iter().map(|one| of_witness(one, now)));
    lines.extend(
        status
            .letters
            .iter()
            .map(|one| format!("letter        {one}")),
    );
    lines.join("\n")
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

fn of_witness(witness: &Witness, now: Millis) -> String {
    let done = match (witness.size, witness.at) {
        (Some(size), Some(at)) => {
            let seconds = (now.0 - at.0).max(0) / Millis::SECOND;
            format!("has cosigned {size} entries, {seconds} s ago")
        }
        _ => "has cosigned nothing yet".to_owned(),
    };
    let trouble = witness.trouble.as_ref();
    let trouble = trouble.map_or_else(String::new, |trouble| format!("; {trouble}"));
    format!("witness       {} {done}{trouble}", witness.name)
}

fn astray(stray: &Stray) -> String {
    format!(
        "stray         {} noticed at {}, {}: {}",
        stray.upstream,
        stray.seen_at,
        stray.status.as_str(),
        stray.why.words()
    )
}

fn of_several(gate: &OneGate) -> String {
    let leads = if gate.leads { "leads" } else { "follows" };
    let here = if gate.here { " (this one)" } else { "" };
    format!("gate          {} {leads}{here}", gate.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_in_quarantine_says_so_and_what_to_do() {
        let mut status: Status = serde_json::from_value(serde_json::json!({
            "filled": true, "as_of": 1, "areas": [], "gates": [],
        }))
        .expect("a status");
        let open = told(&status, Millis(1));
        assert!(open.contains("dispatch      goes on"), "{open}");
        status.quarantine = Some("until `vestibule gate release`".to_owned());
        let shut = told(&status, Millis(1));
        assert!(!shut.contains("goes on"), "{shut}");
        assert!(shut.contains("quarantine    SHUT: until `vestibule gate release`"));
        let json = serde_json::to_value(&status).expect("JSON");
        assert_eq!(json["quarantine"], "until `vestibule gate release`");
    }
}
