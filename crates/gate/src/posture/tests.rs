use super::*;
use crate::testing::{accounts, connection};

fn known(connection: &Connection) -> Known<'_> {
    Known {
        connection,
        refused_keys: Vec::new(),
        key_bits: 4096,
        burned: false,
        shared: false,
        reports: 3,
        deliveries: [5, 1, 0],
        ages: &[],
        too_old: false,
    }
}

fn verdict(known: &Known<'_>, practice: &str) -> (Verdict, String) {
    let found = findings(known)
        .into_iter()
        .find(|one| one.practice == practice);
    let found = found.expect("a finding");
    (found.verdict, found.evidence)
}

fn editor() -> Connection {
    connection("acme", ProviderRole::Editor, accounts([1]))
}

#[test]
fn every_practice_is_looked_at_once_and_held_where_all_is_well() {
    let connection = editor();
    let all = findings(&known(&connection));
    let named: Vec<_> = all.iter().map(|one| one.practice).collect();
    assert_eq!(named, ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]);
    for one in &all {
        assert_eq!(one.verdict, Verdict::Held, "{one:?}");
        assert!(!one.evidence.is_empty() && !one.asks.is_empty());
    }
}

#[test]
fn each_practice_can_be_broken_and_says_by_what() {
    let fine = editor();
    let bare = Connection {
        addresses: Vec::new(),
        webhook: None,
        ..fine.clone()
    };
    let wide = Connection {
        addresses: vec!["198.51.0.0/16".parse().expect("a net")],
        ..fine.clone()
    };
    let everywhere = Connection {
        addresses: vec!["0.0.0.0/0".parse().expect("a net")],
        addresses_reason: Some("because".to_owned()),
        ..fine.clone()
    };
    let old = ["addresses 3 d ago".to_owned()];
    let cases = [
        (
            "C1",
            Known {
                refused_keys: vec!["the API key can do more than VIEWER".to_owned()],
                ..known(&fine)
            },
            "more than VIEWER",
        ),
        (
            "C2",
            Known {
                burned: true,
                ..known(&fine)
            },
            "burned",
        ),
        (
            "C3",
            Known {
                shared: true,
                ..known(&fine)
            },
            "elsewhere",
        ),
        ("C4", known(&bare), "no allow-list"),
        ("C4", known(&wide), "wide"),
        ("C4", known(&everywhere), "every address"),
        (
            "C5",
            Known {
                reports: 0,
                ..known(&fine)
            },
            "no report",
        ),
        ("C6", known(&bare), "poll"),
        (
            "C6",
            Known {
                deliveries: [5, 0, 1],
                ..known(&fine)
            },
            "1 failed",
        ),
        (
            "C6",
            Known {
                ages: &old,
                too_old: true,
                ..known(&fine)
            },
            "addresses 3 d ago",
        ),
    ];
    for (practice, known, evidence) in cases {
        let (verdict, said) = verdict(&known, practice);
        assert_eq!(verdict, Verdict::Broken, "{practice}: {said}");
        assert!(said.contains(evidence), "{practice}: {said}");
    }
}

/// What nobody here can tell is not called held.
#[test]
fn what_cannot_be_seen_is_said_to_be_so() {
    let requested = Connection {
        state: State::Requested,
        ..editor()
    };
    let no_reports = Known {
        reports: 0,
        ..known(&requested)
    };
    assert_eq!(verdict(&no_reports, "C5").0, Verdict::CannotBeSeen);
    let elsewhere = Connection {
        place: Place::Fireblocks,
        ..editor()
    };
    assert_eq!(verdict(&known(&elsewhere), "C7").0, Verdict::CannotBeSeen);
    let viewer = Connection {
        role: ProviderRole::Viewer,
        ..elsewhere
    };
    assert_eq!(verdict(&known(&viewer), "C7").0, Verdict::Held);
}

#[test]
fn a_scope_is_told_in_a_few_words() {
    let mut connection = editor();
    assert_eq!(
        scope_words(&connection),
        "1 accounts, every asset, 0 whitelisted"
    );
    let assets = ["BTC", "ETH"].map(|asset| asset.parse().expect("an asset"));
    connection.part.assets = AssetFilter::Only(assets.into());
    assert_eq!(
        scope_words(&connection),
        "1 accounts, BTC,ETH, 0 whitelisted"
    );
}
