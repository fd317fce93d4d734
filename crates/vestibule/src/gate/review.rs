//! `vestibule gate review`: every connection is looked at again.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::bail;
use gate::operations::connections::Shown;
use gate::operations::review::Reviewed;
use serde_json::json;

use super::At;
use super::connection::told::{day, told};
use super::desk::Desk;
use crate::output::{Output, note};

/// Look at every connection again, one by one, and say which is right as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate review                      one by one, asked at the terminal
  vestibule --json gate review | jq 'select(.unused) | .name'
  vestibule gate review --confirm acme       acme is right as it is now")]
pub(crate) struct Args {
    /// A connection that is right as it is, without asking (may be given more than once).
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    let all: Vec<Reviewed> = desk.list("/review").await?;
    if !args.confirm.is_empty() {
        let name = |one: &Reviewed| one.shown.connection.name.clone();
        for wanted in &args.confirm {
            let Some(one) = all.iter().find(|one| name(one) == *wanted) else {
                bail!("there is no connection '{wanted}' to confirm");
            };
            let done = confirm(&desk, one).await?;
            out.show(&done, told)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if out.json || !std::io::stdin().is_terminal() {
        let header = [
            "NAME",
            "STATE",
            "UNTIL",
            "LAST SEEN",
            "CONFIRMED",
            "REMARKS",
        ];
        out.table(&all, &header, |one| {
            let connection = &one.shown.connection;
            let confirmed = connection.confirmed.as_ref();
            vec![
                connection.name.clone(),
                one.shown.standing.as_str().to_owned(),
                day(connection.until),
                one.seen_at.map_or_else(|| "never".to_owned(), day),
                confirmed.map_or_else(
                    || "never".to_owned(),
                    |(at, who)| format!("{} {who}", day(*at)),
                ),
                remarks(one),
            ]
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = std::io::stdin().lock().lines();
    for one in &all {
        let name = &one.shown.connection.name;
        out.line(told(&one.shown))?;
        let seen = one.seen_at.map_or_else(|| "never".to_owned(), day);
        out.line(format_args!("last seen {seen}\nremarks   {}", remarks(one)))?;
        note(format_args!(
            "is {name} right as it is? y: yes, n: no, suspend it, q: stop here; anything else: later"
        ));
        let answer = lines.next().transpose()?.unwrap_or_else(|| "q".to_owned());
        match answer.trim() {
            "y" => drop(confirm(&desk, one).await?),
            "n" => {
                let body = json!({"reason": "found wrong in a review"});
                let path = format!("/connections/{name}/suspend");
                let _: Shown = desk.send("POST", &path, &body).await?;
                note(format_args!("{name} is suspended"));
            }
            "q" => break,
            _ => note("left for later"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn confirm(desk: &Desk, one: &Reviewed) -> anyhow::Result<Shown> {
    let path = format!("/connections/{}/confirm", one.shown.connection.name);
    desk.send("POST", &path, &json!({"terms": one.terms})).await
}

fn remarks(one: &Reviewed) -> String {
    let mut all = Vec::new();
    if one.unused == Some(true) {
        all.push("unused for 30 days");
    }
    if one.ends_soon {
        all.push("ends within 14 days");
    }
    if one.shown.connection.confirmed.is_none() {
        all.push("never confirmed");
    }
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}
