//! `vestibule gate plan|apply|export`: who may do what, as a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use gate::changes::ChangeState;
use gate::connections::{Direction, Move, differences};
use gate::declared::{Declared, Present, Step, plan};
use gate::operations::changes::Shown as Change;
use gate::operations::connections::Shown;
use gate::operations::life::Changed;
use gate::operations::operators::{Quorum, Shown as Person};
use protocol::time::Millis;
use serde_json::json;
use wire::clock::{SystemClock, WallClock};

use super::At;
use super::change::waits;
use super::connection::Approved;
use super::desk::{Desk, refused};
use crate::output::{Output, note};

/// Show what would be done to make it so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate plan access.toml            exit code 2 if there is anything to do
  vestibule --json gate plan access.toml     a step a line")]
pub(crate) struct Plan {
    /// The file, as `export` writes it.
    file: PathBuf,
}

/// Make it so: what narrows at once, what widens by the quorum.
///
/// What closes or narrows comes first. What waits for signatures already is not asked for again. What
/// the gate refuses is told, and the rest is done: exit code 1 then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule gate apply access.toml --reason 'review of the quarter'")]
pub(crate) struct Apply {
    /// The file, as `export` writes it.
    file: PathBuf,
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What a plan with steps ends with.
const TO_DO: u8 = 2;

/// Writes the file from what is.
pub(crate) async fn export(at: &At, out: Output) -> anyhow::Result<ExitCode> {
    let declared = Declared::of(&present(&Desk::open(at)?).await?);
    if out.json {
        out.line(serde_json::to_string(&declared)?)?;
    } else {
        out.line(declared.write()?.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn show(at: &At, args: Plan, out: Output) -> anyhow::Result<ExitCode> {
    let declared = read(&args.file)?;
    let steps = plan(&present(&Desk::open(at)?).await?, &declared)?;
    for step in &steps {
        if out.json {
            out.line(serde_json::to_string(step)?)?;
        } else {
            out.line(told(step))?;
        }
    }
    if steps.is_empty() {
        note("nothing to do: it is as the file says");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(TO_DO))
}

pub(crate) async fn apply(at: &At, args: Apply, out: Output) -> anyhow::Result<ExitCode> {
    let declared = read(&args.file)?;
    let desk = Desk::open(at)?;
    let present = present(&desk).await?;
    let steps = plan(&present, &declared)?;
    if steps.is_empty() {
        note("nothing to do: it is as the file says");
        return Ok(ExitCode::SUCCESS);
    }
    let mut waiting: Vec<Change> = desk.list("/changes").await?;
    let now = SystemClock.now();
    waiting.retain(|one| still_waits(one, now));
    let (mut refusals, mut halted, mut changed) = (0_usize, BTreeSet::new(), BTreeSet::new());
    let mut unsigned = Vec::new();
    for step in &steps {
        note(told(step));
        if step.connection().is_some_and(|name| halted.contains(name)) {
            note("  not done: what comes before it was refused");
            refusals += 1;
            continue;
        }
        // What waits for a connection that has changed just now is stale.
        let fresh = step.connection().is_none_or(|name| !changed.contains(name));
        let asked = step.asks(&present).filter(|_| fresh);
        let known = waiting
            .iter()
            .find(|one| asked.as_ref() == Some(&one.request.change));
        if let Some(known) = known {
            note("  asked for already");
            waits(Some(known));
            unsigned.push(known.request.id.to_string());
            if out.json {
                out.line(json!({"step": step, "change": known}))?;
            }
            continue;
        }
        match refused(make(&desk, step, &args.reason).await)? {
            Ok(change) => {
                waits(change.as_ref());
                let asked = change.as_ref().map(|one| &one.request);
                let asked = asked.filter(|one| one.state == ChangeState::Waiting);
                unsigned.extend(asked.map(|one| one.id.to_string()));
                changed.extend(step.connection());
                if out.json {
                    out.line(json!({"step": step, "change": change}))?;
                }
            }
            Err(why) => {
                note(format_args!("  not done: {why}"));
                refusals += 1;
                halted.extend(step.connection());
                if out.json {
                    out.line(json!({"step": step, "refused": why.to_string()}))?;
                }
            }
        }
    }
    if refusals == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let again = match unsigned.as_slice() {
        [] => String::new(),
        waiting => format!(
            ": some may need what waits for signatures; once {} is made, apply the file again",
            waiting.join(", ")
        ),
    };
    note(format_args!(
        "{refusals} of {} steps not done{again}",
        steps.len()
    ));
    Ok(ExitCode::FAILURE)
}

/// Whether it can be signed still, and needs to be: where fewer must sign by now, who asks again is
/// enough.
fn still_waits(change: &Change, now: Millis) -> bool {
    change.request.state == ChangeState::Waiting
        && change.counts < change.needed
        && now < change.waits_until
}

fn read(file: &Path) -> anyhow::Result<Declared> {
    let bad = || format!("{}", file.display());
    let text = std::fs::read_to_string(file).with_context(bad)?;
    Declared::read(&text).with_context(bad)
}

async fn present(desk: &Desk) -> anyhow::Result<Present> {
    let quorum: Quorum = desk.get("/quorum").await?;
    let people: Vec<Person> = desk.list("/operators").await?;
    let asker = people.iter().find(|one| one.id == desk.id);
    let asker = asker.map(|one| one.name.clone());
    let connections: Vec<Shown> = desk.list("/connections").await?;
    let operators: BTreeMap<_, _> = people.into_iter().map(|one| (one.name, one.role)).collect();
    Ok(Present {
        quorum: quorum.needed,
        operators,
        connections: connections.into_iter().map(|one| one.connection).collect(),
        asker,
    })
}

/// Does one step; the change that waits for signatures, if one does.
async fn make(desk: &Desk, step: &Step, reason: &str) -> anyhow::Result<Option<Change>> {
    Ok(match step {
        Step::SetQuorum { needed } => {
            let body = json!({"needed": needed, "reason": reason});
            Some(desk.send("PUT", "/quorum", &body).await?)
        }
        Step::SetRole { operator, role } => {
            let body = json!({"role": role, "reason": reason});
            let path = format!("/operators/{operator}/role");
            Some(desk.send("POST", &path, &body).await?)
        }
        Step::RemoveOperator { operator } => {
            let path = format!("/operators/{operator}/remove");
            let body = json!({"reason": reason});
            Some(desk.send("POST", &path, &body).await?)
        }
        Step::SetTerms {
            connection,
            after,
            opens,
            ..
        } => {
            let body = json!({
                "part": after.part, "followed": after.followed, "forward": after.forward, "budgets": after.budgets, "addresses": after.addresses, "addresses_reason": after.addresses_reason,
                "client_certificate": after.client_certificate.map_or_else(|| "none".to_owned(), |pin| pin.to_string()),
                "role": after.role, "place": after.place, "editor": after.editor, "mode": after.mode, "until": after.until, "contact": after.contact,
                "opens": opens.is_some(), "reason": reason,
            });
            let path = format!("/connections/{connection}/change");
            let done: Changed = desk.send("POST", &path, &body).await?;
            done.shown.change
        }
        Step::Go { connection, what } => {
            let path = format!("/connections/{connection}/{}", what.as_str());
            let body = json!({"reason": reason});
            if *what == Move::Approve {
                let done: Approved = desk.send("POST", &path, &body).await?;
                for step in &done.todo {
                    note(format_args!("to do: {step}"));
                }
                if !done.handback.is_null() {
                    note(format_args!(
                        "to do: give the provider its hand-back file: vestibule gate connection handback {connection} > {connection}-handback.json"
                    ));
                }
                return Ok(done.connection.change);
            }
            let done: Shown = desk.send("POST", &path, &body).await?;
            done.change
        }
    })
}

fn told(step: &Step) -> String {
    match step {
        Step::SetQuorum { needed } => format!("quorum: {needed} must sign"),
        Step::SetRole { operator, role } => format!("operator {operator}: becomes {role}"),
        Step::RemoveOperator { operator } => format!("operator {operator}: comes in no more"),
        Step::SetTerms {
            connection,
            direction,
            before,
            after,
            opens,
        } => {
            let word = match (direction, opens) {
                (Direction::Narrows, _) => "narrows".to_owned(),
                (Direction::Widens, None) => "widens, by the quorum".to_owned(),
                (Direction::Widens, Some(what)) => {
                    format!("widens, and {}, by the quorum", what.as_str())
                }
            };
            let lines = differences(before, after);
            let lines = lines.iter();
            let lines: Vec<_> = lines
                .map(|(what, before, after)| format!("    {what}: {before} -> {after}"))
                .collect();
            format!("connection {connection}: {word}\n{}", lines.join("\n"))
        }
        Step::Go { connection, what } => format!("connection {connection}: {}", what.as_str()),
    }
}
