//! `vestibule gate review`: every connection is looked at again.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use gate::connections::{Move, State};
use gate::operations::connections::Shown;
use gate::operations::review::Reviewed;
use serde_json::json;

use super::At;
use super::connection::told::{day, told};
use super::desk::{Desk, refused};
use crate::output::{Output, note};

/// Look at every connection again, one by one, and say which is right as it is.
///
/// What the gate refuses is told, and the next is asked for: exit code 1 then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate review                      one by one, asked at the terminal
  vestibule gate review < /dev/null          all of them, with what names their terms
  vestibule --json gate review | jq 'select(.unused) | .name'
  vestibule gate review --confirm acme=5c1f...   acme is right under exactly these terms")]
pub(crate) struct Args {
    /// A connection that is right, and what names the terms that were seen, as the list has it: under
    /// others it is not confirmed (may be given more than once).
    #[arg(long, value_name = "NAME=TERMS", value_parser = parse_confirmed)]
    confirm: Vec<(String, String)>,
}

fn parse_confirmed(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=');
    let (name, terms) = parts.ok_or(
        "written NAME=TERMS: `vestibule gate review < /dev/null` lists what names each one's terms",
    )?;
    Ok((name.to_owned(), terms.to_owned()))
}

/// What an operator says of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It is right.
    Right,
    /// It is not: this is done.
    Wrong(Move),
    /// It stays as it is, and nobody has said that it is right.
    Later,
    /// No more are asked for.
    Stop,
}

/// What closes a connection that is at this point, the least first.
fn closes(state: State) -> Move {
    if state.after(Move::Suspend).is_some() {
        Move::Suspend
    } else {
        Move::Revoke
    }
}

/// The letter of what closes. Another one for what is for ever: nobody says it by habit.
const fn letter(what: Move) -> &'static str {
    match what {
        Move::Revoke => "r",
        _ => "n",
    }
}

/// What there is to be said of it. Pure.
fn question(name: &str, state: State) -> String {
    let what = closes(state);
    let wrong = match what {
        Move::Revoke => "no, revoke it for ever",
        _ => "no, suspend it",
    };
    format!(
        "is {name} right as it is? y: yes, {}: {wrong}, q: stop here; anything else: later",
        letter(what)
    )
}

/// What was said. Pure.
fn answer(said: &str, state: State) -> Answer {
    let what = closes(state);
    match said.trim() {
        "y" => Answer::Right,
        "q" => Answer::Stop,
        said if said == letter(what) => Answer::Wrong(what),
        _ => Answer::Later,
    }
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    if !args.confirm.is_empty() {
        let mut ends = ExitCode::SUCCESS;
        for (name, terms) in &args.confirm {
            match refused(confirm(&desk, name, terms).await)? {
                Ok(done) => out.show(&done, told)?,
                Err(why) => {
                    note(format_args!("{name}: {why}"));
                    ends = ExitCode::FAILURE;
                }
            }
        }
        return Ok(ends);
    }
    let all: Vec<Reviewed> = desk.list("/review").await?;
    if out.json || !std::io::stdin().is_terminal() {
        let header = [
            "NAME",
            "STATE",
            "UNTIL",
            "LAST SEEN",
            "CONFIRMED",
            "REMARKS",
            "TERMS",
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
                one.terms.clone(),
            ]
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = std::io::stdin().lock().lines();
    let mut ends = ExitCode::SUCCESS;
    for one in &all {
        let connection = &one.shown.connection;
        let name = &connection.name;
        out.line(told(&one.shown))?;
        let seen = one.seen_at.map_or_else(|| "never".to_owned(), day);
        out.line(format_args!(
            "last seen  {seen}\nremarks    {}\nterms      {}",
            remarks(one),
            one.terms
        ))?;
        note(question(name, connection.state));
        let said = lines.next().transpose()?.unwrap_or_else(|| "q".to_owned());
        let done = match answer(&said, connection.state) {
            Answer::Right => confirm(&desk, name, &one.terms).await,
            Answer::Wrong(what) => {
                let body = json!({"reason": "found wrong in a review"});
                let path = format!("/connections/{name}/{}", what.as_str());
                desk.send("POST", &path, &body).await
            }
            Answer::Later => {
                note(format_args!("{name}: left for later"));
                continue;
            }
            Answer::Stop => break,
        };
        match refused(done)? {
            Ok(now) if now.connection.state == connection.state => {
                note(format_args!("{name}: confirmed"));
            }
            Ok(now) => note(format_args!("{name}: {}", now.standing.as_str())),
            Err(why) => {
                note(format_args!("{name}: {why}"));
                ends = ExitCode::FAILURE;
            }
        }
    }
    Ok(ends)
}

async fn confirm(desk: &Desk, name: &str, terms: &str) -> anyhow::Result<Shown> {
    let path = format!("/connections/{name}/confirm");
    desk.send("POST", &path, &json!({"terms": terms})).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_what_can_be_done_at_that_point() {
        for state in State::ALL.into_iter().filter(|one| *one != State::Revoked) {
            let asked = question("acme", state);
            let what = closes(state);
            assert!(state.after(what).is_some(), "{state:?}");
            let letter = letter(what);
            assert!(
                asked.contains(&format!(" {letter}: no, {}", what.as_str())),
                "{asked}"
            );
            assert_eq!(answer(letter, state), Answer::Wrong(what));
            assert_eq!(answer(" y ", state), Answer::Right);
            assert_eq!(answer("q", state), Answer::Stop);
            let other = if letter == "n" { "r" } else { "n" };
            for later in [other, "", "yes", "N"] {
                assert_eq!(answer(later, state), Answer::Later, "{state:?} {later}");
            }
        }
    }

    #[test]
    fn a_confirmation_names_the_terms_that_were_seen() {
        let fine = Ok(("acme".to_owned(), "5c1f".to_owned()));
        assert_eq!(parse_confirmed("acme=5c1f"), fine);
        assert!(parse_confirmed("acme").is_err());
    }
}
