//! The judges are the tools themselves: `bean-check` and `hledger`, from `VESTIBULE_JUDGES_BIN` or
//! the PATH. `cargo xtask test` installs them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use protocol::amount::Amount;
use protocol::model::transaction::Transaction;
use protocol::model::vault::VaultAsset;

use super::postings::{Account, journal};
use super::*;

fn judge(tool: &str, arguments: &[&str], file: &std::path::Path) -> String {
    let beside =
        std::env::var_os("VESTIBULE_JUDGES_BIN").map(|folder| PathBuf::from(folder).join(tool));
    let program = beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| tool.into());
    let told = Command::new(&program).args(arguments).arg(file).output();
    let told = told.unwrap_or_else(|error| {
        panic!("{tool} is missing ({error}): run `cargo xtask test`, which installs it")
    });
    let both = format!(
        "{}{}",
        String::from_utf8_lossy(&told.stdout),
        String::from_utf8_lossy(&told.stderr)
    );
    let content = std::fs::read_to_string(file).expect("the file");
    assert!(
        told.status.success() && !both.to_lowercase().contains("error"),
        "{tool}: {both}\n{content}"
    );
    both
}

fn written(holdings: &Holdings, format: Format) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = export(holdings, format).expect("an export");
    let path = folder.path().join(files[0].name);
    std::fs::write(&path, &files[0].text).expect("written");
    (folder, path)
}

fn account(id: u32, name: &str, balances: &[(&str, &str)]) -> VaultAccount {
    let wallet = |(asset, total): &(&str, &str)| {
        let mut wallet = VaultAsset::empty(asset.parse().expect("an asset"));
        wallet.total = total.parse().expect("an amount");
        wallet
    };
    VaultAccount {
        id: VaultAccountId::new(id),
        name: name.to_owned(),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: Vec::new(),
        assets: balances.iter().map(wallet).collect(),
    }
}

fn transaction(json: &str) -> Transaction {
    let mut value: serde_json::Value = serde_json::from_str(json).expect("json");
    let object = value.as_object_mut().expect("an object");
    for (name, default) in [
        ("id", serde_json::json!(uuid::Uuid::new_v4())),
        ("status", "COMPLETED".into()),
        ("createdAt", 1_790_000_000_000_i64.into()),
        ("lastUpdated", 1_790_000_000_000_i64.into()),
    ] {
        object.entry(name).or_insert(default);
    }
    serde_json::from_value(value).expect("a transaction")
}

fn holdings(accounts: Vec<VaultAccount>, transactions: Vec<Transaction>) -> Holdings {
    Holdings {
        client: "acme".parse().expect("a name"),
        workspace: WorkspaceId(uuid::Uuid::nil()),
        as_of: Millis(1_795_000_000_000),
        accounts,
        addresses: Vec::new(),
        transactions,
    }
}

/// Names that want to be something else, assets that Beancount refuses, a fee in another asset, a
/// fee without a transfer, several destinations, an account that ends with nothing.
fn awkward() -> Holdings {
    holdings(
        vec![
            account(
                0,
                "=cmd|' /C calc'!A0; \"quoted\" \\ \n2026-01-01 open",
                &[("ETH", "9.98"), ("1INCH", "70"), ("S", "0.5")],
            ),
            account(
                1,
                "Main",
                &[("1INCH", "30.000000000000000001"), ("xyz.E", "0")],
            ),
        ],
        vec![
            transaction(
                r#"{"assetId":"1INCH","source":{"type":"VAULT_ACCOUNT","id":"0"},"note":"; | (x) = \"y\"\n  Assets:Vault:0  1 BTC",
                "destination":{"type":"VAULT_ACCOUNT","id":"1"},"amountInfo":{"amount":"30"},"feeInfo":{"networkFee":"0.01"},
                "feeCurrency":"ETH","txHash":"0xaa\"\n"}"#,
            ),
            transaction(
                r#"{"assetId":"ETH","status":"FAILED","txHash":"0xbb","source":{"type":"VAULT_ACCOUNT","id":"0"},
                "destination":{"type":"EXTERNAL_WALLET","id":"6ba7b810-9dad-41d1-80b4-00c04fd430c8"},
                "amountInfo":{"amount":"5"},"feeInfo":{"networkFee":"0.01"}}"#,
            ),
            transaction(
                r#"{"assetId":"ETH","source":{"type":"UNKNOWN"},"destination":{"type":"VAULT_ACCOUNT","id":"0"},
                "amountInfo":{"amount":"3.5"},"feeInfo":{"networkFee":"0.3"},"createdAt":1796000000000}"#,
            ),
            transaction(
                r#"{"assetId":"S","treatAsGrossAmount":true,"source":{"type":"VAULT_ACCOUNT","id":"0"},
                "destination":{"type":"CONTRACT","id":"odd id; x:y \""},"amountInfo":{"amount":"2"},"feeInfo":{"networkFee":"0.5"}}"#,
            ),
            transaction(
                r#"{"assetId":"xyz.E","source":{"type":"VAULT_ACCOUNT","id":"1"},"destination":{"type":"MULTI_DESTINATION"},
                "amountInfo":{"amount":"3"},"destinations":[
                {"amount":"1","destination":{"type":"VAULT_ACCOUNT","id":"0"}},{"amount":"2","destination":{"type":"ONE_TIME_ADDRESS"}}]}"#,
            ),
            transaction(
                r#"{"assetId":"ETH","status":"CONFIRMING","source":{"type":"VAULT_ACCOUNT","id":"0"},"amountInfo":{"amount":"1"}}"#,
            ),
        ],
    )
}

