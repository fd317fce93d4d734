//! The CSR of the key of now is there for another enrolment, and nothing else is.

use super::*;
use crate::operations::keys::csr::csr as kept_csr;
use crate::rows;
use crate::testing::{accounts, connection};
use protocol::role::ProviderRole;

async fn kept(world: &World) -> Result<String, u16> {
    let kept = kept_csr(&world.gate, "acme").await;
    let kept = kept.map_err(|no| no.status())?;
    let request = CertificateSigningRequest::from_pem(&kept.csr).expect("a request");
    assert_eq!(request.to_pem(), kept.csr, "words around it are gone");
    let key = protocol::csr::check(&request).expect("a key");
    assert_eq!(key.fingerprint().to_string(), kept.fingerprint);
    Ok(kept.fingerprint)
}

#[tokio::test]
async fn the_csr_that_a_connections_key_came_in_is_kept_with_each_rotation() {
    let world = World::new().await;
    enrol(&world, "acme", &KEY).await;
    assert_eq!(kept(&world).await, Ok(print(&KEY)));
    // Brought by the client, out of a mail.
    let second = new_key();
    let request = CertificateSigningRequest::new(&second, "Example Accounting", None);
    let mail = format!("Hi,\r\n\r\n{}\r\nBye", request.expect("a request").to_pem());
    let input = Rotate {
        csr: HandedIn::text(&mail),
        overlap_seconds: 60,
        again: false,
        reason: "as agreed".to_owned(),
    };
    rotate(&world.gate, &world.operator, "acme", input)
        .await
        .expect("replaced");
    assert_eq!(kept(&world).await, Ok(print(&second)));
    // Offered by the provider: the client's yes makes it the connection's.
    offered_by(&world, "acme", &OTHER).await.expect("kept");
    assert_eq!(kept(&world).await, Ok(print(&second)));
    let confirmed = Confirm {
        overlap_seconds: 0,
        reason: "as agreed".to_owned(),
    };
    confirm(
        &world.gate,
        &world.operator,
        "acme",
        &print(&OTHER),
        confirmed,
    )
    .await
    .expect("replaced");
    assert_eq!(kept(&world).await, Ok(print(&OTHER)));
    // It is there after the end, too: that is what it is kept for.
    life::close(&world.gate, &world.operator, "acme", Move::Revoke, why())
        .await
        .expect("revoked");
    assert_eq!(kept(&world).await, Ok(print(&OTHER)));
}

#[tokio::test]
async fn a_burned_key_is_enrolled_nowhere_and_a_csr_that_was_not_kept_is_asked_for() {
    let world = World::new().await;
    assert_eq!(kept(&world).await, Err(404), "nobody");
    // As a store has it whose gate did not keep CSRs.
    let older = world.gate.deed(|deed| {
        let older = connection("acme", ProviderRole::Viewer, accounts([1]));
        rows::connections::put_connection(deed.writing, deed.workspace, &older)?;
        Ok(rows::keys::put(
            deed.writing,
            deed.workspace,
            older.api_key,
            &crate::testing::held(&older),
        )?)
    });
    older.await.expect("kept");
    world.gate.reload().await.expect("read");
    let no = kept_csr(&world.gate, "acme")
        .await
        .expect_err("it was not kept");
    assert_eq!(no.status(), 404);
    assert!(no.to_string().contains("vestibule enroll"), "{no}");
    let world = World::new().await;
    enrol(&world, "acme", &KEY).await;
    let burned = world.gate.deed(|deed| {
        let (modulus, at) = (KEY.public().modulus(), deed.at);
        Ok(rows::keys::burn(
            deed.writing,
            deed.workspace,
            modulus,
            at,
            "seen",
        )?)
    });
    burned.await.expect("burned");
    assert_eq!(kept(&world).await, Err(409));
}
