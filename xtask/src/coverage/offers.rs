//! What the official clients have a method for: read from their generated code, as the judges install it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::repository;

/// A client that has at least this many methods is one that was read.
const FEWEST: usize = 200;

/// A method and a path whose parameters have no names: clients name them otherwise.
pub type Place = (String, String);

/// How a client's code tells where its methods go.
struct Dialect {
    client: &'static str,
    folder: fn() -> Result<PathBuf>,
    ending: &'static str,
    read: fn(&str) -> Vec<Place>,
}

const DIALECTS: [Dialect; 2] = [
    Dialect {
        client: "python",
        folder: python,
        ending: "_api.py",
        read: read_python,
    },
    Dialect {
        client: "typescript",
        folder: typescript,
        ending: "-api.js",
        read: read_typescript,
    },
];

/// Each client, and where its methods go.
pub fn all() -> Result<Vec<(&'static str, BTreeSet<Place>)>> {
    DIALECTS
        .iter()
        .map(|dialect| Ok((dialect.client, dialect.places()?)))
        .collect()
}

/// Where an operation of our table is.
pub fn place(method: &str, path: &str) -> Place {
    (method.to_owned(), unnamed(path))
}

impl Dialect {
    fn places(&self) -> Result<BTreeSet<Place>> {
        let folder = (self.folder)()?;
        let mut places = BTreeSet::new();
        let missing = || {
            format!(
                "{}: cargo xtask test --only python --only node",
                folder.display()
            )
        };
        for entry in fs::read_dir(&folder).with_context(missing)? {
            let file = entry?.path();
            if file.to_string_lossy().ends_with(self.ending) {
                places.extend((self.read)(&fs::read_to_string(&file)?));
            }
        }
        ensure!(
            places.len() >= FEWEST,
            "{} shows {} methods: its code is written otherwise now",
            folder.display(),
            places.len()
        );
        Ok(places)
    }
}

fn python() -> Result<PathBuf> {
    let lib = repository::target().join("judges/venv/lib");
    let versions = fs::read_dir(&lib).with_context(|| lib.display().to_string())?;
    for version in versions {
        let api = version?.path().join("site-packages/fireblocks/api");
        if api.is_dir() {
            return Ok(api);
        }
    }
    Ok(lib)
}

fn typescript() -> Result<PathBuf> {
    let api = Path::new("judges/node/node_modules/@fireblocks/ts-sdk/dist/api");
    Ok(repository::target().join(api))
}

/// `method='POST', resource_path='/tags/{tagId}'`, one below the other.
fn read_python(text: &str) -> Vec<Place> {
    let parts = text.split("method='").skip(1);
    parts
        .filter_map(|part| {
            let (method, rest) = part.split_once('\'')?;
            let (between, rest) = rest.split_once("resource_path='")?;
            let (path, _) = rest.split_once('\'')?;
            between
                .trim_matches([',', ' ', '\n'])
                .is_empty()
                .then(|| place(method, path))
        })
        .collect()
}

/// `localVarPath = "/tags/{tagId}"`, and the method some lines later.
fn read_typescript(text: &str) -> Vec<Place> {
    let parts = text.split("localVarPath = \"").skip(1);
    parts
        .filter_map(|part| {
            let (path, rest) = part.split_once('"')?;
            let (_, rest) = rest.split_once("method: '")?;
            let (method, _) = rest.split_once('\'')?;
            Some(place(method, path))
        })
        .collect()
}

/// A path without the names of its parameters, and without a slash that may be left away.
fn unnamed(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path.trim_end_matches("[/]");
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        text.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clients_code_is_read() {
        let python = "self.x(\n    method='PATCH',\n    resource_path='/tags/{tagId}',\n)\nother(method='GET')";
        let typescript =
            "localVarPath = \"/tags/{tag_id}\"\n .replace();\n x({ method: 'PATCH' }, y)";
        let wanted = vec![place("PATCH", "/tags/{id}")];
        assert_eq!(read_python(python), wanted);
        assert_eq!(read_typescript(typescript), wanted);
        assert_eq!(
            place("POST", "/vault/accounts/bulk[/]"),
            place("POST", "/vault/accounts/bulk")
        );
        assert_ne!(place("GET", "/a/{b}"), place("GET", "/a/{b}/c"));
    }
}
