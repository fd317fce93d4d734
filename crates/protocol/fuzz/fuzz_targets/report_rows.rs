//! Rows of report files, read as each kind.
#![no_main]

use ledger::reports::{Kind, rows};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for kind in [Kind::Balances, Kind::Addresses, Kind::Transactions] {
        let _ = rows(data, kind);
    }
});