#[test]
fn bean_check_accepts_awkward_books() {
    let (_folder, path) = written(&awkward(), Format::Beancount);
    judge("bean-check", &[], &path);
}

#[test]
fn hledger_accepts_awkward_books_and_agrees_with_the_balances() {
    let (_folder, path) = written(&awkward(), Format::Hledger);
    judge("hledger", &["check", "--strict", "-f"], &path);
    let told = judge(
        "hledger",
        &[
            "balance", "assets", "-E", "--flat", "-N", "-O", "csv", "--layout", "tidy", "-f",
        ],
        &path,
    );
    let (account, asset) = ("assets:vault:1", "1INCH");
    let row = told
        .lines()
        .find(|line| line.contains(account) && line.contains(asset))
        .unwrap_or_else(|| panic!("{told}"));
    assert!(row.contains("30.000000000000000001"), "{row}");
}

/// The judges do judge: a wrong balance is found by both.
#[test]
fn a_wrong_balance_is_found() {
    for (format, tool, arguments) in [
        (Format::Beancount, "bean-check", &[][..]),
        (Format::Hledger, "hledger", &["check", "--strict", "-f"][..]),
    ] {
        let (_folder, path) = written(&awkward(), format);
        let text = std::fs::read_to_string(&path).expect("text");
        // The last one stands in the assertion.
        let (before, after) = text
            .rsplit_once("30.000000000000000001")
            .expect("an assertion");
        std::fs::write(&path, format!("{before}30.000000000000000002{after}")).expect("written");
        assert!(
            std::panic::catch_unwind(|| judge(tool, arguments, &path)).is_err(),
            "{tool}"
        );
    }
}

#[test]
fn digits_that_beancount_would_round_are_refused() {
    let most = holdings(
        vec![account(0, "a", &[("ETH", "1234567890.123456789012345678")])],
        Vec::new(),
    );
    let (_folder, path) = written(&most, Format::Beancount);
    judge("bean-check", &[], &path);
    let more = holdings(
        vec![account(
            0,
            "a",
            &[("ETH", "12345678901.123456789012345678")],
        )],
        Vec::new(),
    );
    assert!(matches!(
        export(&more, Format::Beancount),
        Err(ExportError::TooPrecise { digits: 29, .. })
    ));
    let (_folder, path) = written(&more, Format::Hledger);
    judge("hledger", &["check", "--strict", "-f"], &path);
}

#[test]
fn nothing_in_a_sheet_can_run() {
    let mut books = awkward();
    books.transactions[0].note = "=1+1".to_owned();
    let files = export(&books, Format::Csv).expect("csv");
    assert_eq!(
        files.iter().map(|file| file.name).collect::<Vec<_>>(),
        ["balances.csv", "addresses.csv", "transactions.csv"]
    );
    for file in &files {
        let mut reader = ::csv::Reader::from_reader(file.text.as_bytes());
        for row in reader.records() {
            let row = row.expect("a row");
            assert!(
                row.iter()
                    .all(|cell| !cell.starts_with(['=', '+', '@', '\t', '\r'])),
                "{row:?}"
            );
        }
    }
    assert!(files[2].text.contains(",'=1+1"), "{}", files[2].text);
}

/// Every text that somebody else chose begins with what a spreadsheet may take for a formula.
fn formulas(first: char) -> Holdings {
    let text = format!("{first}1+1");
    let mut books = holdings(
        vec![account(0, &text, &[("ETH", "1")])],
        vec![transaction(
            &serde_json::json!({
                "assetId": "ETH", "note": text, "subStatus": text, "operation": text, "txHash": text,
                "source": {"type": "UNKNOWN", "id": text, "name": text}, "sourceAddress": text,
                "destination": {"type": "VAULT_ACCOUNT", "id": "0", "name": text},
                "destinationAddress": text, "destinationTag": text, "amountInfo": {"amount": "1"},
            })
            .to_string(),
        )],
    );
    let address = serde_json::json!({
        "assetId": "ETH", "address": text, "tag": text, "description": text, "type": text,
    });
    let address = serde_json::from_value(address).expect("an address");
    books.addresses = vec![(VaultAccountId::new(0), address)];
    books
}

