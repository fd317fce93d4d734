//! Files in and out.

use connector::Error;
use connector::export::Format;
use connector::import::Malformed;
use connector::operations::export::export;
use connector::operations::first_sync::{FirstSyncOf, first_sync};
use connector::operations::import::{Import, Source, import};
use connector::operations::status::{StatusOf, status};
use ledger::reports::Kind;
use protocol::time::Millis;

use crate::world::*;

fn files(world: &World, names: &[&str]) -> Import {
    Import {
        client: name(),
        files: names
            .iter()
            .map(|name| world.folder.path().join(name))
            .collect(),
        malformed: Malformed::Refuse,
        exported_at: None,
    }
}

fn write(world: &World, name: &str, content: &[u8]) {
    std::fs::write(world.folder.path().join(name), content).expect("written");
}

/// A report that came as a file is believed as a whole or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_imported_only_if_all_of_it_holds() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    world.upstream.write_report(Kind::Balances).await;
    let (file, manifest) = {
        let reports = world.upstream.reports.lock().expect("a lock");
        (reports[0].2.file.clone(), reports[0].2.manifest.clone())
    };
    let mut flipped = file.clone();
    let last = flipped.len() - 2;
    flipped[last] ^= 1;
    write(&world, "b.csv", &flipped);
    write(&world, "b.csv.manifest.json", &manifest);
    let error = import(&world.connector, &files(&world, &["b.csv"]))
        .await
        .expect_err("a flipped byte");
    assert!(
        matches!(&error, Error::Report { file, .. } if file.ends_with("b.csv")),
        "{error}"
    );
    assert_eq!(world.total(1).await, None);
    let stored = status(
        &world.connector,
        &StatusOf {
            client: None,
            offline: true,
        },
    )
    .await
    .expect("a status");
    assert_eq!(stored[0].first_sync, None);

    write(&world, "b.csv", &file);
    let imported = import(&world.connector, &files(&world, &["b.csv"]))
        .await
        .expect("imported");
    assert!(matches!(
        &imported[0].source,
        Source::Report {
            kind: Kind::Balances,
            ..
        }
    ));
    assert_eq!((imported[0].rows, imported[0].changed), (2, 2));
    assert_eq!(world.total(1).await.as_deref(), Some("5"));

    let straight = World::straight().await;
    straight.add().await.expect("added");
    write(&straight, "b.csv", &file);
    write(&straight, "b.csv.manifest.json", &manifest);
    let error = import(&straight.connector, &files(&straight, &["b.csv"]))
        .await
        .expect_err("no key to hold it against");
    assert!(matches!(error, Error::NoLogKey(_)), "{error}");
}

/// Two connections may see the same: a report still tells one of them alone.
#[tokio::test(flavor = "multi_thread")]
async fn another_connection_s_report_is_refused() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    let other = world.upstream.report_for("other", Kind::Balances).await;
    write(&world, "b.csv", &other.file);
    write(&world, "b.csv.manifest.json", &other.manifest);
    let error = import(&world.connector, &files(&world, &["b.csv"]))
        .await
        .expect_err("not ours");
    assert!(
        matches!(&error, Error::OtherConnection { found, expected, .. }
            if found == "connection:other" && expected == "acme"),
        "{error}"
    );
    assert_eq!(world.total(1).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_its_manifest_is_told_as_one() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    for kind in [Kind::Balances, Kind::Addresses, Kind::Transactions] {
        let report = world.upstream.report_for("acme", kind).await;
        write(&world, "r.csv", &report.file);
        let error = import(&world.connector, &files(&world, &["r.csv"]))
            .await
            .expect_err("without a manifest")
            .to_string();
        assert!(
            error.contains("its manifest is missing")
                && error.contains("r.csv.manifest.json")
                && error.contains(kind.as_str()),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_of_the_console_begin_the_books_and_later_words_win() {
    let world = World::straight().await;
    world.add().await.expect("added");
    // Made before the upstream's own last change.
    write(
        &world,
        "accounts_1700000000000.csv",
        b"Account ID,Account Name,Asset,Total Balance\n1,Account 1,ETH,4\n2,Account 2,ETH,4\n",
    );
    write(&world, "history.csv", b"Date,Fireblocks TxId,Status,Asset,Amount,Source,Destination\n22 Apr 2026 08:34:43 GMT,6ba7b810-9dad-41d1-80b4-00c04fd430c8,COMPLETED,ETH,1,Account 1,Account 2\n");
    let both = files(&world, &["accounts_1700000000000.csv", "history.csv"]);
    let imported = import(&world.connector, &both).await.expect("imported");
    assert!(matches!(
        &imported[0].source,
        Source::Console {
            exported_at: Millis(1_700_000_000_000),
            ..
        }
    ));
    assert_eq!(
        imported.iter().map(|file| file.rows).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(world.total(1).await.as_deref(), Some("4"));
    let of = FirstSyncOf {
        client: name(),
        progress: None,
    };
    first_sync(&world.connector, &of).await.expect("synced");
    assert_eq!(world.total(1).await.as_deref(), Some("5"));
    // The same file again changes nothing any more.
    import(
        &world.connector,
        &files(&world, &["accounts_1700000000000.csv"]),
    )
    .await
    .expect("imported");
    assert_eq!(world.total(1).await.as_deref(), Some("5"));

    write(&world, "history.csv", b"Date,Fireblocks TxId,Status,Asset,Amount,Source,Destination\nyesterday,6ba7b810-9dad-41d1-80b4-00c04fd430c9,COMPLETED,ETH,1,Account 1,Account 2\n");
    let error = import(&world.connector, &files(&world, &["history.csv"]))
        .await
        .expect_err("no date")
        .to_string();
    assert!(
        error.contains("history.csv, line 2, column 'Date'"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn books_are_exported_in_every_form() {
    let world = World::straight().await;
    world.add().await.expect("added");
    let of = FirstSyncOf {
        client: name(),
        progress: None,
    };
    first_sync(&world.connector, &of).await.expect("synced");
    for (format, names) in [
        (
            Format::Csv,
            &["balances.csv", "addresses.csv", "transactions.csv"][..],
        ),
        (Format::Jsonl, &["books.jsonl"]),
        (Format::Beancount, &["books.beancount"]),
        (Format::Hledger, &["books.journal"]),
    ] {
        let folder = world.folder.path().join(format.to_string());
        let exported = export(&world.connector, &name(), format, &folder)
            .await
            .expect("exported");
        assert_eq!((exported.accounts, exported.transactions), (3, 3));
        for (file, name) in exported.files.iter().zip(names) {
            assert!(
                file.ends_with(name) && file.metadata().expect("a file").len() > 50,
                "{name}"
            );
        }
        let home = world.home();
        assert!(exported.files.iter().all(|file| !file.starts_with(&home)));
    }
    let csv =
        std::fs::read_to_string(world.folder.path().join("csv/balances.csv")).expect("a file");
    assert!(csv.contains("1,Account 1,ETH,5,5,"), "{csv}");
}
