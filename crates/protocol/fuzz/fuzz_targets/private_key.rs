//! The detector of private keys, on anything at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::private_key;

fuzz_target!(|data: &[u8]| {
    let all = private_key::find_all(data);
    assert_eq!(private_key::find(data).as_ref(), all.first());
});