/// In a sheet it has one quote before it; where nothing runs it stays what it is.
#[test]
fn text_that_begins_like_a_formula_is_right_in_every_form() {
    for first in ['=', '+', '-', '@'] {
        let (books, text) = (formulas(first), format!("{first}1+1"));
        for file in export(&books, Format::Csv).expect("csv") {
            let mut reader = ::csv::Reader::from_reader(file.text.as_bytes());
            for cell in reader.records().flat_map(|row| {
                let row = row.expect("a row");
                row.iter().map(str::to_owned).collect::<Vec<_>>()
            }) {
                assert!(!cell.starts_with(first), "{}: {cell}", file.name);
                assert!(
                    !cell.contains(&text) || cell == format!("'{text}"),
                    "{}: {cell}",
                    file.name
                );
            }
            assert!(file.text.contains(&format!(",'{text}")), "{}", file.text);
        }
        let lines = export(&books, Format::Jsonl).expect("jsonl").remove(0).text;
        assert!(!lines.contains(&format!("'{text}")), "{lines}");
        let rows: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("json"))
            .collect();
        assert_eq!(rows[1]["value"]["name"], text);
        assert_eq!(rows[2]["value"]["address"]["address"], text);
        assert_eq!(rows[3]["value"]["note"], text);
        assert_eq!(rows[3]["value"]["source"]["name"], text);
        let (_folder, path) = written(&books, Format::Beancount);
        judge("bean-check", &[], &path);
        let (_folder, path) = written(&books, Format::Hledger);
        judge("hledger", &["check", "--strict", "-f"], &path);
        for format in [Format::Beancount, Format::Hledger] {
            let text_of = export(&books, format).expect("books").remove(0).text;
            assert!(!text_of.contains(&format!("'{text}")), "{text_of}");
        }
    }
}

#[test]
fn every_line_is_json() {
    let files = export(&awkward(), Format::Jsonl).expect("jsonl");
    let kinds: Vec<_> = files[0]
        .text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("json")["kind"].to_string()
        })
        .collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| *kind == "\"transaction\"")
            .count(),
        6
    );
}

fn amounts() -> impl Strategy<Value = Amount> {
    (0_i64..2_000_000_000, 0_u8..9)
        .prop_map(|(units, decimals)| Amount::from_units(units, decimals))
}

prop_compose! {
    fn any_transaction()(
        asset in prop::sample::select(vec!["BTC", "ETH", "1INCH", "USDC_ETH"]),
        from in prop::option::of(0_u32..4), to in prop::option::of(0_u32..4),
        amount in amounts(), fee in prop::option::of(amounts()), gross in any::<bool>(), other in any::<bool>(),
        status in prop::sample::select(protocol::model::transaction::TransactionStatus::ALL.to_vec()),
        at in 1_760_000_000_000_i64..1_795_000_000_000,
    ) -> Transaction {
        let peer = |id: Option<u32>| match id {
            Some(id) => serde_json::json!({"type": "VAULT_ACCOUNT", "id": id.to_string()}),
            None => serde_json::json!({"type": "UNKNOWN"}),
        };
        transaction(&serde_json::json!({
            "assetId": asset, "source": peer(from), "destination": peer(to), "status": status, "txHash": "0x1",
            "amountInfo": {"amount": amount}, "feeInfo": {"networkFee": fee}, "treatAsGrossAmount": gross,
            "feeCurrency": other.then_some("ETH"), "createdAt": at,
        }).to_string())
    }
}

prop_compose! {
    fn any_holdings()(
        transactions in prop::collection::vec(any_transaction(), 0..12),
        balances in prop::collection::btree_map((0_u32..3, prop::sample::select(vec!["BTC", "ETH", "1INCH"])), amounts(), 0..8),
    ) -> Holdings {
        let mut accounts: BTreeMap<u32, VaultAccount> = BTreeMap::new();
        for ((id, asset), total) in &balances {
            let text = total.to_string();
            let wallet = account(*id, "n", &[(asset, &text)]).assets.remove(0);
            accounts.entry(*id).or_insert_with(|| account(*id, "n", &[])).assets.push(wallet);
        }
        holdings(accounts.into_values().collect(), transactions)
    }
}

proptest! {
    #[test]
    fn the_double_entry_balances_and_ends_in_the_books(books in any_holdings()) {
        let journal = journal(&books).expect("a journal");
        let mut ends: BTreeMap<(VaultAccountId, AssetId), Amount> = BTreeMap::new();
        for entry in &journal.entries {
            let mut sums: BTreeMap<&AssetId, Amount> = BTreeMap::new();
            for posting in &entry.postings {
                let sum = sums.entry(&posting.asset).or_default();
                *sum = sum.checked_add(&posting.amount).expect("a sum");
                if let Account::Vault(id) = posting.account {
                    let end = ends.entry((id, posting.asset.clone())).or_default();
                    *end = end.checked_add(&posting.amount).expect("a sum");
                }
            }
            prop_assert!(sums.values().all(Amount::is_zero), "{entry:?}");
        }
        for account in &books.accounts {
            for wallet in &account.assets {
                let end = ends.remove(&(account.id, wallet.id.clone())).unwrap_or_default();
                prop_assert_eq!(&end, &wallet.total);
            }
        }
        prop_assert!(ends.values().all(Amount::is_zero), "what the books do not hold ends with nothing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn both_judges_accept_any_books(books in any_holdings()) {
        let (_folder, path) = written(&books, Format::Beancount);
        judge("bean-check", &[], &path);
        let (_folder, path) = written(&books, Format::Hledger);
        judge("hledger", &["check", "--strict", "-f"], &path);
    }
}
