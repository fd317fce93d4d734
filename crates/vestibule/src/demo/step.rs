//! The steps of the story, as they are told: a line each, or a JSON line each.

use std::process::ExitCode;

use serde::Serialize;
use wire::client::ClientError;

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

/// A call of the API that must be refused with this status and code: what was said.
pub(crate) fn answered<T>(
    outcome: Result<T, ClientError>,
    (status, code): (u16, Option<i64>),
    says: &str,
) -> Saw {
    match outcome {
        Ok(_) => Ok((false, "it was taken".to_owned())),
        Err(ClientError::Status {
            status: answered,
            code: coded,
            message,
        }) => Ok((
            (answered, coded) == (status, code) && message.contains(says),
            match coded {
                Some(coded) => format!("refused: {answered} {coded}: {message}"),
                None => format!("refused: {answered}: {message}"),
            },
        )),
        Err(error) => Err(error.into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn no(status: u16, code: Option<i64>, message: &str) -> Result<(), ClientError> {
        Err(ClientError::Status {
            status,
            code,
            message: message.to_owned(),
        })
    }

    #[test]
    fn a_refusal_of_another_kind_is_not_the_one_that_was_told() {
        let ok = |outcome| answered(outcome, (401, Some(-8)), "permissions").is_ok_and(|saw| saw.0);
        assert!(ok(no(401, Some(-8), "Insufficient permissions")));
        assert!(!ok(no(401, Some(-7), "Insufficient permissions")));
        assert!(!ok(no(401, None, "Insufficient permissions")));
        assert!(!ok(no(403, Some(-8), "Insufficient permissions")));
        assert!(!ok(no(401, Some(-8), "no")));
        assert!(!ok(Ok(())));
        assert!(answered::<()>(Err(ClientError::TooLarge), (401, Some(-8)), "").is_err());
    }
}
