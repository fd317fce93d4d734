//! Which role may call what, as the running server says it: one golden table. To write it anew:
//! `UPDATE_ROLES=1 cargo nextest run -p sandbox roles`.

use std::fmt::Write as _;

use protocol::operations::{self, Operation};
use serde_json::Value;

use crate::caller::Caller;

const GOLDEN: &str = include_str!("roles.tsv");

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_what_the_table_says() {
    let caller = Caller::start().await;
    let mut table = String::from("operation");
    for role in caller.roles() {
        let _ = write!(table, "\t{}", role.as_str());
    }
    table.push('\n');
    let mut all: Vec<&'static Operation> = operations::all().iter().collect();
    all.sort_by_key(|operation| operation.id.as_str());
    for operation in all {
        table.push_str(operation.id.as_str());
        for number in 0..caller.roles().len() {
            let answer = caller.knock(operation, number).await;
            let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let may = !(answer.status == 401 && told["code"] == -8);
            let _ = write!(table, "\t{}", if may { "yes" } else { "-" });
        }
        table.push('\n');
    }
    caller.stop().await;
    if std::env::var_os("UPDATE_ROLES").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/variants/roles.tsv");
        std::fs::write(file, &table).expect("written");
    } else {
        assert!(
            table == GOLDEN,
            "the table of roles has changed: look at the difference, then write it anew"
        );
    }
}
