use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::role::Role;

fn known(method: &str, path: &'static str) -> Match<'static> {
    match resolve(method, path) {
        Resolution::Known(found) => found,
        other => panic!("{method} {path}: {other:?}"),
    }
}

/// A path of the operation's own, with values that could only be parameters.
fn example(operation: &Operation) -> String {
    let segments = operation.path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "x%2Fy"
        } else {
            segment
        }
    });
    format!("{PREFIX}{}", segments.collect::<Vec<_>>().join("/"))
}

#[test]
fn no_row_is_lost() {
    let rows = include_str!("data/operations.tsv").lines().skip(1).count();
    assert_eq!(all().len(), rows);
    assert_eq!(rows, 514);
}

#[test]
fn operation_ids_are_unique() {
    for operation in all() {
        assert_eq!(
            by_id(operation.id.as_str()),
            Some(operation),
            "{}",
            operation.id
        );
    }
    assert_eq!(by_id("noSuchOperation"), None);
}

#[test]
fn every_operation_resolves_to_itself() {
    for operation in all() {
        let path = example(operation);
        let Resolution::Known(found) = resolve(operation.method.as_str(), &path) else {
            panic!("{path} is unknown");
        };
        assert_eq!(found.operation.id, operation.id, "{path}");
        let names: Vec<&str> = found
            .parameters
            .texts()
            .map(|pair| pair.map(|(name, _)| name).unwrap())
            .collect();
        assert_eq!(names, *operation.parameters, "{path}");
        for name in &operation.parameters {
            assert_eq!(found.parameters.text(name).unwrap(), "x/y", "{path}");
            assert_eq!(found.parameters.raw(name), Some("x%2Fy"), "{path}");
        }
    }
}

#[test]
fn facts_are_plausible() {
    for operation in all() {
        assert_eq!(
            operation.roles_stated,
            !operation.roles.is_empty(),
            "{}",
            operation.id
        );
        if operation.method == Method::Get {
            assert_eq!(operation.access, Access::Read, "{}", operation.id);
        } else if matches!(
            operation.method,
            Method::Put | Method::Patch | Method::Delete
        ) {
            assert_eq!(operation.access, Access::Write, "{}", operation.id);
        }
        assert!(
            !operation.idempotent || !matches!(operation.method, Method::Get | Method::Delete),
            "{}",
            operation.id
        );
    }
    let create = by_id("createTransaction").unwrap();
    assert_eq!(
        create.roles,
        RoleSet::of(&[Role::Admin, Role::Signer, Role::Editor])
    );
    assert!(create.idempotent);
    assert_eq!(create.category, RateCategory::Async);
    assert_eq!(by_id("getTransactions").unwrap().paging, Paging::Headers);
    assert_eq!(
        by_id("getPagedVaultAccounts").unwrap().paging,
        Paging::BeforeAfter
    );
    assert_eq!(by_id("getWebhooks").unwrap().paging, Paging::PageCursor);
    assert_eq!(by_id("getAuditLogs").unwrap().paging, Paging::Cursor);
    // Where sources differ, the narrower list.
    assert_eq!(
        by_id("getAuditLogs").unwrap().roles,
        RoleSet::of(&[Role::Admin, Role::NonSigningAdmin])
    );
    assert!(!by_id("getAsset").unwrap().roles_stated);
    assert_eq!(by_id("getApprovals").unwrap().origin, Origin::Client);
}

#[test]
fn literal_segments_win() {
    for (method, path, id) in [
        (
            "GET",
            "/v1/vault/accounts/bulk/7",
            "getCreateMultipleVaultAccountsJobStatus",
        ),
        ("GET", "/v1/vault/accounts/0/BTC", "getVaultAccountAsset"),
        ("POST", "/v1/vault/accounts/0/hide", "hideVaultAccount"),
        (
            "POST",
            "/v1/vault/accounts/0/BTC",
            "createVaultAccountAsset",
        ),
        (
            "GET",
            "/v1/internal_wallets/w/assets",
            "getInternalWalletAssetsPaginated",
        ),
        (
            "GET",
            "/v1/internal_wallets/w/BTC",
            "getInternalWalletAsset",
        ),
        (
            "GET",
            "/v1/exchange_accounts/paged",
            "getPagedExchangeAccounts",
        ),
        // The literal branch has no such method or depth: the parameter's branch is tried.
        (
            "POST",
            "/v1/vault/accounts/bulk/BTC",
            "createVaultAccountAsset",
        ),
        ("GET", "/v1/vault/accounts/addresses", "getVaultAccount"),
    ] {
        assert_eq!(known(method, path).operation.id, id, "{method} {path}");
    }
    assert_eq!(
        known("GET", "/v1/vault/accounts/addresses")
            .parameters
            .text("vaultAccountId")
            .unwrap(),
        "addresses"
    );
}

