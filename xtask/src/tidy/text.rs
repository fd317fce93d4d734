//! Rules over the text of the repository's files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Rule, named};
use crate::repository;

/// No source file grows longer than this.
const MAX_LINES: usize = 500;

/// How SQL begins; with each, what must follow somewhere in the same text.
const SQL: [(&str, &str); 9] = [
    ("SELECT ", ""),
    ("INSERT INTO ", ""),
    ("INSERT OR ", ""),
    ("UPDATE ", " SET "),
    ("DELETE FROM ", ""),
    ("CREATE TABLE ", ""),
    ("CREATE INDEX ", ""),
    ("CREATE UNIQUE INDEX ", ""),
    ("ALTER TABLE ", ""),
];

/// Places that are right on one machine only.
const MACHINE_PATHS: [&str; 6] = [
    "/home/",
    "/root/",
    "/Users/",
    "/work/",
    "/tmp/bash_jobs",
    "C:\\Users\\",
];

/// Hosts of package registries. (Cargo writes the name of its own into `Cargo.lock`.)
const REGISTRIES: [&str; 7] = [
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "files.pythonhosted.org",
    "pypi.org/simple",
    "index.crates.io",
    "static.crates.io",
    "proxy.golang.org",
];

pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

pub fn rules() -> Result<Vec<Rule>> {
    let files = files()?;
    let length = too_long(&files);
    Ok(vec![
        Rule::new(
            "SQL stands in store and in files of rows alone",
            places(&files, may_not_hold_sql, begins_sql),
        ),
        Rule::new(
            "no path of one machine",
            places(
                &files,
                |name| !is_this_file(name),
                |line, _| MACHINE_PATHS.iter().any(|path| is_absolute(line, path)),
            ),
        ),
        Rule::new(
            "no registry's host",
            places(
                &files,
                |name| !is_this_file(name) && name != "Cargo.lock",
                |line, _| {
                    REGISTRIES.iter().any(|host| line.contains(host))
                        || line.trim_start().starts_with("\"resolved\": \"http")
                },
            ),
        ),
        length,
        named::rule(&files)?,
    ])
}

/// The product's files may not be too long; of a long test a note is enough.
fn too_long(files: &[File]) -> Rule {
    let mut rule = Rule::new("no source file is too long to read", Vec::new());
    for file in files.iter().filter(|file| is_source(&file.name)) {
        let lines = file.text.lines().count();
        if lines > MAX_LINES {
            let place = format!("{}: {lines} lines (at most {MAX_LINES})", file.name);
            if is_test(&file.name) {
                rule.notes.push(place);
            } else {
                rule.broken.push(place);
            }
        }
    }
    rule
}

fn files() -> Result<Vec<File>> {
    let mut files = Vec::new();
    for path in repository::files()? {
        let bytes =
            fs::read(repository::root().join(&path)).with_context(|| path.display().to_string())?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File {
                name: path.display().to_string(),
                text,
            });
        }
    }
    Ok(files)
}

/// The lines, with the text from there on, of which something is found.
fn places(
    files: &[File],
    of: impl Fn(&str) -> bool,
    found: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut places = Vec::new();
    for file in files.iter().filter(|file| of(&file.name)) {
        let mut at = 0;
        for (number, line) in file.text.split_inclusive('\n').enumerate() {
            if found(line, file.text.get(at..).unwrap_or_default()) {
                places.push(format!("{}:{}", file.name, number + 1));
            }
            at += line.len();
        }
    }
    places
}

fn is_source(name: &str) -> bool {
    ["rs", "py", "mjs", "js", "ts", "sh"].iter().any(|kind| {
        Path::new(name)
            .extension()
            .is_some_and(|extension| extension == *kind)
    })
}

fn is_test(name: &str) -> bool {
    name.split('/')
        .any(|part| matches!(part, "tests" | "tests.rs" | "judges"))
}

/// This file names what it looks for.
fn is_this_file(name: &str) -> bool {
    name == "xtask/src/tidy/text.rs"
}

fn may_not_hold_sql(name: &str) -> bool {
    let in_rows = name.ends_with("/rows.rs") || name.split('/').any(|part| part == "rows");
    name.ends_with(".rs") && !name.starts_with("crates/store/") && !in_rows && !is_this_file(name)
}

/// Whether a string literal that begins on this line is SQL.
fn begins_sql(line: &str, from_here: &str) -> bool {
    let quotes = line
        .char_indices()
        .filter(|(_, char)| *char == '"')
        .map(|(at, _)| at);
    quotes.into_iter().any(|at| {
        let literal = from_here
            .get(at + 1..)
            .unwrap_or_default()
            .trim_start_matches([' ', '\n', '\\']);
        let literal = literal.split('"').next().unwrap_or_default();
        SQL.iter()
            .any(|(begin, then)| literal.starts_with(begin) && literal.contains(then))
    })
}

/// Whether a path stands there as an absolute one, not as the end of another (`../work/`).
fn is_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|char| {
            char.is_alphanumeric() || matches!(char, '.' | '_' | '-' | '}' | '*' | '/' | '~')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_seen_where_it_begins() {
        let sql = |text: &str| begins_sql(text.split_inclusive('\n').next().unwrap(), text);
        assert!(sql("rows(\"SELECT a FROM b\")"));
        assert!(sql("rows(\"\n    INSERT INTO b VALUES ($1)\")"));
        assert!(sql("r#\"UPDATE b\n SET a = 1\"#"));
        assert!(!sql("\"UPDATE the address\""));
        assert!(!sql("\"DELETE\", \"SELECTED\""));
    }

    #[test]
    fn an_absolute_path_is_told_from_a_relative_one() {
        assert!(is_absolute("cd /home/me", "/home/"));
        assert!(!is_absolute("pages/home/index", "/home/"));
        assert!(!is_absolute("../work/x", "/work/"));
    }

    #[test]
    fn a_long_source_breaks_the_rule_and_a_long_test_is_noted() {
        let file = |name: &str, lines: usize| File {
            name: name.to_owned(),
            text: "x\n".repeat(lines),
        };
        let rule = too_long(&[
            file("crates/gate/src/gate.rs", MAX_LINES),
            file("crates/gate/src/log/mod.rs", MAX_LINES + 1),
            file("crates/gate/src/relay/tests.rs", MAX_LINES + 1),
            file("judges/node/gate.test.mjs", MAX_LINES + 1),
            file("docs/benchmarks.md", MAX_LINES + 1),
        ]);
        assert_eq!(
            rule.broken,
            ["crates/gate/src/log/mod.rs: 501 lines (at most 500)"]
        );
        assert_eq!(rule.notes.len(), 2);
    }

    #[test]
    fn rows_may_hold_sql() {
        assert!(may_not_hold_sql("crates/gate/src/relay/dispatch.rs"));
        for name in [
            "crates/gate/src/relay/rows.rs",
            "crates/ledger/src/rows/accounts.rs",
            "crates/store/src/lib.rs",
            "README.md",
        ] {
            assert!(!may_not_hold_sql(name), "{name}");
        }
    }
}
