//! Keys that share a factor with another that was seen: both are factored, and burned. The attack in which
//! a rival's modulus is made part of one's own burns nobody.

use protocol::keys::PublicKey;

use super::*;
use crate::operations::turned_away::turned_away;

/// Two moduli of 2048 bits with one factor in common, and one that is a multiple of the first. The
/// factors need not be prime for this.
fn moduli() -> [PublicKey; 3] {
    let odd = |seed: u8, len: usize| {
        let mut bytes: Vec<u8> = (0..len)
            .map(|at| {
                seed.wrapping_mul(31)
                    .wrapping_add(u8::try_from(at * 7 % 251).unwrap_or(0))
            })
            .collect();
        if let Some(first) = bytes.first_mut() {
            *first |= 0x80;
        }
        if let Some(last) = bytes.last_mut() {
            *last |= 1;
        }
        num_bigint::BigUint::from_bytes_be(&bytes)
    };
    let (shared, first, second, third) = (odd(3, 129), odd(5, 129), odd(8, 129), odd(13, 129));
    let key = |number: num_bigint::BigUint| {
        PublicKey::from_parts(&number.to_bytes_be(), &[1, 0, 1]).expect("a key")
    };
    [
        key(&shared * &first),
        key(&shared * &second),
        key(&shared * &first * &third),
    ]
}

async fn checked(world: &World, name: &str, key: PublicKey) -> Result<(), newcomer::NotNew> {
    let (own, name) = (newcomer::own_moduli(&world.gate), name.to_owned());
    let work = move |deed: &mut Deed<'_, '_>| {
        newcomer::check(deed, &own, Claimant::Connection(&name), &key, false)
    };
    let outcome = world.gate.deed(work).await.expect("checked");
    world.gate.reload().await.expect("read");
    outcome
}

/// A connection whose key has this modulus; who could sign with it is not asked here.
async fn hold(world: &World, name: &str, key: PublicKey) {
    enrol(world, name, &new_key()).await;
    let of = name.to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let keys = rows::keys::of(deed.writing, deed.workspace, &of)?;
        replace(
            deed,
            &Actor::Gate,
            &of,
            &keys,
            &key,
            (Duration::ZERO, "a test"),
        )
    };
    world.gate.deed(work).await.expect("held");
    world.gate.reload().await.expect("read");
}

