//! What each operation is to a provider at a gate stands in a table of its own; this names what that
//! table does not know.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};

use super::table::Row;
use crate::repository;

/// The table that a gate decides by.
const CLASSES: &str = "crates/gate/src/access/operations.tsv";
const HEAD: &str = "path\tmethod\toperationId\tclass\treason\twords";

/// The operations that nobody has classified, and the lines that are about none, a line each.
pub fn differences(rows: &[Row]) -> Result<Vec<String>> {
    let text = fs::read_to_string(repository::root().join(CLASSES)).context(CLASSES)?;
    compare(&text, rows).context(CLASSES)
}

fn compare(text: &str, rows: &[Row]) -> Result<Vec<String>> {
    let mut lines = text.lines();
    ensure!(lines.next() == Some(HEAD), "the head is not {HEAD:?}");
    let classified: BTreeSet<_> = lines
        .map(|line| line.split('\t').take(3).collect::<Vec<_>>().join("\t"))
        .collect();
    let known: BTreeSet<_> = rows
        .iter()
        .map(|row| {
            let path = row.path.trim_end_matches("[/]");
            format!("{path}\t{}\t{}", row.method, row.operation_id)
        })
        .collect();
    let told = |how: &str, line: &String| format!("{how}: {}", line.replace('\t', " "));
    let fresh = known.difference(&classified);
    let gone = classified.difference(&known);
    Ok(fresh
        .map(|line| told("nobody has classified (a gate refuses it)", line))
        .chain(gone.map(|line| told("classified, but no operation", line)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::table::Origin;
    use super::*;

    fn row(method: &str, path: &str, id: &str) -> Row {
        Row {
            method: method.to_owned(),
            path: path.to_owned(),
            operation_id: id.to_owned(),
            tag: "Vaults".to_owned(),
            roles: None,
            paging: "none".to_owned(),
            idempotent: false,
            category: "read".to_owned(),
            writes: false,
            origin: Origin::Contract,
        }
    }

    #[test]
    fn what_a_newer_contract_adds_is_named() {
        let text =
            format!("{HEAD}\n/a\tGET\tgetA\tbooks\t-\twhy\n/b\tGET\tgetB\tnever\tmoves\twhy\n");
        let rows = [row("GET", "/a[/]", "getA"), row("POST", "/a", "makeA")];
        let told = compare(&text, &rows).expect("a table");
        assert_eq!(
            told,
            [
                "nobody has classified (a gate refuses it): /a POST makeA",
                "classified, but no operation: /b GET getB"
            ]
        );
        assert!(compare("path\n", &rows).is_err());
    }

    #[test]
    fn the_committed_tables_agree() {
        let at = repository::root().join(super::super::TABLE);
        let rows = super::super::table::read(&fs::read_to_string(at).expect("a table"));
        let told = differences(&rows.expect("a table")).expect("a table");
        assert_eq!(told, [""; 0]);
    }
}
