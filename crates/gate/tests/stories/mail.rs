//! Reminders by mail: to both sides, once, as safely as it was said, and later where it cannot be now.

use std::time::{Duration, Instant};

use gate::config::{Mail, MailTls};
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};

use crate::desk::{Desk, comes_in};
use crate::post_office::{Manner, PASSWORD, PostOffice};
use crate::quorum::{days, kinds};
use crate::world::until;

const REACHED: &str = "the mail server lets the gate in";
const GONE_OUT: &str = "reminders by mail have gone out";
const CONTACT: &str = "ops@acme.example";

/// A gate that sends by this server.
async fn desk(office: &PostOffice, set: impl FnOnce(&mut Mail)) -> Desk {
    let mut mail = office.mail();
    set(&mut mail);
    Desk::with(|config| config.mail = Some(mail)).await
}

/// A provider whose connection ends in five days.
async fn ends_soon(desk: &Desk, name: &str) {
    desk.enrol(name).await;
    let near =
        json!({"until": days(5), "contact": format!("ops@{name}.example"), "reason": "it ends"});
    desk.act(&desk.owner, name, "change", near).await.fine();
}

/// What `doctor` says of something.
async fn check(desk: &Desk, what: &str) -> Value {
    let status = desk.look("/status").await;
    let checks = status["checks"].as_array().expect("checks").iter();
    let found = checks.into_iter().find(|check| check["what"] == what);
    found.expect("the check").clone()
}

async fn waiting(desk: &Desk) -> Vec<Value> {
    let status = desk.look("/status").await;
    status["letters"].as_array().expect("letters").clone()
}

