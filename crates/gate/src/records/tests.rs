use std::fs;

use protocol::role::ProviderRole;
use uuid::Uuid;

use super::*;
use crate::connections::Provider;
use crate::log::segments::Whose;
use crate::meters::Meter;
use crate::testing::{NOW, WORKSPACE, World, accounts, connection, door_keys};

fn provider(name: &str) -> Arc<Provider> {
    let connection = connection(name, ProviderRole::Viewer, accounts([1, 2]));
    Arc::new(Provider {
        keys: door_keys(&connection),
        scope: connection.scope(WORKSPACE),
        scope_id: connection.scope(WORKSPACE).id(),
        seal: ledger::reads::Seal::of(b"a secret", name),
        meter: Arc::new(Meter::new(connection.budgets)),
        connection,
    })
}

fn read(provider: &Provider, at: i64, rows: usize) -> Record<'_> {
    let connection = &provider.connection;
    Record {
        at: NOW.plus(at),
        connection: connection.name.as_str().into(),
        key: connection.api_key,
        fingerprint: connection.fingerprint.as_str().into(),
        scope: provider.scope_id.to_string().into(),
        from: IpAddr::from([192, 0, 2, 7]),
        operation: "getTransactions".into(),
        target: "/v1/transactions?limit=2".into(),
        status: 200,
        rows: Some(rows),
        bytes: 100 * rows,
        request: RequestId(Uuid::from_u128(5)),
    }
}

fn all(folder: &std::path::Path, wanted: &Wanted) -> (Found, Vec<Record<'static>>) {
    let mut records = Vec::new();
    let found = find(folder, wanted, |record| {
        records.push(record.clone());
        Ok::<_, std::io::Error>(())
    });
    (found.expect("read"), records)
}

#[tokio::test]
async fn what_was_read_can_be_told_and_its_digest_stands_in_the_log() {
    let test = World::new().await;
    let (gate, acme, other) = (&test.gate, provider("acme"), provider("other"));
    for (number, of) in [&acme, &other, &acme].into_iter().enumerate() {
        let at = number.try_into().expect("small");
        gate.recorder.record(read(of, at, 2)).expect("taken");
    }
    write(gate, false).await;
    let wanted = Wanted {
        connection: Some("acme".to_owned()),
        since: Some(NOW.plus(1)),
        until: None,
    };
    let (found, records) = all(&gate.folder.access(), &wanted);
    assert_eq!(
        (found.all.reads, found.all.rows, found.unreadable),
        (1, 2, 0)
    );
    assert_eq!(records[0].at, NOW.plus(2));
    assert_eq!(records[0].scope, acme.scope.id().to_string());
    assert_eq!(records[0].fingerprint, acme.connection.fingerprint);
    assert_eq!(
        test.count("gate_log_leaves").await,
        1,
        "the segment is open"
    );
    write(gate, true).await;
    assert_eq!(test.count("gate_log_leaves").await, 2);
}

/// Whatever is done to a closed segment, the log tells.
#[tokio::test]
async fn a_changed_segment_is_found() {
    let test = World::new().await;
    let (gate, acme) = (&test.gate, provider("acme"));
    gate.recorder.record(read(&acme, 0, 0)).expect("taken");
    write(gate, true).await;
    let workspace = gate.workspace();
    let told = gate.store.read(move |reading| {
        rows::log::of_kind(reading, workspace, "access_segment_closed", u64::MAX >> 1)
    });
    let told = told.await.expect("read");
    let told = Entry::read(told[0].as_bytes()).expect("an entry");
    let Event::AccessSegmentClosed {
        segment,
        records,
        sha256,
        ..
    } = told.event
    else {
        panic!("{told:?}");
    };
    let told = [log::ToldSegment {
        gate: None,
        number: segment,
        sha256,
        deleted: false,
    }];
    let folder = gate.folder.access();
    assert_eq!((segment, records), (1, 1));
    let (own, copy) = (Whose::Gate(None), Whose::Copy);
    let check = |whose| log::segments::check(&folder, &told, whose);
    assert_eq!(check(own).expect("as it was"), 0);
    let file = folder.join(log::segments::file_name(1));
    let whole = fs::read_to_string(&file).expect("a segment");
    fs::write(&file, whole.replace("192.0.2.7", "192.0.2.8")).expect("changed");
    assert!(
        check(own)
            .expect_err("changed")
            .to_string()
            .contains("00000001.jsonl")
    );
    fs::remove_file(&file).expect("removed");
    assert!(check(own).is_err(), "one is missing");
    assert_eq!(check(copy).expect("a copy without it"), 1);
}

