//! What is wrong with a file that somebody has written, all of it: where, what is there, what was expected.

use std::fmt;
use std::ops::Range;

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is there, and what was expected.
    pub what: String,
    /// The line's text, and how many characters of it are meant.
    shown: (String, usize),
}

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file, as whoever named it did.
    pub file: String,
    /// At least one, in the file's order.
    pub all: Vec<Problem>,
}

impl std::error::Error for Problems {}

/// Longest part of a line that is shown, in characters.
const SHOWN: usize = 160;
/// Most problems that are told one by one.
const TOLD: usize = 50;

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.all.iter().take(TOLD).enumerate() {
            let Problem { line, column, .. } = problem;
            let (text, length) = &problem.shown;
            let margin = line.to_string().len();
            if at > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}:{line}:{column}: {}", self.file, problem.what)?;
            writeln!(f, "  {line} | {text}")?;
            let marks = "^".repeat(*length);
            write!(
                f,
                "  {:margin$} | {:column$}{marks}",
                "",
                "",
                column = column - 1
            )?;
        }
        let more = self.all.len().saturating_sub(TOLD);
        if more > 0 {
            write!(f, "\n{}: {more} more problems", self.file)?;
        }
        Ok(())
    }
}

/// Problems while they are found, by their places in the text.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<(Range<usize>, String)>);

impl Found {
    pub(crate) fn add(&mut self, at: Range<usize>, what: impl Into<String>) {
        self.0.push((at, what.into()));
    }

    /// What a reader of the text is told; `Ok` if there is nothing.
    pub(crate) fn told(mut self, file: &str, text: &str) -> Result<(), Problems> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(at, _)| at.start);
        let all = self.0.into_iter().map(|(at, what)| problem(text, at, what));
        Err(Problems {
            file: file.to_owned(),
            all: all.collect(),
        })
    }
}

fn problem(text: &str, at: Range<usize>, what: String) -> Problem {
    let before = text.get(..at.start).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |place| place + 1);
    let line = text.get(start..).unwrap_or_default();
    let line = line.lines().next().unwrap_or_default();
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    let whole: String = line.chars().take(SHOWN).collect();
    let meant = text.get(at).unwrap_or_default();
    let meant = meant.lines().next().unwrap_or_default().chars().count();
    let room = whole.chars().count().saturating_sub(column - 1);
    Problem {
        line: before.matches('\n').count() + 1,
        column,
        what,
        shown: (whole.replace('\t', " "), meant.min(room).max(1)),
    }
}

/// `; did you mean ...?`, where one of the words is near enough.
pub(crate) fn near<'a>(seen: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    const ENOUGH: f64 = 0.7;
    let small = seen.to_lowercase();
    let likeness = |word: &str| strsim::jaro_winkler(&small, &word.to_lowercase());
    let best = words
        .into_iter()
        .map(|word| (likeness(word), word))
        .filter(|(likeness, _)| *likeness > ENOUGH)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map_or_else(String::new, |(_, word)| format!("; did you mean {word}?"))
}

/// What serde says of a value, with a near word where it knows a field or a word not.
pub(crate) fn of_serde(message: &str) -> String {
    let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((seen, words)) if message.starts_with("unknown ") => {
            format!("{message}{}", near(seen, words.iter().copied()))
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_and_shown() {
        let text = "a = 1\nname = \"Zürich\" # ü\nrole = \"X\"\n";
        let mut found = Found::default();
        found.add(
            text.find("\"X\"").map(|at| at..at + 3).unwrap_or_default(),
            "no",
        );
        found.add(
            text.find("# ü").map(|at| at..at + 4).unwrap_or_default(),
            "so",
        );
        let told = found
            .told("f.toml", text)
            .expect_err("problems")
            .to_string();
        assert_eq!(
            told,
            "f.toml:2:17: so\n  2 | name = \"Zürich\" # ü\n    |                 ^^^\n\
             f.toml:3:8: no\n  3 | role = \"X\"\n    |        ^^^"
        );
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(
            near("EDITR", ["VIEWER", "EDITOR"]),
            "; did you mean EDITOR?"
        );
        assert_eq!(near("xyz", ["VIEWER", "EDITOR"]), "");
        let said = of_serde("unknown field `naem`, expected `name` or `role`");
        assert!(said.ends_with("; did you mean name?"), "{said}");
    }
}
