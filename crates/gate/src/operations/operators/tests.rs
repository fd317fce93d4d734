use protocol::csr::CertificateSigningRequest;
use protocol::keys::PrivateKey;
use store::on_both;

use super::*;
use crate::start::ROOMS;
use crate::testing::{KEY, OTHER, World};

fn csr(key: &PrivateKey) -> String {
    let request = CertificateSigningRequest::new(key, "Example Fund", None);
    request.expect("a request").to_pem()
}

async fn added(world: &World, name: &str, csr: &str) -> Result<ShownChange, ApiError> {
    let input = NewOperator {
        name: name.to_owned(),
        role: OperatorRole::Admin,
        csr: HandedIn::text(csr),
        reason: "joins".to_owned(),
    };
    add(&world.gate, &world.operator, input).await
}

on_both! {
    rooms: &ROOMS,
    async fn invariant_3_an_operators_private_key_is_burned_and_logged_as_one(store: TestStore) {
        let world = World::over(store).await;
        let pem = KEY.to_pkcs8_pem().expect("pem").to_string();
        let error = added(&world, "ann", &pem).await.expect_err("a private key");
        assert!(error.message().contains("private key"), "{error}");
        assert_eq!(world.count("gate_burned").await, 1);
        let kept = world.everything().await;
        assert!(kept.contains("private_key_refused"), "it is in the log");
        for line in pem.lines().filter(|line| !line.starts_with('-')) {
            assert!(!kept.contains(line), "a line of the key was written down");
        }
        let error = added(&world, "ann", &csr(&KEY)).await.expect_err("burned");
        assert!(error.message().contains("burned"), "{error}");
        added(&world, "ann", &csr(&OTHER)).await.expect("added");
    }

    rooms: &ROOMS,
    async fn an_operators_request_is_read_from_what_carries_it_and_refused_by_name(store: TestStore) {
        let world = World::over(store).await;
        let small = include_str!("../../../../protocol/src/csr/fixtures/rsa_1024.pem");
        let error = added(&world, "ann", small).await.expect_err("small");
        assert!(error.message().contains("1024 bits"), "{error}");
        assert_eq!(world.count("gate_seen_moduli").await, 1, "it is remembered");
        assert!(world.everything().await.contains("operator_refused"));
        let mail = format!("Hello,\n\n> {}\nAnn\n", csr(&KEY).replace('\n', "\n> "));
        added(&world, "ann", &mail).await.expect("a mail");
        let again = added(&world, "bob", &csr(&KEY)).await.expect_err("ann's");
        assert!(again.message().contains("operator"), "{again}");
    }
}
