//! What third parties handed over, and what could not be looked at.

use super::*;

#[test]
fn what_was_handed_over_tells_whose_keys_they_are() {
    use Verdict::{Broken, CannotBeSeen, Held};
    let handed = |fingerprint: Option<&str>| Handed {
        fingerprint: fingerprint.map(str::to_owned),
        evidence: "seen".to_owned(),
    };
    let mut world = Seen::nothing("no key was given");
    world.handed.insert("acme".to_owned(), handed(Some("aa")));
    assert_eq!(of(&judge(&world, &[]), "C2").0, Held);
    assert_eq!(of(&judge(&world, &[]), "C3").0, CannotBeSeen, "one alone");
    world.handed.insert("books".to_owned(), handed(Some("bb")));
    world.handed.insert("cloud".to_owned(), handed(Some("aa")));
    world.handed.insert("dodgy".to_owned(), handed(None));
    let all = judge(&world, &[]);
    let verdict = |subject: &str, practice: &str| {
        let found = all
            .iter()
            .find(|one| one.subject == subject && one.practice.as_str() == practice);
        found.expect("judged").verdict
    };
    for (subject, own, shared) in [
        ("acme", Held, Broken),
        ("books", Held, Held),
        ("cloud", Held, Broken),
        ("dodgy", Broken, CannotBeSeen),
    ] {
        assert_eq!(
            (verdict(subject, "C2"), verdict(subject, "C3")),
            (own, shared),
            "{subject}"
        );
        assert_eq!(verdict(subject, "C1"), CannotBeSeen);
    }
    // Beside an API user it is found by name or id.
    let id = uuid::Uuid::from_u128(1).to_string();
    for by in ["acme", &id] {
        let mut world = seen(vec![user(1, "acme", "EDITOR")]);
        world.handed.insert(by.to_owned(), handed(Some("aa")));
        assert_eq!(of(&judge(&world, &[]), "C2").0, Held);
        // Its own key is not another's, and what was refused is no key to compare it with.
        assert_eq!(of(&judge(&world, &[]), "C3").0, CannotBeSeen);
        world.handed.insert("dodgy".to_owned(), handed(None));
        assert_eq!(of(&judge(&world, &[]), "C3").0, CannotBeSeen);
        for (key, verdict, told) in [("bb", Held, "the 1 other"), ("aa", Broken, "'books'")] {
            world.handed.insert("books".to_owned(), handed(Some(key)));
            let (judged, evidence) = of(&judge(&world, &[]), "C3");
            assert_eq!(judged, verdict, "{by}: {evidence}");
            assert!(evidence.contains(told), "{by}: {evidence}");
        }
    }
}

#[test]
fn a_csr_is_of_one_api_user_or_it_is_wrong() {
    let users = || {
        vec![
            user(1, "acme", "EDITOR"),
            user(2, "twin", "EDITOR"),
            user(3, "twin", "VIEWER"),
        ]
    };
    let id = uuid::Uuid::from_u128(1).to_string();
    let other = uuid::Uuid::from_u128(3).to_string();
    let nobody = WrongName::Nobody("amce".to_owned());
    let several = WrongName::Several("twin".to_owned());
    let same = WrongName::Same(id.clone(), "acme".to_owned());
    for (names, wrong) in [
        (vec![], None),
        (vec!["acme"], None),
        (vec![id.as_str(), other.as_str()], None),
        (vec!["acme", "amce"], Some(nobody)),
        (vec!["twin"], Some(several)),
        (vec![id.as_str(), "acme"], Some(same)),
    ] {
        let mut world = seen(users());
        for name in &names {
            let handed = Handed {
                fingerprint: Some("aa".to_owned()),
                evidence: "seen".to_owned(),
            };
            world.handed.insert((*name).to_owned(), handed);
        }
        assert_eq!(world.check_handed().err(), wrong, "{names:?}");
        // Where nobody is seen, nobody can tell.
        world.users = Err(Unseen::closed("not for this key"));
        assert_eq!(world.check_handed(), Ok(()));
    }
}

/// What a role may not read, and what no other source was given for, is no failure.
#[test]
fn a_look_that_failed_is_told_apart_from_one_that_was_not_allowed() {
    let mut world = seen(vec![user(1, "acme", "EDITOR")]);
    assert_eq!(world.failures().count(), 0);
    world.people = Err(Unseen::closed("not for this key"));
    assert_eq!(world.failures().count(), 0);
    let failed = |what: &str| Unseen::failed(what);
    world.webhooks = Err(failed("webhooks"));
    world.theirs = Err(failed("findings"));
    world.rules = Err(failed("rules"));
    let id = UserId(uuid::Uuid::from_u128(1));
    world.addresses.insert(id, Err(failed("a list")));
    let all: Vec<_> = world.failures().collect();
    assert_eq!(all, ["webhooks", "rules", "findings", "a list"]);
    (world.users, world.people) = (Err(failed("users")), Err(failed("people")));
    assert_eq!(world.failures().count(), 6);
    // The Console's export tells the same.
    world.rules = Ok(Vec::new());
    assert_eq!(world.failures().count(), 5);
}
