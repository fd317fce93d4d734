//! Where money is, as the API shows it.

use serde_json::{Value, json};

use super::ledger::{Holder, Pot, Sums, cut, read, written};
use super::play::text;
use super::steps::{ACCOUNTS, ASSETS, To};
use super::visitor::Visitor;

/// The places of a seeded fund that histories are about.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) internal: String,
    pub(super) external: String,
    pub(super) exchange: String,
    pub(super) coinbase: String,
    pub(super) fiat: String,
    peer: String,
    /// Of the external wallet, by asset.
    addresses: Vec<(String, String)>,
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn by_name(list: &[Value], name: &str) -> Value {
    let found = list.iter().find(|one| one["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name}: {list:?}"))
        .clone()
}

impl Places {
    pub(super) async fn find(user: &Visitor) -> Self {
        let exchanges = user.get("/exchange_accounts").await;
        let id = |name: &str| text(&by_name(list(&exchanges), name), "id");
        let most = |wallets: &Value| {
            let most = list(wallets)
                .iter()
                .max_by_key(|one| list(&one["assets"]).len());
            most.expect("a wallet").clone()
        };
        let external = most(&user.get("/external_wallets").await);
        let assets = list(&external["assets"]).iter();
        Self {
            internal: text(&most(&user.get("/internal_wallets").await), "id"),
            external: text(&external, "id"),
            exchange: id("Binance"),
            coinbase: id("Coinbase Prime"),
            fiat: text(&list(&user.get("/fiat_accounts").await)[0], "id"),
            peer: text(&list(&user.get("/network_connections").await)[0], "id"),
            addresses: assets
                .map(|asset| (text(asset, "id"), text(asset, "address")))
                .collect(),
        }
    }

    pub(super) fn external_address(&self, asset: &str) -> Option<String> {
        let found = self.addresses.iter().find(|(id, _)| id == asset);
        found.map(|(_, address)| address.clone())
    }

    pub(super) fn trading(&self) -> (Holder, Holder) {
        let of = |kind| Holder::Exchange(self.exchange.clone(), kind);
        (of("SPOT"), of("FUNDING"))
    }

