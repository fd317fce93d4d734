//! The steps of the story, as they are told: a line each, or a JSON line each.

use std::process::ExitCode;

use serde::Serialize;

use crate::output::{Output, note, printable};

/// A step.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    step: u32,
    practice: &'static str,
    who: &'static str,
    did: String,
    expected: String,
    saw: String,
    ok: bool,
}

/// Tells the steps, and remembers whether each came out as told.
#[derive(Debug)]
pub(crate) struct Teller {
    out: Output,
    steps: u32,
    wrong: u32,
}

/// What a step saw, and whether that is what was expected.
pub(crate) type Saw = anyhow::Result<(bool, String)>;

impl Teller {
    pub(crate) fn new(out: Output) -> Self {
        Self {
            out,
            steps: 0,
            wrong: 0,
        }
    }

    /// A heading, for people.
    pub(crate) fn chapter(&self, text: &str) {
        if !self.out.json {
            let _ = self.out.line(format_args!("\n{text}"));
        }
    }

    /// Tells a step. An error is something seen, too: not what was expected.
    pub(crate) fn step(
        &mut self,
        practice: &'static str,
        who: &'static str,
        did: impl Into<String>,
        expected: impl Into<String>,
        saw: Saw,
    ) -> anyhow::Result<()> {
        self.steps += 1;
        let (ok, saw) = saw.unwrap_or_else(|error| (false, format!("{error:#}")));
        self.wrong += u32::from(!ok);
        let step = Step {
            step: self.steps,
            practice,
            who,
            did: did.into(),
            expected: expected.into(),
            saw,
            ok,
        };
        self.out.show(&step, |step| {
            let mark = if step.ok { "ok " } else { "NOT" };
            let saw = printable(&step.saw);
            format!(
                "{mark} {:>2} {:<5} {:<10} {}\n               expected: {}\n               saw:      {saw}",
                step.step, step.practice, step.who, step.did, step.expected
            )
        })
    }

    /// The end: what it all came to.
    pub(crate) fn end(self, told: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
        told?;
        note(format_args!(
            "\n{} steps, {} not as told",
            self.steps, self.wrong
        ));
        Ok(if self.wrong == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Something that must be refused: what was said.
pub(crate) fn refused<T>(outcome: anyhow::Result<T>, says: &str) -> Saw {
    Ok(match outcome {
        Ok(_) => (false, "it was taken".to_owned()),
        Err(error) => {
            let text = format!("{error:#}");
            (
                text.to_lowercase().contains(&says.to_lowercase()),
                format!("refused: {text}"),
            )
        }
    })
}
