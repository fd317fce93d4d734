//! `gate.toml` and the variables that stand above it, read; what is wrong is a sentence with its place.

use std::path::Path;

use anyhow::{Context, bail};
use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Toml};
use gate::Config;

/// What the names of the variables begin with.
const PREFIX: &str = "VESTIBULE_GATE_";

/// Reads the gate's configuration.
pub(crate) fn read(file: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    if let Err(error) = toml::from_str::<toml::Table>(&text) {
        let line = error.span().map(|span| line_at(&text, span.start));
        // A message, and what was expected on a line of its own.
        let why = error.message().replace('`', "'").replace('\n', ", ");
        bail!("{}: {why}", place(file, line));
    }
    let variables = Env::prefixed(PREFIX).ignore(&["DIR"]).split("__");
    let read = Figment::new()
        .merge(Toml::string(&text))
        .merge(variables)
        .extract();
    read.map_err(|errors: figment::Error| {
        let told: Vec<_> = errors
            .into_iter()
            .map(|error| sentence(&error, file, &text))
            .collect();
        anyhow::anyhow!(told.join("; "))
    })
}

/// One error, with where it is: a line of the file, or a variable.
fn sentence(error: &figment::Error, file: &Path, text: &str) -> String {
    let mut path = error.path.clone();
    match &error.kind {
        Kind::MissingField(name) => {
            path.push(name.to_string());
            let line = line_of(text, error.path.as_slice());
            return format!("{}: '{}' is missing", place(file, line), path.join("."));
        }
        // The unknown one itself may be the last of the path, or not in it.
        Kind::UnknownField(name, _) if path.last() != Some(name) => path.push(name.clone()),
        _ => {}
    }
    let variable = format!("{PREFIX}{}", path.join("__").to_ascii_uppercase());
    // A variable stands above the file.
    let place = if std::env::var_os(&variable).is_some() {
        format!("the variable {variable}")
    } else {
        place(file, line_of(text, &path))
    };
    format!("{place}: '{}' {}", path.join("."), wrong(&error.kind))
}

/// What is wrong with a value.
fn wrong(kind: &Kind) -> String {
    match kind {
        Kind::Message(why) => format!("cannot be used: {why}"),
        Kind::UnknownField(_, known) => {
            format!("is no setting; here are: {}", known.join(", "))
        }
        Kind::UnknownVariant(name, known) => {
            format!("cannot be '{name}', but one of: {}", known.join(", "))
        }
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            format!("must be {expected}, not {actual}").replace('`', "")
        }
        other => format!("cannot be used: {other}").replace('`', ""),
    }
}

fn place(file: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}, line {line}", file.display()),
        None => file.display().to_string(),
    }
}

/// The line, from 1, of a byte.
fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The line, from 1, where a setting or a table stands.
fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let wanted = path.join(".");
    let mut table = String::new();
    text.lines()
        .position(|line| {
            let line = line.trim();
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.split(']').next())
            {
                table = name.trim().to_owned();
                return table == wanted;
            }
            line.split_once('=').is_some_and(|(name, _)| {
                let name = name.trim().trim_matches('"');
                match table.as_str() {
                    "" => name == wanted,
                    table => format!("{table}.{name}") == wanted,
                }
            })
        })
        .map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"[upstream]
base_url = "https://api.example.com/v1"
workspace_id = "5c1f0b1e-0000-4000-8000-000000000000"
jwks_url = "https://keys.example.com/"

[serve]
listen = "127.0.0.1:1"
admin = "127.0.0.1:2"
"#;

    fn said(text: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gate.toml");
        std::fs::write(&file, text).expect("written");
        let error = read(&file).expect_err("it is wrong");
        let said = format!("{error:#}");
        let folder = format!("{}/", folder.path().display());
        said.replace(&folder, "")
    }

    #[test]
    fn what_is_wrong_is_a_sentence_with_its_line() {
        for (was, is, sentence) in [
            (
                "workspace_id =",
                "workspace_i =",
                "gate.toml, line 3: 'upstream.workspace_i' is no setting; here are: base_url, workspace_id, jwks_url, calls_per_minute",
            ),
            (
                "5c1f0b1e-0000",
                "5c1f",
                "gate.toml, line 3: 'upstream.workspace_id' cannot be used: ",
            ),
            (
                "listen = \"127.0.0.1:1\"",
                "listen = 1",
                "gate.toml, line 7: 'serve.listen' ",
            ),
            (
                "admin = \"127.0.0.1:2\"",
                "",
                "gate.toml, line 6: 'serve.admin' is missing",
            ),
            (
                "[serve]",
                "[server]",
                "gate.toml, line 6: 'server' is no setting",
            ),
            (
                "admin = \"127.0.0.1:2\"",
                "admin = \"127.0",
                "gate.toml, line 8: ",
            ),
            ("admin = \"127.0.0.1:2\"", "adm", "gate.toml, line 8: "),
        ] {
            let said = said(&GOOD.replace(was, is));
            assert!(said.starts_with(sentence), "{said}");
            assert!(!said.contains('`') && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn a_password_that_stands_in_the_file_is_refused_and_not_repeated() {
        let mail = "[mail]\nserver = \"mail.example\"\nfrom = \"g@example.com\"\nto = [\"t@example.com\"]\n[mail.login]\nuser = \"gate\"\n";
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gate.toml");
        let good = format!("{GOOD}{mail}password_file = \"mail-password\"\n");
        std::fs::write(&file, good).expect("written");
        let login = read(&file).expect("it is good").mail.expect("mail").login;
        assert_eq!(login.expect("a login").user, "gate");
        let said = said(&format!("{GOOD}{mail}password = \"hunter2\"\n"));
        assert!(
            said.contains("mail.login.password' is no setting"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn a_good_one_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gate.toml");
        std::fs::write(&file, GOOD).expect("written");
        let config = read(&file).expect("it is good");
        assert_eq!(config.serve.listen.port(), 1);
    }
}
