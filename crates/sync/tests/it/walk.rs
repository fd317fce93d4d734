use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use ledger::{Books, Scope};
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::model::whitelist::WhitelistKind;
use protocol::time::Millis;
use serde_json::{Value, json};
use store::on_both;
use sync::walk::Options;
use sync::{Area, AsItIs, SyncError, held, walk};
use uuid::Uuid;
use wire::client::{Budget, Client, LocalKey};

use crate::world::*;

const ROOMS: &[store::Room] = &[ledger::ROOM, sync::ROOM];

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));

/// An upstream that answers each target with what it was given, at a time of its own.
#[derive(Default)]
struct Upstream {
    answers: Mutex<Vec<(String, u16, Value)>>,
    transactions: Mutex<Vec<Value>>,
    asked: Mutex<Vec<String>>,
    /// How `Date` shows it, in seconds.
    date: Mutex<u64>,
}

impl Upstream {
    fn says(&self, target: &str, answer: Value) {
        self.refuses(target, 200, answer);
    }

    fn refuses(&self, target: &str, status: u16, answer: Value) {
        let mut answers = self.answers.lock().expect("a lock");
        answers.retain(|(old, ..)| old != target);
        answers.push((target.to_owned(), status, answer));
    }

    fn set_date(&self, at: Millis) {
        *self.date.lock().expect("a lock") = u64::try_from(at.seconds()).expect("a date");
    }

    fn answer(&self, target: &str) -> (u16, Value) {
        self.asked.lock().expect("a lock").push(target.to_owned());
        if let Some(query) = target.strip_prefix("/v1/transactions?") {
            return (200, self.list(query));
        }
        let answers = self.answers.lock().expect("a lock");
        let found = answers.iter().find(|(known, ..)| known == target);
        found.map_or((404, json!({"message": target})), |(_, status, answer)| {
            (*status, answer.clone())
        })
    }

    /// As Fireblocks lists with `orderBy`: pages of three here, without `next-page`.
    fn list(&self, query: &str) -> Value {
        let after: i64 = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("after=")?.parse().ok())
            .expect("never without 'after': upstream would hide all but 90 days");
        assert!(query.contains("orderBy=createdAt"));
        let mut all = self.transactions.lock().expect("a lock").clone();
        all.retain(|one| one["createdAt"].as_i64().expect("a time") > after);
        all.sort_by_key(|one| (one["createdAt"].as_i64(), one["id"].to_string()));
        if query.contains("sort=DESC") {
            all.reverse();
        }
        all.truncate(3);
        all.into()
    }

    async fn serve(self: &Arc<Self>) -> Client {
        async fn any(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
            let target = request.uri().path_and_query().expect("a target").as_str();
            let (status, answer) = upstream.answer(target);
            let date = *upstream.date.lock().expect("a lock");
            let date = std::time::UNIX_EPOCH + Duration::from_secs(date);
            let status = http::StatusCode::from_u16(status).expect("a status");
            let headers = [("date", httpdate::fmt_http_date(date))];
            (status, headers, axum::Json(answer)).into_response()
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(any).with_state(Arc::clone(self));
        tokio::spawn(axum::serve(listener, router).into_future());
        let many = NonZeroU32::new(60_000).expect("some");
        let budget = Budget::per_minute(many, many, Duration::from_secs(5));
        let signer = Arc::new(LocalKey::new(UserId(Uuid::from_u128(1)), KEY.clone()));
        Client::new(&origin, signer, budget, clock()).expect("a client")
    }
}

