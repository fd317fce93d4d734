mod handed;
mod rules;

use protocol::model::policy_v2::PolicyRuleV2;
use serde_json::json;

use super::*;
use crate::posture::UNUSED;
use Practice::{C1, C3Used, C6Few, C7};
use protocol::ids::UserId;
use protocol::model::user::User;
use protocol::time::Millis;

fn user(number: u128, name: &str, role: &str) -> User {
    let id = uuid::Uuid::from_u128(number);
    let user = json!({"id": id, "name": name, "role": role, "enabled": true, "status": "READY", "userType": "API"});
    serde_json::from_value(user).expect("a user")
}

fn rule(initiator: serde_json::Value, action: &str) -> PolicyRuleV2 {
    let rule = json!({"name": "r", "id": "1", "type": "TRANSFER", "initiator": initiator,
        "source": {}, "verdict": {"action": action}});
    serde_json::from_value(rule).expect("a rule")
}

fn seen(users: Vec<User>) -> Seen {
    let addresses = users
        .iter()
        .map(|user| (user.id, Ok(vec!["203.0.113.7".to_owned()])));
    Seen {
        addresses: addresses.collect(),
        users: Ok(users),
        people: Ok(Vec::new()),
        webhooks: Ok(Vec::new()),
        rules: Ok(Vec::new()),
        theirs: Ok(Vec::new()),
        ..Seen::nothing("not asked")
    }
}

fn of(all: &[Finding], practice: &str) -> (Verdict, String) {
    let found = all
        .iter()
        .find(|one| one.practice.as_str() == practice)
        .expect("judged");
    (found.verdict, found.evidence.clone())
}

#[test]
fn each_practice_of_each_user_is_judged_and_what_no_source_tells_is_not_called_held() {
    let viewer = judge(&seen(vec![user(1, "acme", "VIEWER")]), &[]);
    let verdicts: Vec<_> = viewer
        .iter()
        .map(|one| (one.practice.as_str(), one.verdict))
        .collect();
    use Verdict::{CannotBeSeen, Held};
    assert_eq!(
        verdicts,
        [
            ("C1", Held),
            ("C2", CannotBeSeen),
            ("C3", CannotBeSeen),
            ("C3-used", CannotBeSeen),
            ("C4", Held),
            ("C5", CannotBeSeen),
            ("C6", CannotBeSeen),
            ("C7", Held),
            ("C6-few", Held),
        ]
    );
    let blind = Seen::nothing("no");
    assert!(
        judge(&blind, &[])
            .iter()
            .all(|one| one.verdict == CannotBeSeen)
    );
}

#[test]
fn what_is_broken_says_by_what() {
    let mut world = seen(vec![user(1, "acme", "SIGNER"), user(2, "other", "EDITOR")]);
    let acme = ["acme".to_owned()];
    assert_eq!(of(&judge(&world, &acme), "C1").0, Verdict::Broken);
    assert_eq!(of(&judge(&world, &[]), "C1").0, Verdict::CannotBeSeen);
    assert_eq!(
        of(&judge(&world, &["nobody".to_owned()]), "C1").0,
        Verdict::CannotBeSeen
    );
    let id = uuid::Uuid::from_u128(1);
    for (list, verdict) in [
        (Vec::new(), Verdict::Broken),
        (vec!["0.0.0.0/0".to_owned()], Verdict::Broken),
        (vec!["10.0.0.0/8".to_owned()], Verdict::Broken),
        (vec!["x".to_owned()], Verdict::CannotBeSeen),
    ] {
        world.addresses.insert(UserId(id), Ok(list));
        assert_eq!(of(&judge(&world, &acme), "C4").0, verdict);
    }
    for (rules, verdict) in [
        (vec![rule(json!("*"), "ALLOW")], Verdict::Broken),
        (
            vec![rule(json!({"users": ["else"]}), "ALLOW")],
            Verdict::Held,
        ),
        (vec![rule(json!("*"), "2-TIER")], Verdict::Held),
        (
            vec![rule(json!({"groups": ["g"]}), "ALLOW")],
            Verdict::CannotBeSeen,
        ),
    ] {
        world.rules = Ok(rules);
        let (judged, evidence) = of(&judge(&world, &acme), "C7");
        assert_eq!(judged, verdict, "{evidence}");
    }
}