/// Whoever asks what was read is told where that cannot be known from what is there.
#[tokio::test]
async fn what_is_told_of_changed_records_says_so() {
    let test = World::new().await;
    let (gate, acme) = (&test.gate, provider("acme"));
    for at in 0..4 {
        gate.recorder.record(read(&acme, at, 1)).expect("taken");
        write(gate, at < 3).await;
    }
    let folder = gate.folder.access();
    let told = told(&gate.store, gate.workspace(), None).await;
    let told = told.expect("read");
    let file = |number| folder.join(log::segments::file_name(number));
    let broken = |wanted: &Wanted, gone: &[Gone]| -> Vec<String> {
        let found = all(&folder, wanted).0;
        let broken = told.broken(&found, wanted, gone);
        broken.iter().map(ToString::to_string).collect()
    };
    let (every, late) = (
        Wanted::default(),
        Wanted {
            since: Some(NOW.plus(2)),
            ..Wanted::default()
        },
    );
    assert_eq!(broken(&every, &[]), [""; 0], "the fourth takes records now");
    let whole = fs::read_to_string(file(1)).expect("a segment");
    fs::write(file(1), whole.replace("192.0.2.7", "192.0.2.8")).expect("changed");
    let changed = "the access records 00000001.jsonl: they are not those that the log tells of";
    // Also where another time is asked for: nobody knows when its records were.
    for wanted in [&every, &late] {
        assert_eq!(broken(wanted, &[]), [changed]);
    }
    fs::remove_file(file(1)).expect("removed");
    let missing = "the access records 00000001.jsonl: the file is gone";
    assert_eq!(broken(&every, &[]), [missing]);
    assert_eq!(broken(&late, &[]), [""; 0], "it is of before");
    let gone = Gone {
        segments: (1, 1),
        records: 1,
        first: NOW,
        last: NOW,
        keep_days: 1,
    };
    assert_eq!(broken(&every, &[gone]), [""; 0], "its time was over");
    fs::write(file(0), whole).expect("one more");
    let strange = "the access records 00000000.jsonl: no entry of the log tells of them";
    assert_eq!(broken(&late, &[]), [strange]);
}

/// What nobody counted is told apart from nothing.
#[tokio::test]
async fn reads_whose_rows_nobody_counted_are_counted() {
    let test = World::new().await;
    let (gate, acme) = (&test.gate, provider("acme"));
    for rows in [None, Some(3)] {
        let read = Record {
            rows,
            ..read(&acme, 0, 0)
        };
        gate.recorder.record(read).expect("taken");
    }
    write(gate, true).await;
    let of = |name: &str| Wanted {
        connection: Some(name.to_owned()),
        since: Some(NOW.plus(1)),
        ..Wanted::default()
    };
    let (found, _) = all(&gate.folder.access(), &Wanted::default());
    let counted = Reads {
        reads: 2,
        rows: 3,
        uncounted: 1,
    };
    assert_eq!(found.all, counted);
    assert_eq!(found.operations["getTransactions"], counted);
    let known = |name| all(&gate.folder.access(), &of(name)).0.known;
    assert!(known("acme") && !known("acmee"));
}