fn upstream() -> Arc<Upstream> {
    let upstream = Arc::new(Upstream::default());
    upstream.set_date(NOW);
    let account =
        |id: &str| json!({"id": id, "name": format!("Account {id}"), "customerRefId": "ref"});
    upstream.says(
        "/v1/vault/accounts_paged?limit=500",
        json!({"accounts": [account("1"), account("2")], "paging": {"after": "a="}}),
    );
    upstream.says(
        "/v1/vault/accounts_paged?limit=500&after=a%3D",
        json!({"accounts": [account("3"), {"id": "x"}], "paging": {}}),
    );
    upstream.says(
        "/v1/vault/asset_wallets?limit=1000",
        json!({"assetWallets": [asset_wallet("1", "5"), asset_wallet("2", "6")], "paging": {}}),
    );
    for account in ["1", "2"] {
        let address =
            json!({"assetId": "ETH", "address": format!("0x{account}"), "type": "Permanent"});
        upstream.says(
            &format!("/v1/vault/accounts/{account}/ETH/addresses_paginated"),
            json!({"addresses": [address], "paging": {}}),
        );
    }
    upstream.says("/v1/internal_wallets", json!([]));
    upstream.says("/v1/contracts", json!([]));
    upstream.says(
        "/v1/external_wallets",
        json!([entry(1, "Payee"), entry(2, "Other")]),
    );
    upstream.refuses(
        "/v1/supported_assets",
        401,
        json!({"message": "Insufficient permissions", "code": -8}),
    );
    let (chain, native) = (Uuid::from_u128(50), Uuid::from_u128(51));
    let metadata = json!({"scope": "Global", "verified": true, "deprecated": false});
    upstream.says(
        "/v1/assets?pageSize=1000",
        json!({"data": [
            {"id": Uuid::from_u128(52), "legacyId": "USDC", "blockchainId": chain, "displayName": "USD Coin",
             "displaySymbol": "USDC", "assetClass": "FT", "metadata": metadata,
             "onchain": {"symbol": "USDC", "name": "USD Coin", "address": "0xc", "decimals": 6, "standards": ["ERC20"]}},
            {"id": native, "legacyId": "ETH", "blockchainId": chain, "displayName": "Ethereum", "displaySymbol": "ETH",
             "assetClass": "NATIVE", "decimals": 18, "metadata": metadata}], "next": null}),
    );
    let onchain = json!({"protocol": "EVM", "test": false, "signingAlgo": "ECDSA_SECP256K1"});
    upstream.says(
        "/v1/blockchains?pageSize=500",
        json!({"data": [
            {"id": chain, "legacyId": "ETH", "displayName": "Ethereum", "nativeAssetId": native, "onchain": onchain,
             "metadata": {"scope": "Global", "deprecated": false}},
            {"id": Uuid::from_u128(53), "legacyId": "OLD", "displayName": "Old", "nativeAssetId": native,
             "onchain": {"protocol": "EVM", "test": false}, "metadata": {"scope": "Global", "deprecated": true}}]}),
    );
    *upstream.transactions.lock().expect("a lock") = (1..=10)
        .map(|id: u32| {
            // Some of the same millisecond, across a page's end.
            let created = 1_000 + i64::from(id.div_ceil(2));
            transaction(id.into(), "COMPLETED", created, created + 5)
        })
        .collect();
    upstream
}

fn asset_wallet(account: &str, total: &str) -> Value {
    json!({"vaultId": account, "assetId": "ETH", "available": total, "total": total, "pending": "0", "staked": "0",
        "frozen": "0", "lockedAmount": "0", "blockHeight": null, "blockHash": null, "creationTimestamp": "77"})
}

fn entry(id: u128, name: &str) -> Value {
    json!({"id": Uuid::from_u128(id), "name": name, "assets": [{"id": "ETH", "status": "APPROVED", "address": "0x"}]})
}

fn whole() -> Scope {
    Scope::whole(WORKSPACE)
}

async fn names(books: &Books) -> Vec<String> {
    let listed = held::whitelist(books, &whole(), WhitelistKind::External).await;
    let listed = listed.expect("a list").into_iter();
    listed.map(|wallet| wallet.name).collect()
}

