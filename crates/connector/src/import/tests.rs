use super::*;

const HISTORY: &str = "\u{feff}fireblocks txid,DATE,Status,Asset,Asset Symbol,Amount,Source,Source Type,Destination,Destination Type,Network Fee,Note,TxHash,Created By\n\
6ba7b810-9dad-41d1-80b4-00c04fd430c8,22 Apr 2026 08:34:43 GMT,COMPLETED,USDT_ERC20,USDT,12.5,Main,Vault Account,'=Shop,External Wallet,0.001,\"'-a, \"\"b\"\"\",0xaa,Ann\n\
,22 Apr 2026 08:34:44 GMT,COMPLETED,BTC,BTC,1,,,Main,Vault,,,,\n";

fn names() -> Names {
    [
        ("Main".to_owned(), VaultAccountId::new(7)),
        ("Twice".to_owned(), VaultAccountId::new(1)),
        ("Twice".to_owned(), VaultAccountId::new(2)),
    ]
    .into_iter()
    .collect()
}

fn read_it(content: &str, malformed: Malformed) -> Result<Imported, ImportError> {
    read(
        "history.csv",
        content.as_bytes(),
        &names(),
        Millis(0),
        malformed,
    )
}

#[test]
fn a_history_is_read_by_its_headers() {
    let imported = read_it(HISTORY, Malformed::Refuse).expect("a history");
    assert_eq!(
        (imported.export, imported.rows, imported.without_id),
        (ConsoleExport::Transactions, 1, 1)
    );
    assert_eq!(
        imported.missing,
        [
            "Source Address",
            "Destination Address",
            "Fee Asset",
            "Service Fee"
        ]
    );
    let (version, Change::Transaction(transaction, _)) = &imported.changes[0] else {
        panic!("{:?}", imported.changes)
    };
    assert_eq!(version.time, Millis(1_776_846_883_000));
    assert_eq!(
        transaction.source.vault_account(),
        Some(VaultAccountId::new(7))
    );
    assert_eq!(
        (
            transaction.destination.name.as_str(),
            transaction.note.as_str()
        ),
        ("=Shop", "-a, \"b\"")
    );
}

/// A malformed row names file, line and column, and imports nothing unless told to skip.
#[test]
fn a_malformed_row_is_told_where_it_is() {
    for (from, to, column) in [
        ("12.5", "1e9", "Amount"),
        ("COMPLETED", "DONE", "Status"),
        ("22 Apr", "32 Apr", "Date"),
        ("Main,Vault Account", "Twice,Vault Account", "Source"),
        ("Main,Vault Account", "Nobody,Vault Account", "Source"),
        ("6ba7b810-", "x", "Fireblocks TxId"),
        ("0.001", "a lot", "Network Fee"),
    ] {
        let content = HISTORY.replacen(from, to, 1);
        let Err(ImportError::Row(row)) = read_it(&content, Malformed::Refuse) else {
            panic!("{to} was taken")
        };
        assert_eq!(
            (row.file.as_str(), row.line, row.column.as_str()),
            ("history.csv", 2, column),
            "{row}"
        );
        let error = ImportError::Row(row.clone());
        assert!(
            error.to_string().contains("--skip-malformed")
                && std::error::Error::source(&error).is_none(),
            "told once: {error}"
        );
        let imported = read_it(&content, Malformed::Skip).expect("the rest");
        assert_eq!(
            (imported.rows, imported.skipped, imported.without_id),
            (0, 1, 1)
        );
        assert_eq!(imported.told, [row]);
    }
}

#[test]
fn a_row_of_another_length_is_malformed() {
    let content = format!("{HISTORY}a,b\n");
    assert!(
        matches!(read_it(&content, Malformed::Refuse), Err(ImportError::Row(row)) if row.line == 4)
    );
}

#[test]
fn what_is_missing_is_reported() {
    let Err(ImportError::Unknown { missing, .. }) = read_it("Date,Status\n", Malformed::Refuse)
    else {
        panic!("taken")
    };
    assert!(
        missing.contains("Fireblocks TxId") && missing.contains("Total Balance"),
        "{missing}"
    );
}

#[test]
fn accounts_and_addresses_are_read() {
    let accounts =
        "Account ID,Account Name,Asset,Total Balance,Locked\n3,Main,BTC,1.5,0.5\n4,Empty,,,\n";
    let imported = read_it(accounts, Malformed::Refuse).expect("accounts");
    assert_eq!(imported.export, ConsoleExport::Accounts);
    let wallets: Vec<_> = imported
        .changes
        .iter()
        .filter_map(|(_, change)| match change {
            Change::Wallet(id, facts) => Some((*id, facts.balance.available.to_string())),
            _ => None,
        })
        .collect();
    assert_eq!(wallets, [(VaultAccountId::new(3), "1".to_owned())]);
    let addresses = "Account ID,Account Name,Asset,Address,Tag\n3,Main,XRP,rAddress,77\n";
    let imported = read_it(addresses, Malformed::Refuse).expect("addresses");
    assert!(
        matches!(&imported.changes[..], [(_, Change::Address(_, address))] if address.tag == "77")
    );
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(content in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let mut whole = HISTORY.lines().next().expect("a header").as_bytes().to_vec();
        whole.push(b'\n');
        whole.extend(content);
        let _ = read("x", &whole, &names(), Millis(0), Malformed::Skip);
    }
}
