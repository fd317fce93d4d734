//! Request targets: the path to its operation, the query string to its pairs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::exchange::Query;
use protocol::operations;

fuzz_target!(|data: &[u8]| {
    let Ok(target) = std::str::from_utf8(data) else {
        return;
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let _ = operations::resolve(method, path);
    }
    if let Ok(query) = Query::parse(query) {
        for (name, value) in query.pairs() {
            // An empty value is as good as none.
            let told = query.many(name).any(|other| other == value);
            assert_eq!(told, !value.is_empty());
        }
    }
});
