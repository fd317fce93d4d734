//! Private keys that show up where a CSR belongs, real ones and forged ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

/// A private key that nobody can look into.
const WRAPPED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkqhkiG9w0BBQwwHAQI\n-----END ENCRYPTED PRIVATE KEY-----\n";

/// A rival's public half with the private half of somebody else, as a JWK.
fn forged(rival: &PrivateKey) -> String {
    let jwk: serde_json::Value = serde_json::from_str(include_str!(
        "../../../../../protocol/src/private_key/fixtures/rsa_private.jwk"
    ))
    .expect("a JWK");
    let base64 = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    let (n, e) = (rival.public().modulus(), rival.public().exponent());
    json!({"kty": "RSA", "n": base64(n), "e": base64(e), "d": jwk["d"], "p": jwk["p"], "q": jwk["q"]})
        .to_string()
}

async fn offered_text(world: &World, name: &str, text: String) -> ApiError {
    let input = Offer {
        csr: HandedIn::text(&text),
    };
    let offer = offer(&world.gate, name, KEY.public().fingerprint(), input);
    offer.await.expect_err("refused")
}

on_both! {
    rooms: &ROOMS,
    async fn invariant_3_an_offer_with_a_private_key_is_refused_and_the_key_burned(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let leaked = new_key();
        let pem = leaked.to_pkcs8_pem().expect("pem").to_string();
        let error = offered_text(&world, "acme", pem.clone()).await;
        assert!(error.message().contains("private key"), "{error}");
        let error = offered_by(&world, "acme", &leaked).await.expect_err("burned");
        assert!(error.message().contains("burned"), "{error}");
        let kept = world.everything().await;
        for line in pem.lines().filter(|line| !line.starts_with('-')) {
            assert!(!kept.contains(line), "a line of the key was written down");
        }
        // Its own key goes on: it is not the one that was seen.
        assert_eq!(door(&world, "acme"), [print(&KEY)]);
    }

    rooms: &ROOMS,
    async fn invariant_3_a_retiring_key_that_leaks_dies_and_the_connection_goes_on(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        bring(&world, "acme", &OTHER, 60, false).await.expect("rotated");
        let pem = KEY.to_pkcs8_pem().expect("pem").to_string();
        offered_text(&world, "acme", pem).await;
        assert_eq!(door(&world, "acme"), [print(&OTHER)]);
        let shown = crate::operations::connections::show(&world.gate, "acme").expect("there");
        assert_eq!(shown.connection.state, State::Active);
        // Burned is for ever, also by explicit word.
        let back = bring(&world, "acme", &KEY, 0, true).await.expect_err("burned");
        assert!(back.message().contains("burned"), "{back}");
    }

    rooms: &ROOMS,
    /// A connection whose key is burned gets a new one, and is opened again by its people.
    async fn a_burned_key_is_replaced_at_once(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let pem = KEY.to_pkcs8_pem().expect("pem").to_string();
        offered_text(&world, "acme", pem).await;
        let state = |world: &World| {
            crate::operations::connections::show(&world.gate, "acme").expect("there").connection.state
        };
        assert_eq!(state(&world), State::Suspended);
        assert!(door(&world, "acme").is_empty());
        bring(&world, "acme", &OTHER, 60, false).await.expect("rotated");
        assert_eq!(door(&world, "acme"), [print(&OTHER)], "a burned key has no overlap");
        life::open(&world.gate, &world.operator, "acme", Move::Resume, why()).await.expect("resumed");
        assert_eq!(state(&world), State::Active);
    }

    rooms: &ROOMS,
    /// Nobody can look into it, so it may be the private half of the key whose CSR came with it.
    async fn invariant_3_a_key_that_came_with_a_wrapped_private_key_is_not_taken(store: TestStore) {
        let world = World::over(store).await;
        for name in ["acme", "other"] {
            enrol(&world, name, &new_key()).await;
        }
        let (mine, theirs) = (new_key(), new_key());
        let beside = |key: &PrivateKey| {
            let request = CertificateSigningRequest::new(key, "Example Accounting", None);
            format!("{}{WRAPPED}", request.expect("a request").to_pem())
        };
        let input = Rotate { csr: HandedIn::text(&beside(&mine)), overlap_seconds: 0, again: false, reason: "as agreed".to_owned() };
        let error = rotate(&world.gate, &world.operator, "acme", input).await.expect_err("refused");
        assert!(error.message().contains("private key"), "{error}");
        let error = bring(&world, "acme", &mine, 0, false).await.expect_err("withheld");
        assert!(error.message().contains("A new key is needed"), "{error}");
        let logged = world.everything().await;
        assert!(logged.contains(&format!("\"withheld\":[\"{}\"]", print(&mine))), "the log says which");
        // It proves nothing about anybody else's: another's CSR beside junk withholds it from nobody else.
        offered_text(&world, "other", beside(&theirs)).await;
        let error = offered_by(&world, "other", &theirs).await.expect_err("withheld");
        assert!(error.message().contains("A new key is needed"), "{error}");
        bring(&world, "acme", &theirs, 0, false).await.expect("taken");
        assert_eq!(door(&world, "acme"), [print(&theirs)]);
    }

    rooms: &ROOMS,
    /// A wrapped one may stand beside one that is proven, and the CSR may be of either.
    async fn invariant_3_a_key_beside_a_proven_and_a_wrapped_private_key_is_not_taken(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let (leaked, mine) = (new_key(), new_key());
        let pem = leaked.to_pkcs8_pem().expect("pem");
        let requests = [&leaked, &mine].map(|key| {
            let request = CertificateSigningRequest::new(key, "Example Accounting", None);
            request.expect("a request").to_pem()
        });
        let error = offered_text(&world, "acme", format!("{}{WRAPPED}{}", *pem, requests.concat())).await;
        assert!(error.message().contains("private key"), "{error}");
        let error = offered_by(&world, "acme", &leaked).await.expect_err("burned");
        assert!(error.message().contains("burned"), "{error}");
        let error = offered_by(&world, "acme", &mine).await.expect_err("withheld");
        assert!(error.message().contains("may be its own"), "{error}");
        assert_eq!(world.count("gate_withheld").await, 1, "what is burned needs no more");
    }

    rooms: &ROOMS,
    /// More than so many are not kept by name: from then on nobody can say which they were.
    async fn invariant_3_where_too_many_keys_are_withheld_none_is_taken(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        enrol(&world, "other", &OTHER).await;
        let fill = |deed: &mut Deed<'_, '_>| {
            let of = Claimant::Connection("acme").to_string();
            for number in 1..rows::keys::MAX_WITHHELD_OF_ONE {
                let key = KeyFingerprint::of_modulus(&number.to_be_bytes());
                rows::keys::withhold(deed.writing, deed.workspace, &of, key, deed.at)?;
            }
            Ok(())
        };
        world.gate.deed(fill).await.expect("filled");
        let [last, beyond, fresh] = [(); 3].map(|()| new_key());
        let beside = |key: &PrivateKey| {
            let request = CertificateSigningRequest::new(key, "Example Accounting", None);
            format!("{}{WRAPPED}", request.expect("a request").to_pem())
        };
        assert!(!world.everything().await.contains("\"all_withheld\":true"));
        offered_text(&world, "acme", beside(&last)).await;
        assert!(world.everything().await.contains("\"all_withheld\":true"), "the log says so");
        offered_text(&world, "acme", beside(&beyond)).await;
        for key in [&beyond, &fresh] {
            let error = offered_by(&world, "acme", key).await.expect_err("none is taken");
            assert!(error.message().contains("another name"), "{error}");
        }
        bring(&world, "other", &fresh, 0, false).await.expect("taken");
    }

    rooms: &ROOMS,
    /// The attack: a forged private key that names a rival's public half must not burn it.
    async fn invariant_3_a_forged_private_key_burns_nobody(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "rival", &OTHER).await;
        enrol(&world, "acme", &KEY).await;
        let error = offered_text(&world, "acme", forged(&OTHER)).await;
        assert!(error.message().contains("private key"), "{error}");
        assert_eq!(door(&world, "rival"), [print(&OTHER)]);
        let shown = crate::operations::connections::show(&world.gate, "rival").expect("there");
        assert_eq!(shown.connection.state, State::Active);
        assert!(!world.everything().await.contains("\"burned\":[\""));
        assert_eq!(world.count("gate_burned").await, 0);
    }
}