/// What is deleted is told: whoever looks for it learns that it was there, and the log holds.
#[tokio::test]
async fn records_whose_time_is_over_are_deleted_and_the_log_tells_so() {
    let test = World::new().await;
    let (gate, acme) = (&test.gate, provider("acme"));
    let old = -40 * Millis::DAY;
    for at in [old, old + 5, -Millis::DAY] {
        gate.recorder.record(read(&acme, at, 2)).expect("taken");
        write(gate, true).await;
    }
    let keep = |days: u32| std::num::NonZeroU32::new(days).expect("some");
    retention::sweep(gate, keep(41)).await.expect("swept");
    let (workspace, folder) = (gate.workspace(), gate.folder.access());
    let told = || async {
        let told = told(&gate.store, workspace, None).await;
        told.expect("read").gone
    };
    assert_eq!(
        (
            told().await.len(),
            all(&folder, &Wanted::default()).0.all.reads
        ),
        (0, 3)
    );
    for again in 0..2 {
        retention::sweep(gate, keep(30)).await.expect("swept");
        let gone = Gone {
            segments: (1, 2),
            records: 2,
            first: NOW.plus(old),
            last: NOW.plus(old + 5),
            keep_days: 30,
        };
        assert_eq!(told().await, [gone], "{again}");
        assert_eq!(all(&folder, &Wanted::default()).0.all.reads, 1);
        // An interrupted one has left a file.
        fs::write(folder.join(log::segments::file_name(1)), "").expect("written");
    }
    retention::sweep(gate, keep(30)).await.expect("swept");
    gate.keeper().sign(NOW).await.expect("signed");
    let name = gate.log_name();
    let audited = log::audited(&gate.store, workspace, &name, log::Against::default());
    let audited = audited.await.expect("whole");
    let deleted: Vec<_> = audited.segments.iter().map(|one| one.deleted).collect();
    assert_eq!(deleted, [true, true, false]);
    let check = |whose| log::segments::check(&folder, &audited.segments, whose);
    assert_eq!(check(Whose::Gate(None)).expect("as it is told"), 0);
    assert_eq!(check(Whose::Copy).expect("as it is told"), 0);
    fs::remove_file(folder.join(log::segments::file_name(3))).expect("removed");
    assert!(
        check(Whose::Gate(None)).is_err(),
        "of that one nothing is told"
    );
    // A later segment has a number of its own.
    gate.recorder.record(read(&acme, 0, 2)).expect("taken");
    write(gate, true).await;
    assert!(folder.join(log::segments::file_name(4)).exists());
}

/// Better no answer than one that nobody knows of.
#[tokio::test]
async fn invariant_2_what_cannot_be_recorded_is_refused() {
    let test = World::new().await;
    let (gate, acme) = (&test.gate, provider("acme"));
    let folder = gate.folder.access();
    fs::write(&folder, "in the way").expect("a file");
    gate.recorder.record(read(&acme, 0, 0)).expect("taken");
    write(gate, false).await;
    assert_eq!(gate.recorder.record(read(&acme, 1, 0)), Err(Unrecorded));
    fs::remove_file(&folder).expect("out of the way");
    write(gate, false).await;
    gate.recorder.record(read(&acme, 2, 0)).expect("taken");
    write(gate, false).await;
    let (found, _) = all(&folder, &Wanted::default());
    assert_eq!(found.all.reads, 2, "what was answered is there");
    let full = (0..=MAX_WAITING).map(|_| gate.recorder.record(read(&acme, 3, 0)));
    let full: Vec<_> = full.collect();
    assert_eq!(full.last(), Some(&Err(Unrecorded)));
}

/// A gate that was killed has closed nothing; the next one closes what it finds, as it finds it.
#[tokio::test]
async fn a_segment_that_was_left_open_is_closed_at_the_next_start() {
    let test = World::new().await;
    let acme = provider("acme");
    test.gate.recorder.record(read(&acme, 0, 0)).expect("taken");
    write(&test.gate, false).await;
    let file = test.gate.folder.access().join(log::segments::file_name(1));
    let mut bytes = fs::read(&file).expect("a segment");
    bytes.extend(br#"{"at":17"#);
    fs::write(&file, bytes).expect("half a line");
    let test = test.again().await;
    test.gate.recorder.record(read(&acme, 9, 0)).expect("taken");
    write(&test.gate, true).await;
    assert_eq!(test.count("gate_log_leaves").await, 3, "both are told of");
    let (found, _) = all(&test.gate.folder.access(), &Wanted::default());
    assert_eq!((found.all.reads, found.unreadable), (2, 1));
}
