//! `vestibule sandbox play`: scenarios, for people and for their CI.

mod junit;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use sandbox::described::Problems;
use sandbox::scenario::play::{Player, Report, StepReport, Verdict};
use sandbox::scenario::{self, OpenError, Scenario, shipped};
use serde_json::json;

use super::running;
use crate::output::{Output, note, printable};
use crate::shutdown;

/// Play scenarios: what is asked of a workspace, step by step, and what must be seen.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule sandbox play --list                                 the shipped ones
  vestibule sandbox play deposit-reorganised                    one of them, in a sandbox of its own
  vestibule sandbox play --all --keep-going
  vestibule sandbox play my.toml --junit report.xml             for a CI
  vestibule sandbox play my.toml --ready-file ready.json        in a sandbox that runs")]
pub(crate) struct Args {
    /// Files, or names of shipped ones.
    #[arg(value_name = "FILE|NAME", required_unless_present_any = ["list", "all"])]
    scenarios: Vec<PathBuf>,
    /// Every shipped one.
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,
    /// Tell which are shipped, and play nothing.
    #[arg(long, conflicts_with_all = ["scenarios", "all"])]
    list: bool,
    /// Print the file of a shipped one, and play nothing.
    #[arg(long, requires = "scenarios", conflicts_with = "junit")]
    show: bool,
    /// Go on after a step that failed, with what can still be played, and with the next scenario.
    #[arg(long)]
    keep_going: bool,
    /// Write what came of it here, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    at: running::At,
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    if args.list {
        return list(out);
    }
    let named: Vec<_> = if args.all {
        shipped().iter().map(|one| one.name.into()).collect()
    } else {
        args.scenarios
    };
    if args.show {
        for name in &named {
            let Some(one) = shipped().iter().find(|one| name.as_os_str() == one.name) else {
                bail!("no scenario '{}' is shipped; see --list", name.display());
            };
            out.line(one.text.trim_end())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    // All of them are read before anything is started.
    let scenarios = open(&named)?;
    let mut player = match args.at.address()? {
        Some(address) => Player::at(address)?,
        None => Player::own(),
    };
    let over = shutdown::on_signal();
    let mut reports = Vec::new();
    let mut trouble = None;
    for scenario in &scenarios {
        begun(scenario, out)?;
        let mut tell = |step: &StepReport| {
            if let Err(error) = told(scenario, step, out) {
                note(format_args!("{error:#}"));
            }
        };
        let played = player
            .play(scenario, args.keep_going, &over, &mut tell)
            .await;
        let report = match played {
            Ok(report) => report,
            Err(error) => {
                trouble = Some(error);
                break;
            }
        };
        ended(scenario, &report, out)?;
        let goes_on = (report.passed() || args.keep_going) && !report.interrupted;
        reports.push((scenario, report));
        if !goes_on {
            break;
        }
    }
    player.end().await;
    if let Some(file) = &args.junit {
        junit::write(file, &reports)?;
    }
    if let Some(error) = trouble {
        return Err(error.into());
    }
    let passed = reports.iter().filter(|(_, report)| report.passed()).count();
    if scenarios.len() > 1 && !out.json {
        out.line(format_args!(
            "{passed} of {} scenarios passed",
            scenarios.len()
        ))?;
    }
    if over.is_cancelled() {
        return Ok(shutdown::interrupted());
    }
    Ok(if passed == scenarios.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The scenarios of these files; or everything that is wrong with any of them.
pub(super) fn open(named: &[PathBuf]) -> anyhow::Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    let mut wrong: Vec<Problems> = Vec::new();
    for name in named {
        match scenario::open(name) {
            Ok(read) => scenarios.push(read),
            Err(OpenError::Bad(bad)) => wrong.push(bad),
            Err(error) => return Err(error.into()),
        }
    }
    if wrong.is_empty() {
        return Ok(scenarios);
    }
    let lines: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    bail!("nothing was started:\n{}", lines.join("\n"))
}

fn list(out: Output) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    for one in shipped() {
        let read = scenario::open(one.name.as_ref())?;
        rows.push(json!({ "name": one.name, "about": read.about }));
    }
    let text =
        |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    out.table(&rows, &["NAME", "WHAT IT SHOWS"], |row| {
        vec![text(row, "name"), text(row, "about")]
    })?;
    Ok(ExitCode::SUCCESS)
}

fn begun(scenario: &Scenario, out: Output) -> anyhow::Result<()> {
    if out.json {
        return Ok(());
    }
    let file = scenario.file.display();
    out.line(format_args!("{}  ({file})", printable(&scenario.name)))
}

fn told(scenario: &Scenario, step: &StepReport, out: Output) -> anyhow::Result<()> {
    if out.json {
        let mut line = serde_json::to_value(step)?;
        line["scenario"] = scenario.name.as_str().into();
        line["file"] = scenario.file.display().to_string().into();
        return out.line(line);
    }
    let mark = match step.verdict {
        Verdict::Passed => "ok  ",
        Verdict::Failed => "FAIL",
        Verdict::Skipped => "skip",
    };
    let mut text = format!(
        "  {mark} {:>3}  {}\n            {}\n            saw: {}",
        step.line,
        printable(&step.step),
        printable(&step.doing),
        printable(&step.saw)
    );
    for failure in &step.failures {
        text.push_str(&format!(
            "\n       {}:{}: {}\n            expected: {}\n            seen:     {}",
            scenario.file.display(),
            failure.line,
            printable(&failure.what),
            printable(&failure.expected),
            printable(&failure.seen)
        ));
    }
    out.line(text)
}

fn ended(scenario: &Scenario, report: &Report, out: Output) -> anyhow::Result<()> {
    let count = |verdict| {
        let of_it = report.steps.iter().filter(|step| step.verdict == verdict);
        of_it.count()
    };
    let (failed, skipped) = (count(Verdict::Failed), count(Verdict::Skipped));
    if out.json {
        return out.line(json!({
            "scenario": report.scenario,
            "file": scenario.file.display().to_string(),
            "passed": report.passed(),
            "steps": scenario.steps.len(),
            "failed": failed,
            "skipped": skipped,
            "left": report.left,
            "interrupted": report.interrupted,
        }));
    }
    let word = if report.passed() { "passed" } else { "FAILED" };
    out.line(format_args!(
        "{word}: {} of {} steps{}\n",
        count(Verdict::Passed),
        scenario.steps.len(),
        if report.interrupted {
            ", ended from outside"
        } else {
            ""
        }
    ))
}