#[test]
fn a_history_tells_of_use_and_invents_no_role() {
    use Verdict::{Broken, CannotBeSeen, Held};
    let (end, day) = (1_790_000_000_000, UNUSED / 30);
    let history = |notes: &[(&str, i64)]| {
        let mut history = History::default();
        for (who, days) in notes {
            history.note(who, Millis(end - days * day));
        }
        Some(history)
    };
    let long = history(&[
        ("acme", 3),
        ("acme", 50),
        ("idle", 40),
        ("own", 0),
        ("own", 60),
    ]);
    let short = history(&[("own", 0), ("own", 29)]);
    for (name, role, history, verdict, evidence) in [
        (
            "acme",
            "EDITOR",
            &long,
            Held,
            "created 2 transactions, the last on 2026-09-18",
        ),
        ("idle", "EDITOR", &long, Broken, "the last on 2026-08-12"),
        (
            "none",
            "SIGNER",
            &long,
            Broken,
            "created nothing in the history given, 2026-07-23 to 2026-09-21",
        ),
        ("none", "VIEWER", &long, CannotBeSeen, "no export tells"),
        ("none", "EDITOR", &short, CannotBeSeen, "less than 30 days"),
        ("none", "EDITOR", &None, CannotBeSeen, "no API tells"),
        (
            "none",
            "EDITOR",
            &Some(History::default()),
            CannotBeSeen,
            "empty",
        ),
    ] {
        let mut world = seen(vec![user(1, name, role)]);
        world.history.clone_from(history);
        let (judged, told) = of(&judge(&world, &[]), "C3-used");
        assert_eq!(judged, verdict, "{name} {role}: {told}");
        assert!(told.contains(evidence), "{name} {role}: {told}");
    }
    // Of whom only a name is known, silence says nothing: it may be a Viewer.
    let mut world = Seen::nothing("no key was given");
    world.history = long;
    let third = ["acme", "idle", "none"].map(str::to_owned);
    let all = judge(&world, &third);
    let told = third.each_ref().map(|name| {
        let found = all
            .iter()
            .find(|one| one.subject == *name && one.practice == C3Used);
        found.expect("judged").verdict
    });
    assert_eq!(told, [Held, Broken, CannotBeSeen]);
}

fn person(number: u128, role: &str) -> User {
    let id = uuid::Uuid::from_u128(number);
    let user = json!({"id": id, "firstName": "Ann", "lastName": "Acme", "email": "ann@acme.example",
        "role": role, "enabled": true, "status": "READY", "userType": "CONSOLE"});
    serde_json::from_value(user).expect("a user")
}

/// A third party's people are judged as its keys are, by whatever name they are called.
#[test]
fn a_third_partys_signer_in_the_console_is_found_among_all() {
    let mut world = seen(vec![user(1, "acme", "VIEWER"), user(2, "own", "ADMIN")]);
    let id = uuid::Uuid::from_u128(3).to_string();
    for name in ["ann@acme.example", "Ann Acme", &id] {
        let third = ["acme".to_owned(), name.to_owned()];
        for (role, verdict) in [
            ("SIGNER", Verdict::Broken),
            ("NON_SIGNING_ADMIN", Verdict::Broken),
            ("EDITOR", Verdict::Held),
        ] {
            world.people = Ok(vec![person(3, role)]);
            let all = judge(&world, &third);
            let whose: BTreeSet<_> = all.iter().map(|one| one.subject.as_str()).collect();
            let ann = "Ann Acme <ann@acme.example>";
            assert_eq!(whose, BTreeSet::from([ann, "acme", "workspace"]));
            let found = all
                .iter()
                .find(|one| one.subject == ann && one.practice == C1);
            let found = found.expect("judged");
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert_eq!(found.source, "GET /management/users");
        }
    }
    // Nobody was named: nobody says whose they are, and the policy for one's own people is one's own.
    world.people = Ok(vec![person(3, "SIGNER")]);
    world.rules = Ok(vec![rule(json!("*"), "ALLOW")]);
    let of_ann = judge(&world, &[])
        .into_iter()
        .filter(|one| one.subject.contains("Ann"));
    let of_ann: Vec<_> = of_ann.map(|one| (one.practice, one.verdict)).collect();
    assert_eq!(of_ann, [(C1, Verdict::CannotBeSeen)]);
    // Whoever is not among API users may be a person that the key cannot see.
    world.people = Err(Unseen::closed("not for this key"));
    let (_, told) = of(&judge(&world, &["nobody".to_owned()]), "C1");
    assert!(told.contains("not for this key"), "{told}");
}

