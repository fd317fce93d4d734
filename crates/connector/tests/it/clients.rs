//! Keys, hand-over, hand-back, roles.

use connector::operations::client_add::{AddClient, At, client_add};
use connector::operations::client_handover::{Handover, client_handover};
use connector::operations::client_list::client_list;
use connector::operations::init::init;
use connector::operations::keys;
use connector::{Connector, Error, Settings};
use protocol::handover::HandOver;
use protocol::keys::KeySize;
use protocol::role::{ProviderRole, Role};
use sync::roles::Judgement;

use crate::upstream::{USER, WORKSPACE};
use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_made_once_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("c");
    assert!(matches!(
        Connector::open(&home, passphrase()).await,
        Err(Error::NoConnector(_))
    ));
    init(&home, &settings()).await.expect("made");
    assert!(matches!(
        init(&home, &settings()).await,
        Err(Error::Exists(_))
    ));
    let connector = Connector::open(&home, passphrase()).await.expect("open");
    assert_eq!(connector.settings(), &settings());
    std::fs::write(home.join("connector.toml"), "listne = 1\n").expect("written");
    let error = Connector::open(&home, passphrase())
        .await
        .expect_err("a bad file")
        .to_string();
    assert!(
        error.contains("connector.toml") && error.contains("listne"),
        "{error}"
    );
}

