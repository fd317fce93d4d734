use std::path::Path;

use super::{File, PathBuf, read};

fn none(word: &str) -> Result<(PathBuf, File), String> {
    Err(format!("there is no {word}"))
}

const GOOD: &str = r#"name = "It works"
receivers = ["inbox"]
manual = true
frozen_at = "2026-01-01T00:00:00Z"

[[step]]
name = "something arrives"
control = "receive"
body = { vaultAccountId = "0", assetId = "ETH", amount = "2.5" }
capture = { tx = "$.id" }

[[step]]
name = "it is seen"
as = "viewer"
call = "GET /v1/transactions/${tx}"
within = "5s"
expect.body."$.amount" = { eq = "2.5" }

[[step]]
name = "and told"
webhook = "inbox"
type = "transaction.created"
expect.body."$.resourceId" = "${tx}"
"#;

fn wrong(text: &str) -> String {
    match read(Path::new("s.toml"), text, &none) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_good_one_is_read() {
    let scenario = read(Path::new("s.toml"), GOOD, &none).expect("good");
    assert_eq!(scenario.steps.len(), 3);
    let lines: Vec<_> = scenario.steps.iter().map(|step| step.line).collect();
    assert_eq!(lines, [7, 13, 20]);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_was_expected() {
    let cases = [
        (
            "name = \"It works\"",
            "nam = \"x\"",
            "line 1: unknown field `nam`",
        ),
        (
            "frozen_at = \"2026-01-01T00:00:00Z\"",
            "frozen_at = \"then\"",
            "line 4: a moment is like",
        ),
        (
            "\"inbox\"]",
            "\"in box\"]",
            "line 2: a receiver's name is letters",
        ),
        (
            "manual = true",
            "workspace = \"shop\"",
            "line 3: no workspace is shipped by that name",
        ),
        (
            "manual = true",
            "network = \"moon\"",
            "line 3: a network is mainnet or testnet",
        ),
        (
            "\"receive\"",
            "\"recieve\"",
            "line 8: 'recieve' is no call of the control plane",
        ),
        (
            "{ tx = \"$.id\" }",
            "{ tx = \"id\" }",
            "line 10: 'id' is no JSONPath",
        ),
        (
            "tx = \"$.id\"",
            "t = \"$.id\"",
            "line 15: ${tx} is not known here",
        ),
        (
            "as = \"viewer\"",
            "as = \"auditr\"",
            "line 14: no API user 'auditr'; there are: admin",
        ),
        (
            "as = \"viewer\"\n",
            "",
            "line 14: a call is made by somebody",
        ),
        (
            "GET /v1/transactions/${tx}",
            "getTx",
            "line 15: 'getTx' is no operation",
        ),
        (
            "GET /v1/transactions/${tx}",
            "GET /v1/transaction/1",
            "line 15: 'GET /v1/transaction/1' is no",
        ),
        (
            "GET /v1/transactions/${tx}",
            "getTransaction",
            "line 15: in path = {...} is missing: txId",
        ),
        ("\"5s\"", "\"soon\"", "line 16: a wait is like 20s"),
        ("\"5s\"", "\"11m\"", "line 16: a wait is like 20s"),
        (
            "{ eq = \"2.5\" }",
            "{ eq = \"lots\" }",
            "line 17: 'lots' is no number",
        ),
        (
            "{ eq = \"2.5\" }",
            "{ equals = \"2.5\" }",
            "line 17: 'equals' says nothing of a place",
        ),
        (
            "{ eq = \"2.5\" }",
            "{ absent = true, eq = 1 }",
            "line 17: one thing is said",
        ),
        (
            "{ eq = \"2.5\" }",
            "{ matches = \"(\" }",
            "line 17: '(' is no regular expression",
        ),
        (
            "\"$.amount\"",
            "\"amount\"",
            "line 17: 'amount' is no JSONPath",
        ),
        (
            "webhook = \"inbox\"",
            "webhook = \"outbox\"",
            "line 21: no receiver 'outbox'",
        ),
        (
            "\"transaction.created\"",
            "\"transaction.made\"",
            "line 22: 'transaction.made' is no event's type",
        ),
        (
            "webhook = \"inbox\"",
            "webhook = \"inbox\"\nas = \"viewer\"",
            "line 22: 'as' is of no use",
        ),
        (
            "webhook = \"inbox\"",
            "webhook = \"inbox\"\ncall = \"getTransactions\"",
            "line 20: a step does one thing",
        ),
        (
            "webhook = \"inbox\"",
            "receiver = \"inbox\"",
            "line 21: a receiver answers with a status",
        ),
        (
            "[[step]]\nname = \"it is seen\"",
            "[[steps]]\nname = \"it is seen\"",
            "line 12: unknown field `steps`",
        ),
        (
            "\"$.resourceId\" = \"${tx}\"",
            "\"$.resourceId\" = ",
            "line 23: ",
        ),
    ];
    for (good, bad, said) in cases {
        assert!(GOOD.contains(good), "{good}");
        let told = wrong(&GOOD.replacen(good, bad, 1));
        let (line, what) = said
            .trim_start_matches("line ")
            .split_once(": ")
            .expect(said);
        let at = format!("s.toml:{line}:");
        let holds = told.starts_with(&at) && told.contains(what);
        assert!(holds, "{bad}: {told:?} has not {said:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let bad = GOOD
        .replace("\"receive\"", "\"recieve\"")
        .replace("\"5s\"", "\"soon\"")
        .replace("webhook = \"inbox\"", "webhook = \"outbox\"");
    let told = wrong(&bad);
    let at: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("s.toml:"))
        .collect();
    let lines = ["s.toml:8:", "s.toml:16:", "s.toml:21:"];
    assert_eq!(at.len(), 3, "{told}");
    for (is, must) in at.iter().zip(lines) {
        assert!(is.starts_with(must), "{told}");
    }
}

#[test]
fn limits() {
    assert!(wrong("name = \"x\"").contains("a scenario has steps"));
    let step = "[[step]]\nname = \"x\"\ncontrol = \"mine\"\n";
    let many = format!("name = \"x\"\n{}", step.repeat(super::MAX_STEPS + 1));
    assert!(wrong(&many).contains("at most 1000 steps"));
}