#[test]
fn too_many_webhooks_are_told_by_their_hosts_alone() {
    let hook = |url: &str, status: &str| Hook {
        url: url.to_owned(),
        status: status.to_owned(),
    };
    let mut world = seen(Vec::new());
    let mut hooks = vec![
        hook("https://a.example/secret-path", "ENABLED"),
        hook("https://b.example/x?token=secret", "ENABLED"),
        hook("https://user:secret@c.example/", "ENABLED"),
        hook("https://gone.example/", "DISABLED"),
        hook("https://dead.example/", "SUSPENDED"),
    ];
    world.webhooks = Ok(hooks.clone());
    let (verdict, told) = of(&judge(&world, &[]), "C6-few");
    assert_eq!(verdict, Verdict::Held, "{told}");
    hooks.push(hook("https://d.example/", "ENABLED"));
    world.webhooks = Ok(hooks);
    let all = judge(&world, &[]);
    let (verdict, told) = of(&all, "C6-few");
    assert_eq!(verdict, Verdict::Broken);
    assert!(
        told.contains("6 webhooks, of which 4 send, to a.example, b.example, c.example, d.example"),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
    world.webhooks = Err(Unseen::closed("not for this key"));
    let all = judge(&world, &[]);
    let few = all.iter().find(|one| one.practice == C6Few);
    assert_eq!(few.map(|one| one.verdict), Some(Verdict::CannotBeSeen));
}

#[test]
fn an_exported_policy_is_judged_as_far_as_names_go() {
    let mut world = Seen::nothing("no key was given");
    world.exported_rules = true;
    let id = uuid::Uuid::from_u128(1).to_string();
    let named = [id.clone(), "acme".to_owned()];
    for (rules, by_id, by_name) in [
        (
            vec![rule(json!("*"), "ALLOW")],
            Verdict::Broken,
            Verdict::Broken,
        ),
        (
            vec![rule(json!("*"), "BLOCK")],
            Verdict::Held,
            Verdict::Held,
        ),
        (
            vec![
                rule(json!({"users": [id]}), "ALLOW"),
                rule(json!("*"), "BLOCK"),
            ],
            Verdict::Broken,
            Verdict::CannotBeSeen,
        ),
    ] {
        world.rules = Ok(rules);
        let all = judge(&world, &named);
        let verdict = |subject: &str| {
            let found = all
                .iter()
                .find(|one| one.subject == subject && one.practice == C7);
            let found = found.expect("judged");
            assert_eq!(found.source, "the Console's policy export");
            found.verdict
        };
        assert_eq!((verdict(&id), verdict("acme")), (by_id, by_name));
    }
    assert_eq!(judge(&world, &[]).len(), 9, "nobody is named: anybody's");
}

/// Each rule names every user, and every user is somebody's third party: what is done for each of them
/// must not grow with all of them. The figure is for people: it is told, and not judged.
#[test]
fn a_thousand_users_are_judged_in_one_go() {
    const USERS: u128 = 1_000;
    const RULES: usize = 200;
    let name = |number: u128| format!("third party {number}");
    let users: Vec<_> = (1..=USERS)
        .map(|number| user(number, &name(number), "EDITOR"))
        .collect();
    let ids: Vec<_> = users.iter().map(|user| user.id.to_string()).collect();
    let mut world = seen(users);
    world.rules = Ok(vec![rule(json!({"users": ids}), "2-TIER"); RULES]);
    for number in 1..=USERS {
        let handed = Handed {
            fingerprint: Some(format!("{number:064x}")),
            evidence: "sound".to_owned(),
        };
        world.handed.insert(name(number), handed);
    }
    let third: Vec<_> = (1..=USERS).map(name).collect();
    let before = std::time::Instant::now();
    let all = judge(&world, &third);
    println!(
        "{USERS} API users, {RULES} rules that name them all: {:?}",
        before.elapsed()
    );
    assert_eq!(all.len(), 8 * 1_000 + 1);
    assert!(all.iter().all(|one| one.verdict != Verdict::Broken));
}
