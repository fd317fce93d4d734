use super::*;

fn amount(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn position(chain: &str, principal: &str, compounding: bool) -> Position {
    Position {
        id: "1".to_owned(),
        account: VaultAccountId::new(1),
        provider: "kiln".to_owned(),
        chain: chain.to_owned(),
        validator: String::new(),
        stake_account: String::new(),
        derivation: 0,
        compounding,
        principal: amount(principal),
        rewards: Amount::zero(),
        counted: Millis(0),
        created: Millis(0),
        updated: Millis(0),
        life: Life::Staked { at: Millis(0) },
        related: Vec::new(),
        busy: None,
    }
}

const DAY: i64 = Millis::DAY;

fn day(number: i64) -> Millis {
    Millis(number * DAY)
}

#[test]
fn a_stake_waits_earns_and_is_free_again() {
    let mut stake = position("SOL", "100", false);
    assert_eq!(stake.status(Millis(2 * DAY - 1)), Status::Activating);
    assert_eq!(stake.actions(Millis(1)), []);
    assert_eq!(stake.status(day(2)), Status::Active);
    assert_eq!(stake.rewards(day(2)), Amount::zero());
    assert_eq!(stake.rewards(day(2 + 365)), amount("6.8"));
    assert_eq!(stake.amount(day(2 + 365)), amount("106.8"));
    assert_eq!(stake.withdraw(None, day(3)), Err(Refusal::Unfit));
    assert_eq!(stake.unstake(day(367)), Ok(()));
    assert_eq!(stake.unstake(day(367)), Err(Refusal::Unfit));
    assert_eq!(stake.status(day(367)), Status::Deactivating);
    assert_eq!(stake.rewards(day(500)), amount("6.8"), "it earns no more");
    assert_eq!(stake.status(day(368)), Status::Deactivated);
    let out = stake.withdraw(None, day(368));
    assert_eq!(out, Ok((amount("100"), amount("6.8"))));
    assert_eq!(stake.status(day(368)), Status::Withdrawn);
    assert_eq!(stake.amount(day(400)), Amount::zero());
    assert_eq!(stake.withdraw(None, day(400)), Err(Refusal::Unfit));
}

#[test]
fn rewards_are_claimed_once() {
    let mut stake = position("SOL", "100", false);
    assert_eq!(stake.claim(day(2)), Err(Refusal::NoRewards));
    assert_eq!(stake.claim(day(2 + 365)), Ok(amount("6.8")));
    assert_eq!(stake.claim(day(2 + 365)), Err(Refusal::NoRewards));
    assert_eq!(stake.claim(day(2 + 730)), Ok(amount("6.8")));
    assert_eq!(stake.principal, amount("100"));
}

#[test]
fn splits_and_merges_keep_the_sum() {
    let mut one = position("SOL", "100", false);
    let rewards = one.rewards(day(30));
    let named = |id: &str| {
        let id = id.to_owned();
        move |part| Position { id, ..part }
    };
    let mut two = one
        .split(&amount("30"), day(30), named("2"))
        .expect("a part");
    assert_eq!(
        (&one.principal, &two.principal),
        (&amount("70"), &amount("30"))
    );
    assert_eq!(two.status(day(30)), Status::Active);
    for bad in ["0.001", "69.995", "71", "-1"] {
        let refused = one.clone().split(&amount(bad), day(30), named("3"));
        assert_eq!(refused, Err(Refusal::Amount), "{bad}");
    }
    assert_eq!(one.absorb(&mut two, Action::Merge, day(30)), Ok(()));
    assert_eq!(one.principal, amount("100"));
    assert_eq!(one.rewards(day(30)), rewards);
    assert_eq!(two.status(day(30)), Status::Merged);
    let refused = one.absorb(&mut two, Action::Merge, day(30));
    assert_eq!(refused, Err(Refusal::Unfit));
    let mut same = one.clone();
    let refused = one.absorb(&mut same, Action::Merge, day(30));
    assert_eq!(refused, Err(Refusal::Apart), "with itself");
    let mut theirs = Position {
        provider: "p2p".to_owned(),
        ..named("4")(one.clone())
    };
    let refused = one.absorb(&mut theirs, Action::Merge, day(30));
    assert_eq!(refused, Err(Refusal::Apart));
}

#[test]
fn a_compounding_validator_keeps_what_it_needs() {
    let mut stake = position("ETH", "40", true);
    let now = day(1 + 365);
    assert_eq!(stake.amount(now), amount("41.24"));
    for bad in [None, Some("0"), Some("9.25")] {
        let refused = stake.clone().withdraw(bad.map(amount).as_ref(), now);
        assert_eq!(refused, Err(Refusal::Amount), "{bad:?}");
    }
    let out = stake.withdraw(Some(&amount("9.24")), now);
    assert_eq!(out, Ok((amount("8"), amount("1.24"))));
    assert_eq!(stake.amount(now), amount("32"));
    assert_eq!(stake.add(&amount("2016"), now), Ok(()));
    assert_eq!(stake.add(&amount("1"), now), Err(Refusal::Amount));
    let mut plain = position("ETH", "32", false);
    assert_eq!(plain.add(&amount("32"), now), Err(Refusal::Unfit));
    assert_eq!(plain.amount(now), amount("32"), "rewards are beside it");
    assert!(plain.rewards(now).is_positive());
}

#[test]
fn what_can_be_staked() {
    let takes = |id: &str, much: &str, compounding| {
        chain(id)
            .expect("a chain")
            .takes(&amount(much), compounding)
    };
    for (id, much, compounding) in [
        ("ETH", "32", false),
        ("ETH", "96", false),
        ("ETH", "33.5", true),
        ("ETH", "2048", true),
        ("SOL", "0.01", false),
        ("SOL", "5.000000001", false),
    ] {
        assert!(takes(id, much, compounding), "{id} {much}");
    }
    for (id, much, compounding) in [
        ("ETH", "33", false),
        ("ETH", "31", true),
        ("ETH", "2048.1", true),
        ("ETH", "-32", false),
        ("SOL", "0.009", false),
        ("SOL", "5.0000000001", false),
    ] {
        assert!(!takes(id, much, compounding), "{id} {much}");
    }
}
