use super::*;
use crate::testing::{NOW, accounts, connection};

fn known(connection: &Connection) -> Known<'_> {
    Known {
        connection,
        now: NOW.plus(10 * DAY),
        refused_keys: Vec::new(),
        key_bits: 4096,
        key_since: Some(NOW),
        key_used: Some(NOW.plus(9 * DAY)),
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
        .find(|one| one.practice.as_str() == practice);
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
    assert_eq!(named, [C1, C2, C3, C3Used, C4, C5, C6, C7]);
    for one in &all {
        assert_eq!(one.verdict, Held, "{one:?}");
        assert_eq!(one.subject, "acme");
        let words = [&one.asks, one.evidence.as_str(), &one.source, &one.todo];
        assert!(words.iter().all(|words| !words.is_empty()), "{one:?}");
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
        (
            "C3-used",
            Known {
                key_used: None,
                now: NOW.plus(UNUSED),
                ..known(&fine)
            },
            "never used in 30 days",
        ),
        (
            "C3-used",
            Known {
                now: NOW.plus(9 * DAY + UNUSED),
                ..known(&fine)
            },
            "used last 30 days ago",
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
        assert_eq!(verdict, Broken, "{practice}: {said}");
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
    assert_eq!(verdict(&no_reports, "C5").0, CannotBeSeen);
    let elsewhere = Connection {
        place: Place::Fireblocks,
        ..editor()
    };
    assert_eq!(verdict(&known(&elsewhere), "C7").0, CannotBeSeen);
    let viewer = Connection {
        role: ProviderRole::Viewer,
        ..elsewhere
    };
    // A key that is new, or that nobody could use, says nothing.
    let fresh = Known {
        key_used: None,
        ..known(&viewer)
    };
    let shut = Known {
        now: NOW.plus(365 * DAY),
        ..fresh.clone()
    };
    for unused in [fresh, shut] {
        assert_eq!(verdict(&unused, "C3-used").0, CannotBeSeen);
    }
    assert_eq!(verdict(&known(&viewer), "C7").0, Held);
}

/// Whoever goes straight to Fireblocks is judged by what was handed over, and by nothing else.
#[test]
fn of_a_watched_connection_what_the_gate_has_not_seen_cannot_be_seen() {
    for role in [ProviderRole::Viewer, ProviderRole::Editor] {
        let watched = Connection {
            mode: Mode::Watched,
            role,
            ..editor()
        };
        let known = Known {
            refused_keys: vec!["no key of the gate's is used for it".to_owned()],
            ..known(&watched)
        };
        for one in findings(&known) {
            let seen = matches!(one.practice, C2 | C3);
            let expected = if seen { Held } else { CannotBeSeen };
            assert_eq!(one.verdict, expected, "{one:?}");
            assert_eq!(one.todo.contains("vestibule posture"), !seen, "{one:?}");
        }
        let burned = Known {
            burned: true,
            ..known
        };
        assert_eq!(verdict(&burned, "C2").0, Broken);
    }
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