on_both! {
    rooms: &ROOMS,
    async fn a_shared_factor_burns_both_keys(store: TestStore) {
        let world = World::over(store).await;
        let [first, second, _] = moduli();
        hold(&world, "weak", first.clone()).await;
        assert_eq!(door(&world, "weak"), [first.fingerprint().to_string()]);
        assert_eq!(checked(&world, "acme", second.clone()).await, Err(newcomer::NotNew::Factored));
        assert!(door(&world, "weak").is_empty());
        let shown = crate::operations::connections::show(&world.gate, "weak").expect("there");
        assert_eq!(shown.connection.state, State::Suspended);
        assert_eq!(checked(&world, "acme", second).await, Err(newcomer::NotNew::Burned));
    }

    rooms: &ROOMS,
    /// Whoever knows a rival's modulus can multiply it: that proves nothing about the rival's key.
    async fn a_multiple_of_a_rivals_modulus_burns_nobody(store: TestStore) {
        let world = World::over(store).await;
        let [first, _, multiple] = moduli();
        hold(&world, "rival", first.clone()).await;
        assert_eq!(checked(&world, "acme", multiple).await, Err(newcomer::NotNew::Multiple));
        assert_eq!(door(&world, "rival"), [first.fingerprint().to_string()]);
        assert_eq!(world.count("gate_burned").await, 0);
    }

    rooms: &ROOMS,
    /// The other order: it is refused and remembered before the rival's own comes.
    async fn a_multiple_that_came_first_burns_nobody(store: TestStore) {
        let world = World::over(store).await;
        let [first, second, multiple] = moduli();
        let no = Refused::Key {
            broken: vec![protocol::csr::Broken::Signature],
            modulus: Some(multiple.modulus().to_vec()),
        };
        let actor = Actor::Operator("mallory".to_owned());
        turned_away(&world.gate, actor, Claimant::Connection("mallory"), no).await;
        assert_eq!(world.count("gate_seen_moduli").await, 1);
        assert_eq!(checked(&world, "rival", first.clone()).await, Ok(()));
        assert_eq!(world.count("gate_burned").await, 0);
        // What is factored is found beside it.
        hold(&world, "rival", first).await;
        assert_eq!(checked(&world, "acme", second).await, Err(newcomer::NotNew::Factored));
    }

    rooms: &ROOMS,
    async fn keys_that_were_refused_or_retired_are_remembered(store: TestStore) {
        let world = World::over(store).await;
        let [first, second, _] = moduli();
        hold(&world, "weak", first).await;
        // Replaced: it is retired, and still held against newcomers.
        bring(&world, "weak", &KEY, 0, false).await.expect("rotated");
        assert_eq!(checked(&world, "acme", second).await, Err(newcomer::NotNew::Factored));
        assert_eq!(door(&world, "weak"), [print(&KEY)], "its new key is sound");
        // A request that was refused for its size leaves its modulus.
        let small = include_str!("../../../../../protocol/src/csr/fixtures/rsa_1024.pem");
        let before = world.count("gate_seen_moduli").await;
        let input = Rotate { csr: HandedIn::text(small), overlap_seconds: 0, again: false, reason: "as agreed".to_owned() };
        let error = rotate(&world.gate, &world.operator, "weak", input).await.expect_err("small");
        assert!(error.message().contains("1024 bits") && error.message().contains("openssl req -new"), "{error}");
        assert_eq!(world.count("gate_seen_moduli").await, before + 1);
    }

    rooms: &ROOMS,
    async fn keys_that_a_provider_offered_and_that_were_refused_are_remembered(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let small = include_str!("../../../../../protocol/src/csr/fixtures/rsa_1024.pem");
        let logged = world.count("gate_log_leaves").await;
        // The same once more is no news.
        for _ in 0..2 {
            let input = Offer { csr: HandedIn::text(small) };
            let error = offer(&world.gate, "acme", KEY.public().fingerprint(), input).await.expect_err("small");
            assert!(error.message().contains("1024 bits"), "{error}");
            assert_eq!(world.count("gate_seen_moduli").await, 1);
            assert_eq!(world.count("gate_log_leaves").await, logged + 1);
        }
        // One connection leaves so many, and no more: it cannot push others' out.
        let refused = |seed: u8| Refused::Key {
            broken: vec![protocol::csr::Broken::Signature],
            modulus: Some(vec![seed; 256]),
        };
        for seed in 1..=100 {
            let actor = Actor::Connection("acme".to_owned());
            turned_away(&world.gate, actor, Claimant::Connection("acme"), refused(seed)).await;
        }
        let most = usize::try_from(rows::keys::MAX_MODULI_OF_ONE).expect("few");
        assert_eq!(world.count("gate_seen_moduli").await, most);
        assert_eq!(world.count("gate_log_leaves").await, logged + most);
    }

    rooms: &ROOMS,
    /// Neither is anybody's yet: one waits for the quorum while the other comes.
    async fn keys_that_wait_are_held_against_newcomers(store: TestStore) {
        let world = World::over(store).await;
        let [first, second, _] = moduli();
        let ask = async |name: &'static str, key: PublicKey| {
            let own = newcomer::own_moduli(&world.gate);
            let work = move |deed: &mut Deed<'_, '_>| newcomer::wait(deed, &own, Claimant::Connection(name), &key, false);
            world.gate.deed(work).await.expect("checked")
        };
        assert_eq!(ask("acme", first.clone()).await, Ok(()));
        assert_eq!(ask("acme", first.clone()).await, Ok(()), "asked again");
        assert_eq!(ask("other", second).await, Err(newcomer::NotNew::Factored));
        assert_eq!(world.count("gate_burned").await, 2);
        // The one that waited is not made any more.
        let made = move |deed: &mut Deed<'_, '_>| newcomer::standing(deed, Claimant::Connection("acme"), &first, false);
        assert_eq!(world.gate.deed(made).await.expect("looked"), Err(newcomer::NotNew::Burned));
    }

    rooms: &ROOMS,
    /// An operator's key is held against newcomers like any other; who has a burned one comes in no more.
    async fn a_factor_in_common_with_an_operators_key_burns_both(store: TestStore) {
        let world = World::over(store).await;
        let [first, second, _] = moduli();
        let id = protocol::ids::UserId(uuid::Uuid::from_u128(71));
        let add = move |deed: &mut Deed<'_, '_>| {
            let (role, spki) = (crate::operators::OperatorRole::Admin, first.spki_der());
            Ok(rows::operators::add(deed.writing, deed.workspace, id, "ann", role, spki)?)
        };
        world.gate.deed(add).await.expect("added");
        world.gate.reload().await.expect("read");
        assert!(world.gate.roster.load().get(id).is_some());
        assert_eq!(checked(&world, "acme", second).await, Err(newcomer::NotNew::Factored));
        assert!(world.gate.roster.load().get(id).is_none());
        assert!(world.everything().await.contains("operator_removed"));
    }

    rooms: &ROOMS,
    /// Otherwise nobody could ever let anybody in again.
    async fn the_last_owner_stays_though_the_key_is_burned(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let owner = world.gate.folder.key(crate::folder::KeyName::Owner).expect("a key");
        let pem = owner.to_pkcs8_pem().expect("pem").to_string();
        let input = Offer { csr: HandedIn::text(&pem) };
        offer(&world.gate, "acme", KEY.public().fingerprint(), input).await.expect_err("refused");
        assert_eq!(world.count("gate_burned").await, 1);
        assert!(world.gate.roster.load().get(crate::testing::OWNER).is_some());
    }
}
