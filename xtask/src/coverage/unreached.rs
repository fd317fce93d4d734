//! What an official client has a method for and no suite called, but for the exceptions that
//! `judges/unreached.tsv` gives a reason for.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::Row;
use crate::repository;

const EXCEPTIONS: &str = "judges/unreached.tsv";

/// Client and operation.
type Pair = (String, String);

/// What is wrong, a line each: operations that were not reached, and exceptions that are none.
pub fn faults(rows: &[Row]) -> Result<Vec<String>> {
    let file = repository::root().join(EXCEPTIONS);
    let mut table = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_path(&file)
        .with_context(|| file.display().to_string())?;
    let mut exceptions = BTreeSet::new();
    for record in table.records() {
        let record = record?;
        let column = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        anyhow::ensure!(
            !column(2).is_empty(),
            "{EXCEPTIONS}: {} has no reason",
            column(1)
        );
        exceptions.insert((column(0), column(1)));
    }
    Ok(compared(&unreached(rows), &exceptions))
}

fn unreached(rows: &[Row]) -> BTreeSet<Pair> {
    rows.iter()
        .filter(|row| row.service != super::NOT_SERVED)
        .flat_map(|row| {
            let missing = row.offered_by.difference(&row.reached_by);
            missing.map(|client| (client.clone(), row.operation.clone()))
        })
        .collect()
}

fn compared(unreached: &BTreeSet<Pair>, exceptions: &BTreeSet<Pair>) -> Vec<String> {
    let missed = unreached.difference(exceptions).map(|(client, operation)| {
        format!("no judge calls {operation}, which the {client} client has a method for")
    });
    let idle = exceptions.difference(unreached).map(|(client, operation)| {
        format!(
            "{EXCEPTIONS} excepts {operation} for the {client} client, which needs no exception"
        )
    });
    missed.chain(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(operation: &str, offered_by: &[&str], reached_by: &[&str]) -> Row {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Row {
            operation: operation.to_owned(),
            offered_by: names(offered_by),
            reached_by: names(reached_by),
            service: "stateful".to_owned(),
            ..Row::default()
        }
    }

    #[test]
    fn what_is_offered_and_not_reached_is_named() {
        let rows = [
            row(
                "getTag",
                &["python", "typescript"],
                &["python", "typescript", "rust"],
            ),
            row("getJob", &["python"], &["rust"]),
            row("getAudits", &[], &[]),
            Row {
                service: super::super::NOT_SERVED.to_owned(),
                ..row("setAmlVerdict", &["python"], &[])
            },
        ];
        let missed = unreached(&rows);
        let pair = |client: &str, operation: &str| (client.to_owned(), operation.to_owned());
        assert_eq!(missed, BTreeSet::from([pair("python", "getJob")]));
        let told = compared(&missed, &BTreeSet::new());
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("getJob"), "{told:?}");
        assert!(compared(&missed, &missed).is_empty());
        let idle = compared(
            &missed,
            &BTreeSet::from([pair("python", "getJob"), pair("typescript", "getTag")]),
        );
        assert!(idle[0].contains("needs no exception"), "{idle:?}");
    }
}
