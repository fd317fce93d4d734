use super::*;
use crate::testing::{NOW, accounts, connection, directory};
use Move::Approve;
use State::{Active, Approved, Requested, Revoked, Suspended};

fn in_state(state: State) -> Connection {
    Connection {
        state,
        ..connection("acme", ProviderRole::Viewer, accounts([1]))
    }
}

#[test]
fn invariant_2_nothing_is_active_without_addresses_and_scope() {
    let ready = in_state(Requested);
    let no_addresses = Connection {
        addresses: Vec::new(),
        ..ready.clone()
    };
    assert_eq!(no_addresses.after(Approve, NOW), Err(NotNow::NoAddresses));
    let no_scope = Connection {
        part: PartScope::default(),
        followed: None,
        forward: false,
        budgets: Budgets::default(),
        ..ready.clone()
    };
    assert_eq!(no_scope.after(Approve, NOW), Err(NotNow::NoScope));
    for net in ["0.0.0.0/0", "::/0"] {
        let everywhere = Connection {
            addresses: vec![net.parse().expect("a net")],
            addresses_reason: Some("because".to_owned()),
            ..ready.clone()
        };
        assert!(
            matches!(everywhere.after(Approve, NOW), Err(NotNow::Addresses(_))),
            "{net}"
        );
    }
}

#[test]
fn invariant_2_the_door_knows_active_connections_from_their_addresses_alone() {
    let mut acme = in_state(Active);
    acme.addresses = ["192.0.2.7/32", "2001:db8::/64"]
        .map(|net| net.parse().expect("a net"))
        .into();
    let from = |directory: &Directory, from: &str| {
        directory
            .open(acme.api_key, from.parse().expect("an address"), NOW)
            .is_some()
    };
    let open = directory([acme.clone()]);
    assert!(from(&open, "192.0.2.7") && from(&open, "2001:db8::5"));
    assert!(
        from(&open, "::ffff:192.0.2.7"),
        "the same address in IPv6's clothes"
    );
    for address in ["192.0.2.8", "127.0.0.1", "2001:db9::5", "::ffff:192.0.2.8"] {
        assert!(!from(&open, address), "{address}");
    }
    for state in [Requested, Approved, Suspended, Revoked] {
        let shut = directory([Connection {
            state,
            ..acme.clone()
        }]);
        assert!(!from(&shut, "192.0.2.7"), "{state:?}");
    }
    let stranger = UserId(uuid::Uuid::from_u128(99));
    assert!(open.open(stranger, [192, 0, 2, 7].into(), NOW).is_none());
    let later = acme.until;
    let from = [192, 0, 2, 7].into();
    assert!(open.open(acme.api_key, from, later.plus(-1)).is_some());
    assert!(
        open.open(acme.api_key, from, later).is_none(),
        "it has ended"
    );
    let watched = directory([Connection {
        mode: Mode::Watched,
        ..acme.clone()
    }]);
    assert!(watched.open(acme.api_key, from, NOW).is_none());
}

#[test]
fn an_editor_sees_what_it_proposes_and_only_of_names_the_connection_itself() {
    let fit = |role, change: fn(&mut PartScope)| {
        let mut one = connection("acme", role, accounts([1]));
        change(&mut one.part);
        one.fit(NOW)
    };
    let (viewer, editor) = (ProviderRole::Viewer, ProviderRole::Editor);
    let hides: [fn(&mut PartScope); 2] = [
        |part| part.directions.outgoing = false,
        |part| part.directions.internal = false,
    ];
    for hides in hides {
        assert_eq!(fit(editor, hides), Err(NotNow::Blind));
        assert_eq!(fit(viewer, hides), Ok(()));
    }
    assert_eq!(fit(editor, |part| part.directions.incoming = false), Ok(()));
    let own = fit(editor, |part| part.only_of = Some("acme".to_owned()));
    assert_eq!(own, Ok(()));
    let other = fit(viewer, |part| part.only_of = Some("other".to_owned()));
    assert_eq!(other, Err(NotNow::OnlyOfAnother));
}

/// However a scope comes, also whole (`part`, a file of what is to be) and not as a grant.
#[test]
fn invariant_7_a_scope_that_a_digest_cannot_tell_lets_nobody_in() {
    let fit = |change: fn(&mut PartScope)| {
        let mut one = connection("acme", ProviderRole::Viewer, accounts([1]));
        change(&mut one.part);
        one.fit(NOW)
    };
    let month = |part: &mut PartScope| part.history_from = Some(Millis(1_767_225_600_000));
    assert_eq!(fit(month), Ok(()));
    let within = |part: &mut PartScope| part.history_from = Some(Millis(1_767_225_600_001));
    assert_eq!(fit(within), Err(BadGrant::WithinAMonth.into()));
    let many = |part: &mut PartScope| part.accounts = accounts(0..=10_000).accounts;
    assert_eq!(fit(many), Err(BadGrant::TooMany.into()));
}

#[test]
fn a_scope_goes_to_the_books_and_back_unchanged() {
    let assets = ["BTC", "ETH"].map(|asset| asset.parse().expect("an asset"));
    for assets in [None, Some(assets.into())] {
        let wanted = WantedScope {
            vault_accounts: accounts([1, 5]).accounts,
            assets,
            whitelists: [protocol::ids::WalletId(uuid::Uuid::from_u128(3))].into(),
        };
        assert_eq!(granted(&part_of(&wanted)), wanted);
    }
    // No asset named is not every asset.
    let none = WantedScope {
        assets: Some(BTreeSet::new()),
        ..WantedScope::default()
    };
    assert_eq!(part_of(&none).assets, AssetFilter::Only(BTreeSet::new()));
}

#[test]
fn names_are_plain() {
    assert!(is_name("acme-1_B") && is_name(&"a".repeat(MAX_NAME)));
    for bad in [
        "",
        "a b",
        "a/b",
        "../x",
        "ä",
        "a\n",
        &"a".repeat(MAX_NAME + 1),
    ] {
        assert!(!is_name(bad), "{bad:?}");
    }
}
