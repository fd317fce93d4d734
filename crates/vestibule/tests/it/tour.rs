//! The demo's story: every step as told, every practice in it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{run, said};

#[test]
fn every_step_of_the_demo_comes_out_as_told() {
    let output = run(["demo", "--tour", "--json"]);
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let steps: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let wrong: Vec<&Value> = steps.iter().filter(|step| step["ok"] != true).collect();
    assert!(
        wrong.is_empty() && output.status.success(),
        "{wrong:#?}\n{}",
        said(&output)
    );
    for step in &steps {
        for field in ["practice", "who", "did", "expected", "saw"] {
            assert!(
                step[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field} of {step}"
            );
        }
    }
    let named: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| step["practice"].as_str())
        .flat_map(|practices| practices.split([' ', '-']))
        .collect();
    for practice in [
        "C1", "C2", "C3", "C4", "C5", "C6", "C7", "P1", "P2", "P3", "P4", "P5", "P6", "P7",
    ] {
        assert!(named.contains(practice), "no step of {practice}");
    }
}