/// Practices P2 and P4: the request, the addresses, where webhooks go; never a private key.
#[tokio::test(flavor = "multi_thread")]
async fn p2_p4_the_hand_over_holds_what_the_client_needs_and_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = Settings {
        public_url: Some("https://hooks.example.com/in/".parse().expect("a URL")),
        ..settings()
    };
    let home = folder.path().join("c");
    init(&home, &public).await.expect("made");
    let connector = Connector::open(&home, passphrase()).await.expect("open");
    let ask = Handover {
        client: name(),
        role: ProviderRole::Viewer,
        scope: Default::default(),
        webhooks: true,
        webhook_url: None,
        legacy_signature: true,
    };
    assert!(
        matches!(
            client_handover(&connector, &ask).await,
            Err(Error::Keystore(_))
        ),
        "no key yet"
    );
    let made = keys::new(&connector, &name(), KeySize::Rsa2048)
        .await
        .expect("a key");
    let file = client_handover(&connector, &ask)
        .await
        .expect("a hand-over")
        .to_json();
    let read = HandOver::from_json(file.as_bytes()).expect("one that a gate reads");
    assert_eq!(
        read.webhook_url.map(String::from).as_deref(),
        Some("https://hooks.example.com/in/webhooks/fund")
    );
    assert_eq!(
        (read.provider.as_str(), read.addresses),
        ("Provider Ltd", settings().egress)
    );
    assert!(read.legacy_signature && protocol::private_key::find(file.as_bytes()).is_none());
    let csr = protocol::csr::CertificateSigningRequest::from_pem(&read.csr).expect("a request");
    assert_eq!(
        protocol::csr::check(&csr)
            .expect("no rule broken")
            .fingerprint(),
        made.key.fingerprint
    );

    let homeless = Settings {
        egress: Vec::new(),
        ..settings()
    };
    let home = folder.path().join("d");
    init(&home, &homeless).await.expect("made");
    let connector = Connector::open(&home, passphrase()).await.expect("open");
    keys::new(&connector, &name(), KeySize::Rsa2048)
        .await
        .expect("a key");
    assert!(
        matches!(client_handover(&connector, &ask).await, Err(Error::Invalid(why)) if why.contains("egress"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_back_is_pinned_and_held_against_the_gate() {
    let world = World::at_gate().await;
    let wrong = |change: &dyn Fn(&mut protocol::handover::HandBack)| {
        let mut back = world.hand_back();
        change(&mut back);
        AddClient {
            client: name(),
            at: At::Gate(back.to_json().into_bytes()),
            accept_unseen_role: false,
            offline: false,
        }
    };
    for (why, add) in [
        ("role", wrong(&|back| back.role = ProviderRole::Editor)),
        (
            "scope",
            wrong(&|back| {
                back.scope.vault_accounts.pop_last();
            }),
        ),
        (
            "workspace",
            wrong(&|back| back.workspace_id = protocol::ids::WorkspaceId(uuid::Uuid::nil())),
        ),
        (
            "connection",
            wrong(&|back| back.connection = "other".to_owned()),
        ),
    ] {
        let error = client_add(&world.connector, &add).await.expect_err(why);
        assert!(
            matches!(&error, Error::Contradiction(told) if told.contains(why)),
            "{why}: {error}"
        );
    }
    assert_eq!(
        client_list(&world.connector).await.expect("a list"),
        [],
        "nothing was added"
    );

    let added = world.add().await.expect("added");
    let role = added.role.expect("asked");
    assert_eq!(role.role(), Some(ProviderRole::Viewer));
    assert!(role.how.contains("the gate says so"), "{}", role.how);
    let listed = client_list(&world.connector).await.expect("a list");
    assert_eq!(
        (listed.len(), listed[0].workspace, listed[0].api_key),
        (1, WORKSPACE, USER)
    );
    assert!(matches!(world.add().await, Err(Error::HasClient(_))));
}

/// Practice P2: nobody is asked for a private key, and none is taken.
#[tokio::test(flavor = "multi_thread")]
async fn p2_a_private_key_in_the_hand_back_file_is_refused() {
    let world = World::at_gate().await;
    let mut file = world.hand_back().to_json();
    file.push_str(&KEY.to_pkcs8_pem().expect("pem"));
    let add = AddClient {
        client: name(),
        at: At::Gate(file.into_bytes()),
        accept_unseen_role: false,
        offline: true,
    };
    let error = client_add(&world.connector, &add)
        .await
        .expect_err("refused");
    assert!(
        matches!(&error, Error::HandBack(why) if why.contains("private key")),
        "{error}"
    );
    assert_eq!(client_list(&world.connector).await.expect("a list"), []);
}

/// Practice P1: Viewer or Editor, proven by reading; more is refused, whatever is said.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_key_that_can_do_more_is_refused() {
    let world = World::straight().await;
    let set = |role: Role| *world.upstream.role.lock().expect("a lock") = role;
    for role in [
        Role::Admin,
        Role::Signer,
        Role::NonSigningAdmin,
        Role::Approver,
    ] {
        set(role);
        let error = world.add_with(true).await.expect_err("refused");
        assert!(
            matches!(&error, Error::Role(Judgement::TooMuch { among }) if among.contains(&role)),
            "{role}: {error}"
        );
    }
    // Where `GET /approvals` is not there, an Editor cannot be told from a Signer.
    world
        .upstream
        .has_approvals
        .store(false, std::sync::atomic::Ordering::SeqCst);
    set(Role::Editor);
    let error = world.add().await.expect_err("an explicit word is needed");
    assert!(
        matches!(&error, Error::Role(Judgement::CannotBeSeen { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("SIGNER"), "{error}");
    assert_eq!(client_list(&world.connector).await.expect("a list"), []);
    let added = world.add_with(true).await.expect("added, with a word");
    assert!(
        added
            .role
            .expect("asked")
            .how
            .contains("unclear getApprovals")
    );
    assert!(
        world
            .upstream
            .calls
            .lock()
            .expect("a lock")
            .iter()
            .all(|call| !call.contains("POST")),
        "only reads"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_viewer_and_editor_are_proven_straight_at_a_workspace() {
    for (role, provider) in [
        (Role::Viewer, ProviderRole::Viewer),
        (Role::Editor, ProviderRole::Editor),
    ] {
        let world = World::straight().await;
        *world.upstream.role.lock().expect("a lock") = role;
        let added = world.add().await.expect("added");
        assert_eq!(added.role.expect("asked").role(), Some(provider));
    }
}