    /// What a request says of where it goes, and what arrives where.
    pub(super) fn destination(
        &self,
        to: &To,
        (asset, _, places): (&str, &str, usize),
        amount: i128,
    ) -> (Value, Vec<(Option<Holder>, i128)>) {
        let one = |kind: &str, id: &str| json!({"destination": {"type": kind, "id": id}});
        let (told, holder) = match to {
            To::Account(number) => (
                one("VAULT_ACCOUNT", &number.to_string()),
                Some(Holder::Account(*number)),
            ),
            To::Internal => (
                one("INTERNAL_WALLET", &self.internal),
                Some(Holder::Internal(self.internal.clone())),
            ),
            To::External => (one("EXTERNAL_WALLET", &self.external), None),
            To::Exchange => (
                one("EXCHANGE_ACCOUNT", &self.exchange),
                Some(self.trading().0),
            ),
            To::Station => (
                one("GAS_STATION", asset),
                Some(Holder::Station(asset.to_owned())),
            ),
            To::Peer => (one("NETWORK_CONNECTION", &self.peer), None),
            To::OneTime => {
                let address = self.external_address(asset).unwrap_or_default();
                let place =
                    json!({"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": address}});
                (json!({"destination": place}), None)
            }
            To::Several(accounts) => {
                let each = i128::try_from(accounts.len() + 1).expect("few");
                let part = cut(amount / each, places);
                let mut parts: Vec<_> = accounts
                    .iter()
                    .map(|number| (Some(Holder::Account(*number)), part))
                    .collect();
                parts.push((None, part));
                let told = parts.iter().map(|(holder, part)| {
                    let place = match holder {
                        Some(Holder::Account(number)) => {
                            json!({"type": "VAULT_ACCOUNT", "id": number.to_string()})
                        }
                        _ => json!({"type": "EXTERNAL_WALLET", "id": self.external}),
                    };
                    json!({"amount": written(*part, places), "destination": place})
                });
                let told: Vec<_> = told.collect();
                return (json!({ "destinations": told }), parts);
            }
        };
        (told, vec![(holder, amount)])
    }

    /// What everything holds, as the API tells it; places that hold nothing are left out.
    pub(super) async fn told(&self, user: &Visitor) -> Sums {
        let mut sums = Sums::new();
        let mut put = |holder: &Holder, asset: &str, pot, amount: &Value| {
            let amount = read(amount.as_str().unwrap_or("0"));
            if amount != 0 {
                sums.insert((holder.clone(), asset.to_owned(), pot), amount);
            }
        };
        for number in 0..ACCOUNTS {
            let account = user.get(&format!("/vault/accounts/{number}")).await;
            for wallet in list(&account["assets"]) {
                let asset = text(wallet, "id");
                if !ASSETS.iter().any(|(id, ..)| *id == asset) {
                    continue;
                }
                let mut sum = 0;
                for (name, pot) in [
                    ("available", Pot::Available),
                    ("pending", Pot::Pending),
                    ("frozen", Pot::Frozen),
                    ("lockedAmount", Pot::Locked),
                    ("staked", Pot::Staked),
                ] {
                    put(&Holder::Account(number), &asset, pot, &wallet[name]);
                    sum += read(wallet[name].as_str().unwrap_or("0"));
                }
                let total = wallet["total"].as_str().expect("a total");
                assert_eq!(read(total), sum, "the parts are not the whole: {wallet}");
            }
        }
        let internal = user
            .get(&format!("/internal_wallets/{}", self.internal))
            .await;
        for asset in list(&internal["assets"]) {
            let holder = Holder::Internal(self.internal.clone());
            put(
                &holder,
                &text(asset, "id"),
                Pot::Available,
                &asset["balance"],
            );
        }
        for id in [&self.exchange, &self.coinbase] {
            let account = user.get(&format!("/exchange_accounts/{id}")).await;
            for trading in list(&account["tradingAccounts"]) {
                let kind = match trading["type"].as_str() {
                    Some("SPOT") => "SPOT",
                    Some("FUNDING") => "FUNDING",
                    _ => continue,
                };
                let holder = Holder::Exchange(id.clone(), kind);
                for asset in list(&trading["assets"]) {
                    let name = text(asset, "id");
                    put(&holder, &name, Pot::Available, &asset["available"]);
                    put(&holder, &name, Pot::Locked, &asset["lockedAmount"]);
                }
            }
        }
        let station = user.get("/gas_station/ETH").await;
        let holder = Holder::Station("ETH".to_owned());
        put(&holder, "ETH", Pot::Available, &station["balance"]["ETH"]);
        let fiat = user.get(&format!("/fiat_accounts/{}", self.fiat)).await;
        for asset in list(&fiat["assets"]) {
            let holder = Holder::Fiat(self.fiat.clone());
            put(
                &holder,
                &text(asset, "id"),
                Pot::Available,
                &asset["balance"],
            );
        }
        sums
    }

    /// The coins of a wallet are what it holds.
    pub(super) async fn coins(&self, user: &Visitor, told: &Sums) {
        for number in 0..ACCOUNTS {
            for asset in ["BTC", "DOGE"] {
                let path = format!("/vault/accounts/{number}/{asset}/unspent_inputs");
                let coins = user.get(&path).await;
                let sum: i128 = list(&coins)
                    .iter()
                    .filter(|coin| coin["status"] != "PENDING")
                    .map(|coin| read(&text(coin, "amount")))
                    .sum();
                let holder = Holder::Account(number);
                let held = [Pot::Available, Pot::Frozen, Pot::Locked].map(|pot| {
                    let key = (holder.clone(), asset.to_owned(), pot);
                    told.get(&key).copied().unwrap_or_default()
                });
                assert_eq!(sum, held.iter().sum::<i128>(), "{number}/{asset}: {coins}");
            }
        }
    }
}