/// To whom letters went.
fn addressed(office: &PostOffice) -> Vec<String> {
    let mut all: Vec<_> = office
        .letters()
        .into_iter()
        .map(|letter| letter.to)
        .collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn both_sides_are_written_to_once_over_tls_by_whom_the_server_knows() {
    let office = PostOffice::open().await;
    let mut desk = desk(&office, |_| {}).await;
    ends_soon(&desk, "acme").await;
    until("both sides have a letter", || async {
        office.letters().len() == 2
    })
    .await;
    assert_eq!(
        addressed(&office),
        ["<ops@acme.example>", "<treasury@client.example>"]
    );
    for letter in office.letters() {
        assert!(letter.safely, "{letter:?}");
        let (text, subject) = (&letter.text, letter.header("Subject"));
        assert!(
            subject.starts_with("Subject: Connection acme ends on 20"),
            "{subject}"
        );
        assert!(
            text.contains("The connection acme of the provider \"acme Ltd\""),
            "{text}"
        );
        assert!(
            text.contains("vestibule gate connection change acme --until 20"),
            "{text}"
        );
    }
    until("the log tells of both", || async {
        let mailed = kinds(&desk).await.into_iter();
        mailed
            .filter(|kind| kind == "connection_reminder_mailed")
            .count()
            == 2
    })
    .await;
    for what in [REACHED, GONE_OUT] {
        let check = check(&desk, what).await;
        assert_eq!(check["ok"], true, "{check}");
    }
    assert!(waiting(&desk).await.is_empty());
    // Written down: a restart and another connection's letters bring none of them again.
    desk.gate.stop().await;
    desk.gate.start().await;
    let admin = format!("http://{}", desk.gate.config.serve.admin);
    desk.owner.origin = admin;
    ends_soon(&desk, "bolt").await;
    until("the next two are there", || async {
        office.letters().len() >= 4
    })
    .await;
    assert_eq!(office.letters().len(), 4);
    let told = addressed(&office);
    assert_eq!(
        told.iter().filter(|to| to.contains("acme")).count(),
        1,
        "{told:?}"
    );
    for line in office.heard_in_clear() {
        assert!(
            line.starts_with("EHLO ") || line == "STARTTLS",
            "in clear: {line}"
        );
    }
}

#[tokio::test]
async fn where_tls_is_implicit_nothing_at_all_is_said_before_it() {
    let office = PostOffice::open().await;
    office.is(Manner {
        implicit: true,
        ..Manner::default()
    });
    let desk = desk(&office, |mail| mail.tls = MailTls::Implicit).await;
    ends_soon(&desk, "acme").await;
    until("both sides have a letter", || async {
        office.letters().len() == 2
    })
    .await;
    assert!(office.letters().iter().all(|letter| letter.safely));
    assert!(office.heard_in_clear().is_empty());
}

#[tokio::test]
async fn invariant_2_a_server_without_tls_hears_nothing_until_it_has_some() {
    let office = PostOffice::open().await;
    office.is(Manner {
        clear: true,
        ..Manner::default()
    });
    let desk = desk(&office, |_| {}).await;
    ends_soon(&desk, "acme").await;
    until("it was tried again", || async { office.came() >= 3 }).await;
    let check = check(&desk, REACHED).await;
    assert_eq!(check["ok"], false, "{check}");
    let saw = check["saw"].as_str().expect("text");
    assert!(
        saw.contains("no STARTTLS") && saw.contains(" as gate: "),
        "{saw}"
    );
    assert_eq!(waiting(&desk).await.len(), 2);
    for line in office.heard_in_clear() {
        assert!(
            line.starts_with("EHLO ") || line == "QUIT",
            "in clear: {line}"
        );
    }
    assert!(office.letters().is_empty());
    office.is(Manner::default());
    until("it has TLS by now", || async {
        office.letters().len() == 2
    })
    .await;
    assert!(office.letters().iter().all(|letter| letter.safely));
}

#[tokio::test]
async fn invariant_2_a_server_that_nobody_vouches_for_and_a_wrong_password_get_no_letter() {
    let office = PostOffice::open().await;
    let stranger = desk(&office, |mail| mail.trust = None).await;
    ends_soon(&stranger, "acme").await;
    until("it was tried", || async { office.came() >= 1 }).await;
    let reached = check(&stranger, REACHED).await;
    assert_eq!(reached["ok"], false, "{reached}");
    assert!(
        reached["saw"].to_string().contains("ertificate"),
        "{reached}"
    );

    let unknown = desk(&office, |_| {}).await;
    std::fs::write(office.file("password"), "battery staple").expect("written");
    ends_soon(&unknown, "acme").await;
    let reached = check(&unknown, REACHED).await;
    assert_eq!(reached["ok"], false, "{reached}");
    assert!(reached["saw"].to_string().contains("535"), "{reached}");
    assert!(!reached.to_string().contains("battery"), "{reached}");
    assert!(office.letters().is_empty());
    // It is read again each time.
    std::fs::write(office.file("password"), PASSWORD).expect("written");
    until("it is let in", || async { office.letters().len() == 2 }).await;
}

/// As in CVE-2011-0411 and its kin, from the other side: answers that come before TLS has begun.
#[tokio::test]
async fn invariant_2_what_is_said_before_tls_has_begun_counts_for_nothing() {
    let office = PostOffice::open().await;
    let feigned = Manner {
        feigned: Some(
            "250-post.example\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 fine\r\n250 fine\r\n354 go on\r\n250 taken\r\n",
        ),
        ..Manner::default()
    };
    office.is(feigned);
    let desk = desk(&office, |_| {}).await;
    ends_soon(&desk, "acme").await;
    until("it was tried again", || async { office.came() >= 2 }).await;
    let check = check(&desk, REACHED).await;
    assert_eq!(check["ok"], false, "{check}");
    let waiting = waiting(&desk).await;
    assert_eq!(waiting.len(), 2, "none was taken: {waiting:?}");
    assert!(office.letters().is_empty());
}

#[tokio::test]
async fn a_server_that_is_down_gets_the_letters_once_it_is_up() {
    let mut office = PostOffice::shut().await;
    let desk = desk(&office, |_| {}).await;
    ends_soon(&desk, "acme").await;
    until("they wait", || async { waiting(&desk).await.len() == 2 }).await;
    let check = check(&desk, REACHED).await;
    assert_eq!(check["ok"], false, "{check}");
    office.opens();
    until("both sides have a letter", || async {
        office.letters().len() == 2
    })
    .await;
    until("none waits", || async { waiting(&desk).await.is_empty() }).await;
}

#[tokio::test]
async fn an_address_that_is_refused_holds_up_no_other() {
    let office = PostOffice::open().await;
    office.is(Manner {
        refuses: Some("treasury@client.example"),
        ..Manner::default()
    });
    let desk = desk(&office, |_| {}).await;
    ends_soon(&desk, "acme").await;
    until("the other has its letter", || async {
        addressed(&office) == ["<ops@acme.example>"]
    })
    .await;
    until("it is tried again", || async {
        let waiting = waiting(&desk).await;
        waiting.len() == 1 && waiting[0]["tries"].as_u64() >= Some(2)
    })
    .await;
    let one = waiting(&desk).await[0].clone();
    assert_eq!(
        (&one["to"], &one["side"]),
        (&json!("treasury@client.example"), &json!("client"))
    );
    let trouble = one["trouble"].as_str().expect("text");
    assert!(trouble.contains("550"), "{trouble}");
    assert!(!trouble.contains(char::is_control), "{trouble:?}");
    let gone = check(&desk, GONE_OUT).await;
    assert_eq!(gone["ok"], false, "{gone}");
    assert_eq!(check(&desk, REACHED).await["ok"], true);
    office.is(Manner::default());
    until("it has its letter", || async {
        office.letters().len() == 2
    })
    .await;
    assert_eq!(addressed(&office).len(), 2);
}

#[tokio::test]
async fn a_server_that_says_nothing_slows_nobody() {
    let office = PostOffice::open().await;
    office.is(Manner {
        silent: true,
        ..Manner::default()
    });
    let mut desk = desk(&office, |_| {}).await;
    ends_soon(&desk, "acme").await;
    until("a letter is on its way", || async { office.came() >= 1 }).await;
    let begun = Instant::now();
    let bolt = desk.enrol("bolt").await;
    assert_eq!(comes_in(&bolt).await, 200);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    let reached = check(&desk, REACHED).await;
    assert_eq!(reached["ok"], false, "{reached}");
    assert!(
        reached["saw"].to_string().contains("within 5 seconds"),
        "{reached}"
    );
    let begun = Instant::now();
    desk.gate.stop().await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_contact_is_one_address_which_may_be_named_changed_and_taken_away() {
    let office = PostOffice::open().await;
    office.is(Manner {
        clear: true,
        ..Manner::default()
    });
    // On this machine it may.
    let desk = desk(&office, |mail| mail.tls = MailTls::None).await;
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    for bad in [
        "Ops <ops@acme.example>",
        "ops@acme.example\r\nBcc: x@example.com",
        "",
    ] {
        let asked = desk.hand_over("acme", &key, json!({"contact": bad})).await;
        assert_eq!(asked.status, 400, "{bad}");
    }
    desk.hand_over("acme", &key, json!({"contact": CONTACT}))
        .await
        .fine();
    let contact = || async { desk.look("/connections/acme").await["contact"].clone() };
    assert_eq!(contact().await, CONTACT);
    // What is not named stays.
    desk.act(&desk.owner, "acme", "approve", json!({}))
        .await
        .fine();
    assert_eq!(contact().await, CONTACT);
    let none = json!({"contact": null, "reason": "they left"});
    let done = desk.act(&desk.owner, "acme", "change", none).await.fine();
    assert_eq!(done["direction"], "narrows");
    assert_eq!(
        done["changed"],
        json!([format!("contact: {CONTACT} -> nobody")])
    );
    assert_eq!(contact().await, Value::Null);
    let near = json!({"until": days(5), "reason": "it ends"});
    desk.act(&desk.owner, "acme", "change", near).await.fine();
    until("the client's people have theirs", || async {
        office.letters().len() == 1
    })
    .await;
    let silent = check(&desk, GONE_OUT).await;
    assert!(
        silent["saw"]
            .to_string()
            .contains("at the provider of acme"),
        "{silent}"
    );
    // Whoever is named late hears at once.
    let late = json!({"contact": "it@acme.example", "reason": "a new one"});
    desk.act(&desk.owner, "acme", "change", late).await.fine();
    until("the new one has its letter", || async {
        office.letters().len() == 2
    })
    .await;
    assert_eq!(
        addressed(&office),
        ["<it@acme.example>", "<treasury@client.example>"]
    );
}