on_both! {
    rooms: ROOMS,
    async fn a_walk_fills_the_books(store: TestStore) {
        let (books, upstream) = (books(&store).await, upstream());
        let client = upstream.serve().await;
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let mut options = Options::new(clock());
        let told = Arc::clone(&seen);
        options.progress = Some(Arc::new(move |progress| {
            told.lock().expect("a lock").insert((progress.area.clone(), progress.rows));
        }));
        let walked = walk(&client, &books, &Area::all(Millis(0)), &options).await.expect("walked");
        assert_eq!(walked.calls, upstream.asked.lock().expect("a lock").len());
        assert_eq!(walked.as_of.len(), 7);
        assert!(walked.as_of.values().all(|at| *at < NOW && *at > NOW.plus(-5_000)), "{:?}", walked.as_of);
        // A deprecated chain without its algorithm, an account with an odd id.
        assert_eq!((walked.not_understood, walked.told.len()), (2, 2));
        assert!(seen.lock().expect("a lock").contains(&(Area::Accounts, 4)));

        let accounts = held::accounts(&books, &whole()).await.expect("accounts");
        assert_eq!(accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>(), ["Account 1", "Account 2", "Account 3"]);
        assert_eq!(wallet(&books, 1).await, Some(("5".to_owned(), 77)));
        let asset = "ETH".parse().expect("an asset");
        let addresses = held::addresses(&books, &whole(), accounts[1].id, &asset).await.expect("addresses");
        assert_eq!(addresses[0].address, "0x2");
        assert_eq!(held::transactions(&books, &whole(), Millis(0)).await.expect("transactions").len(), 10);
        // Two balances, two addresses, two legs of each of ten transactions.
        assert_eq!(digest(&books).await.count, 24);

        // Read again, nothing of it is a change: nobody would be told of it.
        let before = digest(&books).await;
        upstream.set_date(NOW.plus(60_000));
        let (told, written) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (count, rows) = (Arc::clone(&told), Arc::clone(&written));
        options.beside = Some(Arc::new(move |_, _, outcomes| {
            let changed = outcomes.iter().filter(|outcome| outcome.applied == ledger::Applied::Changed);
            *count.lock().expect("a lock") += changed.count();
            rows.lock().expect("a lock").extend(outcomes.iter().map(|outcome| outcome.change.clone()));
            Ok(())
        }));
        let areas = Area::all(Millis(0));
        let again = walk(&client, &books, &areas, &options).await.expect("walked");
        assert_eq!(digest(&books).await, before);
        assert_eq!((again.changed, *told.lock().expect("a lock")), (0, 0));
        // What the read model holds is not even held against the tables: that would cost the one writer.
        let written = std::mem::take(&mut *written.lock().expect("a lock"));
        let in_tables_alone = |change: &ledger::Change| {
            matches!(change, ledger::Change::Transaction(..) | ledger::Change::Address(..))
        };
        assert!(written.iter().all(in_tables_alone), "{written:?}");
        assert!(!written.is_empty());
        upstream.says("/v1/vault/asset_wallets?limit=1000", json!({"assetWallets": [asset_wallet("1", "7"), asset_wallet("2", "6")], "paging": {}}));
        let again = walk(&client, &books, &areas, &options).await.expect("walked");
        assert_eq!((again.changed, *told.lock().expect("a lock")), (1, 1));
    }

    rooms: ROOMS,
    async fn a_page_read_before_an_event_never_overwrites_it(store: TestStore) {
        let (books, upstream, inbox) = (books(&store).await, upstream(), inbox(&store));
        let client = upstream.serve().await;
        let none = |_: &mut store::Writing<'_>, _: &mut ledger::Batch, _: &_, _: &[_]| Ok(());
        // Of the same second as `Date`, which is rounded down.
        post(&inbox, &balance(1, NOW.0 + 1, 1, "9")).await;
        inbox.drain(&books, &AsItIs, none).await.expect("drained");
        let options = Options::new(clock());
        let walked = walk(&client, &books, &[Area::AssetWallets], &options).await.expect("walked");
        assert_eq!((walked.changed, walked.in_doubt), (1, 1), "which is later, nobody knows");
        assert_eq!(wallet(&books, 1).await, Some(("9".to_owned(), NOW.0 + 1)));
        assert_eq!(total(&books, 2).await.as_deref(), Some("6"));
        // Asked for because of that very event, the page is at least as late as it.
        let after = Options { since: Some(NOW.plus(2)), ..options.clone() };
        let walked = walk(&client, &books, &[Area::AssetWallets], &after).await.expect("walked");
        assert_eq!((walked.changed, walked.in_doubt), (1, 0));
        assert_eq!(wallet(&books, 1).await, Some(("5".to_owned(), 77)));
        // What was lost is found by a later walk.
        upstream.says("/v1/vault/asset_wallets?limit=1000", json!({"assetWallets": [asset_wallet("1", "7")], "paging": {}}));
        upstream.set_date(NOW.plus(60_000));
        walk(&client, &books, &[Area::AssetWallets], &options).await.expect("walked");
        assert_eq!(total(&books, 1).await.as_deref(), Some("7"));
        // And an event that was on its way all the time still counts, if it is newer than the page.
        post(&inbox, &balance(2, NOW.0 + 60_001, 1, "8")).await;
        inbox.drain(&books, &AsItIs, none).await.expect("drained");
        assert_eq!(wallet(&books, 1).await, Some(("8".to_owned(), 77)));
    }

    rooms: ROOMS,
    async fn what_is_gone_from_a_whitelist_is_gone(store: TestStore) {
        let (books, upstream) = (books(&store).await, upstream());
        let client = upstream.serve().await;
        let options = Options::new(clock());
        walk(&client, &books, &[Area::Whitelists], &options).await.expect("walked");
        assert_eq!(names(&books).await, ["Payee", "Other"]);
        upstream.set_date(NOW.plus(5_000));
        upstream.says("/v1/external_wallets", json!([entry(2, "Renamed"), {"id": "odd"}]));
        walk(&client, &books, &[Area::Whitelists], &options).await.expect("walked");
        assert_eq!(names(&books).await, ["Payee", "Renamed"], "what is not read whole removes nothing");
        upstream.set_date(NOW.plus(10_000));
        upstream.says("/v1/external_wallets", json!([entry(2, "Renamed")]));
        walk(&client, &books, &[Area::Whitelists], &options).await.expect("walked");
        assert_eq!(names(&books).await, ["Renamed"]);
    }

    rooms: ROOMS,
    async fn more_of_one_moment_than_a_page_holds_is_an_error_and_not_a_loss(store: TestStore) {
        let (books, upstream) = (books(&store).await, upstream());
        let client = upstream.serve().await;
        *upstream.transactions.lock().expect("a lock") =
            (1..=9).map(|id| transaction(id, "COMPLETED", 5, 9)).collect();
        let area = [Area::Transactions { after: Millis(1) }];
        let error = walk(&client, &books, &area, &Options::new(clock())).await.expect_err("crowded");
        assert!(matches!(error, SyncError::Crowded(Millis(5))), "{error}");
        // As many as a page holds are no trouble.
        upstream.transactions.lock().expect("a lock").truncate(3);
        walk(&client, &books, &area, &Options::new(clock())).await.expect("walked");
    }
}
