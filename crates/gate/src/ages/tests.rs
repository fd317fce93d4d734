use std::num::NonZeroU32;

use ledger::reads::SERVED;
use protocol::operations;
use protocol::role::ProviderRole;

use super::*;
use crate::access::decide;
use crate::testing::{NOW, accounts, connection};

fn all_at(at: Millis) -> Ages {
    Subject::ALL
        .map(|subject| (subject, at))
        .into_iter()
        .collect()
}

fn seconds(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("some")
}

/// What a provider may read hangs on something that is walked, and on no more than it shows.
#[test]
fn every_read_of_a_provider_is_made_of_something_with_an_age() {
    let viewer = connection("acme", ProviderRole::Viewer, accounts([1]));
    let mut subjects: Vec<Subject> = Vec::new();
    for id in SERVED {
        let operation = operations::by_id(id).expect("an operation");
        if decide(&viewer, operation).is_ok() {
            assert!(behind(id).len() < 3, "{id} is named");
            subjects.extend(behind(id));
        }
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects, Subject::ALL);
    assert_eq!(behind("somethingNew"), Subject::ALL, "unknown: everything");
}

/// What shows an account hangs on which accounts there are; what shows none does not.
#[test]
fn what_is_told_by_account_is_said() {
    for (id, by_account) in [
        ("getPagedVaultAccounts", true),
        ("getVaultAccountAssetAddresses", true),
        ("getTransactions", true),
        ("getSupportedAssets", true),
        ("listAssets", true),
        ("listBlockchains", false),
        ("getExternalWallets", false),
        ("somethingNew", true),
    ] {
        let some = behind(id).iter().any(|subject| subject.by_account());
        assert_eq!(some, by_account, "{id}");
    }
}

#[test]
fn what_is_too_old_is_refused_and_what_is_not_is_not() {
    let (mut ages, areas) = (all_at(NOW), Areas::default());
    let day = NOW.plus(Millis::DAY);
    assert_eq!(ages.check(&Subject::ALL, &areas, day), Ok(()), "to the day");
    let late = day.plus(1);
    let refused = ages.check(behind("getVaultAccountAssetAddresses"), &areas, late);
    assert_eq!(
        refused,
        Err(Stale::TooOld {
            subject: Subject::Wallets,
            as_of: NOW
        })
    );
    assert_eq!(ages.check(behind("getAsset"), &areas, late), Ok(()));
    for subject in Subject::ALL.into_iter().filter(|subject| subject.told()) {
        ages.walked(subject, late);
    }
    assert_eq!(ages.check(behind("getTransactions"), &areas, late), Ok(()));
    let refused = ages.check(behind("getVaultAccountAssetAddresses"), &areas, late);
    let error = ApiError::from(refused.expect_err("too old"));
    assert_eq!((error.status(), error.code()), (503, None));
    assert!(error.message().contains("addresses"), "{}", error.message());
    // A clock that was put back closes nothing.
    assert_eq!(ages.check(&Subject::ALL, &areas, NOW.plus(-1)), Ok(()));
}

#[test]
fn what_was_never_walked_is_refused() {
    let ages: Ages = [(Subject::Accounts, NOW)].into_iter().collect();
    assert!(!ages.whole() && all_at(NOW).whole());
    let refused = ages.check(behind("getVaultAccount"), &Areas::default(), NOW);
    assert_eq!(refused, Err(Stale::Never(Subject::Wallets)));
    assert_eq!(ages.told(), None, "not all of it");
}

/// An answer is as old as the oldest thing that it is made of.
#[test]
fn an_answer_is_as_old_as_what_it_is_made_of() {
    let mut ages = all_at(NOW);
    let events = NOW.plus(9_000);
    assert_eq!(ages.as_of(behind("getTransactions"), events), events);
    assert_eq!(ages.as_of(behind("getAsset"), events), NOW);
    let of = behind("getVaultAccountAssetAddresses");
    assert_eq!(ages.as_of(of, events), NOW);
    ages.walked(Subject::Addresses, events.plus(1));
    assert_eq!(ages.as_of(of, events), events);
    ages.walked(Subject::Transactions, events);
    assert_eq!(ages.told(), Some(NOW), "the others are as before");
}

#[test]
fn a_pace_is_walked_before_it_is_too_old() {
    assert_eq!(Pace::new(seconds(60), seconds(60)), Err(TooSeldom));
    assert!(Pace::new(seconds(60), seconds(61)).is_ok());
    let written = r#"{"every_seconds": 60, "max_age_seconds": 30}"#;
    let error = serde_json::from_str::<Pace>(written).expect_err("too seldom");
    assert!(error.to_string().contains("max_age_seconds"), "{error}");
    let one = r#"{"addresses": {"every_seconds": 60, "max_age_seconds": 90}}"#;
    let areas: Areas = serde_json::from_str(one).expect("the others stay");
    assert_eq!(areas.addresses.max_age_millis(), 90_000);
    assert_eq!(areas.assets, Areas::default().assets);
    for subject in Subject::ALL {
        let pace = Areas::default().pace(subject);
        let every = i64::try_from(pace.every().as_millis()).expect("small");
        assert!(pace.max_age_millis() >= 10 * every, "{subject}");
    }
}

#[test]
fn an_age_is_told_in_a_few_words() {
    let ages = all_at(NOW);
    let table = |now| {
        let table = ages.table(&Areas::default(), now);
        table.iter().map(|age| age.words(now)).collect::<Vec<_>>()
    };
    assert_eq!(table(NOW.plus(90_000))[2], "accounts 90 s ago");
    let late = table(NOW.plus(3 * Millis::DAY));
    assert_eq!(late[1], "assets 3 d ago");
    assert_eq!(late[4], "addresses 3 d ago, TOO OLD (at most 24 h)");
    let never = Ages::default().table(&Areas::default(), NOW)[0];
    assert!(never.too_old && never.words(NOW).contains("never"));
}
