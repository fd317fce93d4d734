use super::*;
use protocol::ids::VaultAccountId;

fn cell(account: u32, kind: CellKind, month: i64) -> Cell {
    Cell {
        account: VaultAccountId::new(account),
        asset: "ETH".parse().expect("an asset"),
        kind,
        month,
    }
}

fn digest(count: i64, byte: u8) -> Digest {
    Digest {
        count,
        sum: ledger::digest::Sum::from_bytes(&[byte; 32]).expect("32 bytes"),
    }
}

#[test]
fn what_differs_is_found_on_either_side_and_has_a_remedy() {
    let ours = [
        (cell(1, CellKind::Balance, 0), digest(1, 1)),
        (cell(1, CellKind::Out, 202_611), digest(2, 2)),
        (cell(2, CellKind::In, 202_609), digest(1, 3)),
        (cell(3, CellKind::Address, 0), digest(0, 0)),
    ];
    let theirs = [
        (cell(1, CellKind::Balance, 0), digest(1, 1)),
        (cell(1, CellKind::Out, 202_611), digest(3, 2)),
        (cell(4, CellKind::Address, 0), digest(1, 5)),
    ];
    let found = differences(&ours, &theirs);
    let cells: Vec<_> = found.iter().map(|found| found.cell.clone()).collect();
    assert_eq!(
        cells,
        [
            cell(1, CellKind::Out, 202_611),
            cell(2, CellKind::In, 202_609),
            cell(4, CellKind::Address, 0)
        ]
    );
    let asset = "ETH".parse().expect("an asset");
    assert_eq!(
        remedy(&found),
        BTreeSet::from([
            Area::AddressesOf(VaultAccountId::new(4), asset),
            // 1 September 2026.
            Area::Transactions {
                after: Millis(1_788_220_800_000)
            },
        ])
    );
    assert_eq!(differences(&ours, &ours), []);
}

/// The word "proven" always names what was compared with what.
#[test]
fn proven_names_what_was_compared() {
    let with = With::GateDigest {
        base_url: "http://gate/v1".to_owned(),
        scope: "0123456789abcdef".to_owned(),
        position: 7,
        as_of: Millis(9),
    };
    let ours = [(cell(1, CellKind::Balance, 0), digest(1, 1))];
    let equal = Comparison::of(Millis(1), with.clone(), &ours, &ours);
    assert!(equal.equal);
    for word in [
        "proven",
        "our 1 rows",
        "http://gate/v1",
        "position 7",
        "0123456789ab",
    ] {
        assert!(equal.sentence.contains(word), "{word}: {}", equal.sentence);
    }
    let other = Comparison::of(Millis(1), with, &ours, &[]);
    assert!(
        !other.equal && !other.sentence.contains("proven"),
        "{}",
        other.sentence
    );
    assert_eq!(other.differing, 1);
}

#[test]
fn a_cell_that_differs_is_told_in_words() {
    let of = |kind, month, ours, theirs| {
        CellDifference {
            cell: cell(1, kind, month),
            ours,
            theirs,
        }
        .to_string()
    };
    let asset = cell(1, CellKind::Balance, 0).asset;
    assert_eq!(
        of(CellKind::Balance, 0, digest(1, 1), digest(0, 0)),
        format!("the balance of {asset} in vault account 1: 1 row of ours, no row of theirs")
    );
    assert_eq!(
        of(CellKind::Out, 202_608, digest(2, 1), digest(2, 2)),
        format!(
            "what went out of {asset} from vault account 1 in 2026-08: 2 rows on both sides, not the same"
        )
    );
}
