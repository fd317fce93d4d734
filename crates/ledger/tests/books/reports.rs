//! Reports and their manifests.

use ledger::reports::{Expected, Kind, ReportError, read as read_report, rows, write};
use ledger::{AssetFilter, Books, Change, Digest, ROOM, Scope};
use protocol::ed25519::SigningKey;
use protocol::ids::WorkspaceId;
use serde_json::Value;
use store::on_both;
use uuid::Uuid;

use crate::made::*;

on_both! {
    rooms: &[ROOM],
    async fn a_report_is_believed_whole_or_not_at_all(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let scope = part(&[1, 2], AssetFilter::All);
        books.register(&scope).await.expect("registered");
        let mut changes = history();
        if let (_, Change::Transaction(risky, _)) = changes.last_mut().expect("one") {
            risky.sub_status = "=1+1".to_owned();
        }
        books.apply(NOW, changes).await.expect("applied");
        let key = SigningKey::generate().expect("a key");
        let pinned = key.public();
        let expected = Expected { key: &pinned, workspace: workspace(), scope: Some(&scope.id().to_string()) };
        let there = WorkspaceId(Uuid::from_u128(8));
        let mut digest = Digest::default();
        let mut mirrored = Vec::new();
        for kind in [Kind::Balances, Kind::Addresses, Kind::Transactions] {
            let written = write(&books, &scope, kind, "c", NOW, &key).await.expect("written");
            let report = read_report(&written.file, &written.manifest, &expected).expect("believed");
            assert_eq!(u64::try_from(report.changes.len()).expect("small"), written.rows);
            digest = digest.plus(&report.manifest.digest);
            mirrored.extend(report.changes);

            for at in (0..written.file.len()).step_by(written.file.len() / 17) {
                let mut flipped = written.file.clone();
                flipped[at] ^= 1;
                assert!(matches!(read_report(&flipped, &written.manifest, &expected), Err(ReportError::Changed { .. })));
            }
            for at in (0..written.manifest.len()).step_by(written.manifest.len() / 41) {
                let mut flipped = written.manifest.clone();
                flipped[at] ^= 1;
                if serde_json::from_slice::<Value>(&flipped).ok() != serde_json::from_slice(&written.manifest).ok() {
                    assert!(read_report(&written.file, &flipped, &expected).is_err(), "byte {at}");
                }
            }
            let elsewhere = Expected { workspace: there, ..expected };
            assert!(matches!(read_report(&written.file, &written.manifest, &elsewhere), Err(ReportError::Workspace { .. })));
            let narrower = Expected { scope: Some("other"), ..expected };
            assert!(matches!(read_report(&written.file, &written.manifest, &narrower), Err(ReportError::Scope(_))));
            let stranger = SigningKey::generate().expect("a key").public();
            let foreign = Expected { key: &stranger, ..expected };
            assert!(read_report(&written.file, &written.manifest, &foreign).is_err());
        }
        // What a provider makes of the reports has the digest of the scope: no mask changes it.
        assert_eq!(digest, books.digest(&scope).await.expect("a digest"));
        let mirror = Books::open(&store, there).await.expect("books");
        mirror.apply(NOW, mirrored).await.expect("applied");
        assert_eq!(mirror.digest(&Scope::whole(there)).await.expect("a digest"), digest);
        let broken = "account_id,asset,total,available,pending,frozen,locked,staked,block_height,block_hash,created_at,as_of,as_of_rank\n1,ETH,1,1,0,0,0,0,,,1,1,1\n1,ETH,1,x,0,0,0,0,,,1,1,1\n";
        let error = rows(broken.as_bytes(), Kind::Balances).expect_err("a broken row");
        assert_eq!(error, ReportError::Row { line: 3, column: 4, name: "available" });
    }
}
