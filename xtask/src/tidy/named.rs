//! Pages that promise by naming tests: each test that they name is there.

use std::collections::BTreeSet;

use regex::Regex;

use super::Rule;
use super::text::File;

/// The pages whose code words of several parts are names of tests.
const PAGES: [&str; 2] = ["docs/threat-model.md", "docs/asvs.md"];

pub fn rule(files: &[File]) -> anyhow::Result<Rule> {
    let function = Regex::new(r"\b(?:fn|def) ([a-z0-9_]+)")?;
    let is_source = |file: &&File| file.name.ends_with(".rs") || file.name.ends_with(".py");
    let sources = files.iter().filter(is_source);
    let there: BTreeSet<&str> = sources
        .flat_map(|file| function.captures_iter(&file.text))
        .filter_map(|found| Some(found.get(1)?.as_str()))
        .collect();
    // A name of a test has at least three words; what has fewer is a word of its own.
    let named = Regex::new(r"`(?:attacks::)?([a-z0-9]+(?:_[a-z0-9]+){2,})`")?;
    let mut broken = Vec::new();
    for page in files
        .iter()
        .filter(|file| PAGES.contains(&file.name.as_str()))
    {
        for (number, line) in (1..).zip(page.text.lines()) {
            let names = named.captures_iter(line).filter_map(|found| found.get(1));
            let missing = names.filter(|name| !there.contains(name.as_str()));
            broken.extend(missing.map(|name| format!("{}:{number}: {}", page.name, name.as_str())));
        }
    }
    Ok(Rule::new("pages name tests that are there", broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_gone_is_missed() {
        let file = |name: &str, text: &str| File {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let rule = rule(&[
            file("crates/gate/src/a.rs", "fn invariant_1_it_holds() {}"),
            file("judges/python/test_a.py", "def test_it_is_judged():"),
            file(
                "docs/threat-model.md",
                "| `attacks::invariant_1_it_holds`, `kill_9`, `test_it_is_judged` |\n| `invariant_2_it_is_gone` |",
            ),
        ]);
        let broken = rule.expect("a rule").broken;
        assert_eq!(broken, ["docs/threat-model.md:2: invariant_2_it_is_gone"]);
    }
}