/// Paths that two operations of one method could answer. A new contract that adds one shows here.
#[test]
fn ambiguous_paths_are_known() {
    let fits = |a: &str, b: &str| a == b || a.starts_with('{') || b.starts_with('{');
    let mut pairs = BTreeSet::new();
    for (at, one) in all().iter().enumerate() {
        for other in &all()[at + 1..] {
            let same_shape = one.method == other.method
                && one.path.split('/').count() == other.path.split('/').count();
            if same_shape
                && one
                    .path
                    .split('/')
                    .zip(other.path.split('/'))
                    .all(|(a, b)| fits(a, b))
            {
                pairs.insert(format!("{} {} | {}", one.method, one.path, other.path));
            }
        }
    }
    let listed: BTreeSet<String> = include_str!("data/ambiguous.txt")
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(pairs, listed);
}

#[test]
fn a_slash_at_the_end_only_where_the_contract_has_it() {
    assert_eq!(
        known("POST", "/v1/vault/accounts/bulk").operation.id,
        "createMultipleAccounts"
    );
    assert_eq!(
        known("POST", "/v1/vault/accounts/bulk/").operation.id,
        "createMultipleAccounts"
    );
    for (method, path) in [
        ("GET", "/v1/vault/accounts/"),
        ("POST", "/v1/vault/accounts/bulk//"),
        ("GET", "/v1/transactions/"),
    ] {
        assert!(
            matches!(resolve(method, path), Resolution::Unknown),
            "{path}"
        );
    }
}

#[test]
fn what_is_not_a_path_of_the_contract() {
    for path in [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v2/transactions",
        "/transactions",
        "/v1transactions",
        "v1/transactions",
        "/v1//transactions",
        "/v1/vault//accounts",
        "/v1/vault/%61ccounts",
        "/v1/Transactions",
        "/v1/transactions?limit=1",
        "/v1/transactions#x",
        "/v1/vault/accounts//BTC",
    ] {
        assert!(
            matches!(resolve("GET", path), Resolution::Unknown),
            "{path}"
        );
    }
    let long = format!("/v1/vault/accounts/{}", "1".repeat(MAX_PATH_BYTES));
    assert!(matches!(resolve("GET", &long), Resolution::Unknown));
    for method in ["HEAD", "OPTIONS", "get", "DELETE", ""] {
        assert!(
            matches!(
                resolve(method, "/v1/transactions"),
                Resolution::MethodNotAllowed
            ),
            "{method}"
        );
    }
}

#[test]
fn parameters_are_decoded_once_and_with_limits() {
    let text = |path| {
        known("GET", path)
            .parameters
            .text("vaultAccountId")
            .map(|text| text.into_owned())
    };
    let bad = |path| text(path).unwrap_err().why;
    assert_eq!(text("/v1/vault/accounts/a%20b+%C3%A9").unwrap(), "a b+é");
    assert_eq!(text("/v1/vault/accounts/%252F").unwrap(), "%2F");
    assert_eq!(bad("/v1/vault/accounts/%zz"), Why::Escape);
    assert_eq!(bad("/v1/vault/accounts/1%2"), Why::Escape);
    assert_eq!(bad("/v1/vault/accounts/%FF"), Why::Encoding);
    assert_eq!(bad("/v1/vault/accounts/%00"), Why::Control);
    assert_eq!(bad("/v1/vault/accounts/%2e%2E"), Why::Step);
    assert_eq!(
        known("GET", "/v1/vault/accounts/1")
            .parameters
            .text("txId")
            .unwrap_err()
            .why,
        Why::Absent
    );
    let long = format!("/v1/vault/accounts/{}", "1".repeat(MAX_PARAMETER_BYTES + 1));
    let Resolution::Known(found) = resolve("GET", &long) else {
        panic!("unknown")
    };
    assert_eq!(
        found.parameters.text("vaultAccountId").unwrap_err().why,
        Why::TooLong
    );
}

proptest! {
    #[test]
    fn no_path_panics(method in "GET|POST|[A-Z]{0,8}", path in any::<String>()) {
        let _ = resolve(&method, &path);
        let _ = resolve(&method, &format!("{PREFIX}/{path}"));
    }

    /// Segments of the table in any order, so that the search goes deep and turns back.
    #[test]
    fn paths_of_known_words_resolve_to_what_they_spell(
        words in proptest::collection::vec((any::<prop::sample::Index>(), "[a-z0-9%./]{0,6}", any::<bool>()), 1..9),
        method in prop::sample::select(Method::ALL),
    ) {
        let vocabulary: Vec<&str> = all().iter().flat_map(|operation| operation.path.split('/').skip(1)).collect();
        let segments = words.iter().map(|(index, text, free)| if *free { text.as_str() } else { *index.get(&vocabulary) });
        let path = format!("{PREFIX}/{}", segments.collect::<Vec<_>>().join("/"));
        if let Resolution::Known(found) = resolve(method.as_str(), &path) {
            let mut spelled = found.operation.path.to_owned();
            for name in &found.operation.parameters {
                let _ = found.parameters.text(name);
                spelled = spelled.replacen(&format!("{{{name}}}"), &format!("<{}>", found.parameters.raw(name).unwrap()), 1);
            }
            prop_assert_eq!(spelled.replace(['<', '>'], ""), path.trim_start_matches(PREFIX).trim_end_matches('/'));
            prop_assert_eq!(found.operation.method, method);
        }
    }
}
