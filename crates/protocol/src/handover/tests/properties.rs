use super::*;
use proptest::prelude::*;

fn nets() -> impl Strategy<Value = Vec<IpNet>> {
    let v4 = (any::<[u8; 4]>(), 1u8..=32).prop_map(|(ip, len)| (IpAddr::from(ip), len));
    // Global unicast: never IPv4 in IPv6.
    let v6 = (any::<[u8; 16]>(), 3u8..=128).prop_map(|(mut ip, len)| {
        ip[0] |= 0x20;
        (IpAddr::from(ip), len)
    });
    let net = prop_oneof![v4, v6].prop_map(|(ip, len)| IpNet::new(ip, len).expect("a net").trunc());
    proptest::collection::vec(net, 1..20)
}

fn scope() -> impl Strategy<Value = WantedScope> {
    let accounts = proptest::collection::btree_set(any::<u32>(), 0..30);
    let assets = proptest::option::of(proptest::collection::btree_set(
        "[A-Z][A-Z0-9_]{0,20}",
        0..9,
    ));
    let wallets = proptest::collection::btree_set(any::<u128>(), 0..9);
    (accounts, assets, wallets).prop_map(|(accounts, assets, wallets)| WantedScope {
        vault_accounts: accounts.into_iter().map(VaultAccountId::new).collect(),
        assets: assets.map(|ids| ids.iter().map(|id| id.parse().expect("an id")).collect()),
        whitelists: wallets
            .into_iter()
            .map(|id| WalletId(Uuid::from_u128(id)))
            .collect(),
    })
}

fn role() -> impl Strategy<Value = ProviderRole> {
    prop_oneof![Just(ProviderRole::Viewer), Just(ProviderRole::Editor)]
}

fn webhooks() -> impl Strategy<Value = WebhookKeys> {
    let senders = proptest::collection::vec(any::<[u8; 4]>().prop_map(IpAddr::from), 0..9);
    (any::<u128>(), 1usize..4, any::<[bool; 2]>(), senders).prop_map(|(id, keys, has, senders)| {
        WebhookKeys {
            webhook_id: WebhookId(Uuid::from_u128(id)),
            jwks: jwks(&["a", "b", "c"][..keys]),
            jwks_url: has[0].then(|| "https://gate.example.com/keys.json".parse().expect("a URL")),
            legacy_key_pem: has[1].then(|| OTHER.public().spki_pem()),
            sender_addresses: senders,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_handover_round_trips(
        provider in "[a-zA-Zé漢\"'][a-zA-Zé漢\"'/ ]{0,40}[a-z.]", role in role(), addresses in nets(),
        url in proptest::option::of("https?://[a-z]{1,9}\\.example(:[1-9][0-9]{0,3})?/[a-z/]{0,9}(\\?[a-z]{1,3}=[0-9]{1,3})?"),
        legacy_signature in any::<bool>(), scope in scope(),
    ) {
        let webhook_url = url.map(|url| url.parse().expect("a URL"));
        let file = HandOver { provider, role, csr: CSR.clone(), addresses, webhook_url, legacy_signature, scope };
        let again = HandOver::from_json(file.to_json().as_bytes());
        prop_assert_eq!(again.as_ref(), Ok(&file));
        let inside = json!([file]).to_string();
        prop_assert_eq!(serde_json::from_str::<Vec<HandOver>>(&inside).expect("read"), vec![file]);
    }

    #[test]
    fn a_handback_round_trips(
        connection in "[a-z][a-z -]{0,40}[a-z]", role in role(), path in "[a-z/]{0,9}", ids in any::<[u128; 2]>(),
        scope in scope(), webhooks in proptest::option::of(webhooks()),
    ) {
        let file = HandBack {
            connection, role, scope, webhooks,
            base_url: format!("http://127.0.0.1:8080/{path}/v1").parse().expect("a URL"),
            api_key: UserId(Uuid::from_u128(ids[0])),
            workspace_id: WorkspaceId(Uuid::from_u128(ids[1])),
            log_key: *LOG_KEY,
        };
        prop_assert_eq!(HandBack::from_json(file.to_json().as_bytes()), Ok(file));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,99}") {
        prop_assert!(HandOver::from_json(&bytes).is_err());
        prop_assert!(HandBack::from_json(text.as_bytes()).is_err());
    }
}
