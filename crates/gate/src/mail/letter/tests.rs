use super::*;
use crate::mail::tests::{address, mail};
use crate::testing::{NOW, WORKSPACE};

fn owed(side: Side) -> Owed {
    Owed {
        connection: "acme".to_owned(),
        provider: "Acme Books".to_owned(),
        mode: Mode::Guarded,
        side,
        to: address("ops@acme.example"),
        until: NOW.plus(7 * DAY),
        days: 7,
        tries: 0,
        due_at: NOW,
        trouble: None,
    }
}

fn written_as(owed: &Owed) -> String {
    let mail = mail();
    let writer = Writer {
        mail: &mail,
        workspace: WORKSPACE,
        public: "https://gate.example",
    };
    let letter = writer.letter(owed, NOW).expect("a letter");
    String::from_utf8(letter.formatted()).expect("text")
}

/// The names of its headers, and what is beneath.
fn parts(letter: &str) -> (Vec<&str>, &str) {
    let (head, body) = letter.split_once("\r\n\r\n").expect("head and body");
    let own = |line: &&str| !line.starts_with([' ', '\t']);
    let names = head.split("\r\n").filter(own);
    let names = names.map(|line| line.split(':').next().expect("a name"));
    (names.collect(), body)
}

#[test]
fn a_letter_says_what_ends_when_and_what_extends_it() {
    for (side, to_whom) in [
        (Side::Client, "To extend it, an admin of the gate runs"),
        (Side::Provider, "To extend it, ask the client"),
    ] {
        let letter = written_as(&owed(side));
        for said in [
            "Subject: Connection acme ends on 2026-09-28 14:13 UTC\r\n",
            "From: Vestibule <gate@client.example>\r\n",
            "To: ops@acme.example\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "The connection acme of the provider \"Acme Books\"\r\nat the gate https://gate.example\r\nends on 2026-09-28 14:13 UTC, in 7 days.\r\n",
            "    vestibule gate connection change acme --until 2026-12-27 --reason 'WHY'\r\n",
            to_whom,
        ] {
            assert!(letter.contains(said), "{said}\n{letter}");
        }
    }
}

#[test]
fn a_letter_is_the_same_one_when_it_is_sent_again() {
    let id = |letter: &str| {
        let line = letter.lines().find(|line| line.starts_with("Message-ID: "));
        line.expect("an id").to_owned()
    };
    let first = owed(Side::Client);
    let again = Owed {
        tries: 3,
        due_at: NOW.plus(DAY),
        ..first.clone()
    };
    assert_eq!(id(&written_as(&first)), id(&written_as(&again)));
    let next = Owed {
        days: 1,
        ..first.clone()
    };
    assert_ne!(id(&written_as(&first)), id(&written_as(&next)));
}

#[test]
fn invariant_2_a_name_makes_no_header_no_line_and_no_end_of_a_letter() {
    let (usual, _) = {
        let letter = written_as(&owed(Side::Provider));
        let (names, body) = parts(&letter);
        (
            names.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            body.len(),
        )
    };
    let long = "A".repeat(100_000);
    for name in [
        "Acme\r\nBcc: thief@example.com",
        "Acme\nBcc: thief@example.com",
        "Acme\rBcc: thief@example.com",
        "Acme\r\n.\r\nMAIL FROM:<thief@example.com>",
        "Acme\r\n\r\n<html>",
        "\u{202e}emcA",
        "Acme\u{2028}Bcc: thief@example.com",
        "=?utf-8?q?Acme=0D=0ABcc:_thief?=",
        "B\u{fc}cher & S\u{f6}hne",
        &long,
    ] {
        let letter = written_as(&Owed {
            provider: name.to_owned(),
            // No connection is called so: `is_name` says no.
            connection: name.to_owned(),
            ..owed(Side::Provider)
        });
        let (names, body) = parts(&letter);
        let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        assert_eq!(names, usual, "{letter}");
        let begins = |start: &str| body.lines().any(|line| line.starts_with(start));
        assert!(!begins("Bcc") && !begins(".") && !begins("MAIL") && !begins("<html>"));
        assert!(letter.lines().all(|line| line.len() <= 998), "{letter}");
        assert!(letter.len() < 8_000, "{}", letter.len());
    }
}
