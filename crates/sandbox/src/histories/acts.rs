//! What each step does at the workspace, and what its maker knows of the transaction that comes of it.

use ledger::Fault;
use protocol::ids::TxId;
use serde_json::{Value, json};

use super::ledger::{Entry, Holder, Pot, What, cut, read, written};
use super::play::{Player, entry, text};
use super::steps::{ASSETS, Deed, Pick, Step, Terms, To, Word};
use crate::chain;
use crate::climate::Climate;
use crate::flight::FAILURES;
use crate::operations;
use crate::screening::{Screening, Service};

/// How somebody acts on a transaction.
type How = fn(&mut crate::deed::Deed<'_, '_>, TxId, Option<String>) -> Result<(), Fault>;

/// Where somebody may say no.
const REJECTABLE: [&str; 5] = [
    "PENDING_AML_SCREENING",
    "PENDING_AUTHORIZATION",
    "PENDING_SIGNATURE",
    "PENDING_3RD_PARTY",
    "PENDING_3RD_PARTY_MANUAL_APPROVAL",
];

fn one_of<T>(all: &[T], pick: Pick) -> Option<&T> {
    all.get(usize::from(pick) % all.len().max(1))
}

impl Player {
    pub(super) async fn act(&mut self, step: &Step) -> Option<Entry> {
        match step {
            Step::Send {
                asset,
                from,
                to,
                share,
                terms,
            } => self.send(*asset, *from, to, *share, *terms).await,
            Step::Mint(account) => {
                let made = Entry {
                    parts: vec![(Some(Holder::Account(*account)), read("7"))],
                    ..entry(Some(Holder::Account(0)), What::Issues, ASSETS[1])
                };
                let to = json!({"type": "VAULT_ACCOUNT", "id": account.to_string()});
                self.ask(
                    read("7"),
                    made,
                    json!({"operation": "MINT", "destination": to}),
                )
                .await
            }
            Step::Burn(account) => {
                let made = entry(Some(Holder::Account(*account)), What::Moves, ASSETS[1]);
                self.ask(read("3"), made, json!({"operation": "BURN"}))
                    .await
            }
            Step::Approve(account) => {
                let made = entry(Some(Holder::Account(*account)), What::Costs, ASSETS[1]);
                let to = json!({"type": "EXTERNAL_WALLET", "id": self.places.external});
                self.ask(
                    read("5"),
                    made,
                    json!({"operation": "APPROVE", "destination": to}),
                )
                .await
            }
            Step::Call(account) => {
                let made = Entry {
                    parts: vec![(None, read("0.01"))],
                    ..entry(Some(Holder::Account(*account)), What::Moves, ASSETS[0])
                };
                let to = json!({"type": "EXTERNAL_WALLET", "id": self.places.external});
                let data = json!({"contractCallData": "0xa9059cbb"});
                let more = json!({"operation": "CONTRACT_CALL", "destination": to, "extraParameters": data});
                self.ask(read("0.01"), made, more).await
            }
            Step::Sign(account) => {
                let made = entry(Some(Holder::Account(*account)), What::Costs, ASSETS[0]);
                let message = json!({"messages": [{"content": "aa".repeat(32)}]});
                let more =
                    json!({"operation": "RAW", "extraParameters": {"rawMessageData": message}});
                let made = Entry {
                    fee: Some(0),
                    ..made
                };
                self.ask(0, made, more).await
            }
            Step::Withdraw { to, share } => self.withdraw(*to, *share).await,
            Step::Receive {
                asset,
                to,
                amount,
                known,
            } => self.receive(*asset, *to, *amount, *known).await,
            Step::Mine => {
                self.user().hall.deed(chain::mine).await.expect("a block");
                None
            }
            Step::Says(word, pick) => self.says(*word, *pick).await,
            Step::Fail(pick, how) => {
                let open = self.in_status(&[
                    "PENDING_AML_SCREENING",
                    "QUEUED",
                    "PENDING_SIGNATURE",
                    "BROADCASTING",
                    "CONFIRMING",
                ]);
                let id = one_of(&open, *pick)?.id.parse().expect("an id");
                let how = *one_of(&FAILURES, *how)?;
                let done = self
                    .user()
                    .hall
                    .deed(move |deed| chain::break_down(deed, id, how));
                let _ = done.await; // It may not be at a point where that can be.
                None
            }
            Step::Cancel(pick) => {
                let open =
                    self.in_status(&["QUEUED", "PENDING_AUTHORIZATION", "PENDING_SIGNATURE"]);
                let id = &one_of(&open, *pick)?.id;
                self.user()
                    .post(&format!("/transactions/{id}/cancel"), json!({}))
                    .await;
                None
            }
            Step::Drop(pick) => {
                let sent = self.in_status(&["BROADCASTING"]);
                let old = one_of(&sent, *pick)?;
                let path = format!("/transactions/{}/drop", old.id);
                let (status, _) = self.user().post(&path, json!({"feeLevel": "HIGH"})).await;
                (status == 200).then(|| entry(old.source.clone(), What::Costs, ASSETS[0]))
            }
            Step::Replace(pick) => self.replace(*pick).await,
            Step::Freeze(pick) => self.freeze(*pick, "COMPLETED", "freeze").await,
            Step::Unfreeze(pick) => self.freeze(*pick, "REJECTED", "unfreeze").await,
            Step::Reorganise(pick) => {
                let mined = self.in_status(&[
                    "PENDING_AML_SCREENING",
                    "BROADCASTING",
                    "CONFIRMING",
                    "COMPLETED",
                ]);
                let id = one_of(&mined, *pick)?.id.parse().expect("an id");
                let done = self
                    .user()
                    .hall
                    .deed(move |deed| chain::reorganise(deed, id));
                let _ = done.await; // What it brought may be spent.
                None
            }
            Step::Stake(account, share) => self.stake(*account, *share).await,
            Step::Staking(deed, which, other) => self.staking(*deed, *which, *other).await,
            Step::BetweenTradingAccounts(share) => {
                let (from, to) = self.places.trading();
                let held = self.ledger.holds(&from, "BTC", Pot::Available);
                let amount = cut(held * i128::from(*share) / 100, 8);
                let path = format!(
                    "/exchange_accounts/{}/internal_transfer",
                    self.places.exchange
                );
                let body = json!({"asset": "BTC", "amount": written(amount, 8), "sourceType": "SPOT", "destType": "FUNDING"});
                if self.user().post(&path, body).await.0 == 201 {
                    self.ledger.beside(from, "BTC", -amount);
                    self.ledger.beside(to, "BTC", amount);
                }
                None
            }
            Step::Convert(share) => {
                let place = Holder::Exchange(self.places.coinbase.clone(), "SPOT");
                let held = self.ledger.holds(&place, "USD", Pot::Available);
                let amount = cut(held * i128::from(*share) / 100, 2);
                let path = format!("/exchange_accounts/{}/convert", self.places.coinbase);
                let body =
                    json!({"srcAsset": "USD", "destAsset": "USDC", "amount": written(amount, 2)});
                if self.user().post(&path, body).await.0 == 200 {
                    self.ledger.beside(place.clone(), "USD", -amount);
                    self.ledger.beside(place, "USDC", amount);
                }
                None
            }
            Step::Fiat(down, much) => {
                let word = if *down {
                    "redeem_to_linked_dda"
                } else {
                    "deposit_from_linked_dda"
                };
                let amount = i128::from(*much) * read("1000");
                let path = format!("/fiat_accounts/{}/{word}", self.places.fiat);
                let (status, _) = self
                    .user()
                    .post(&path, json!({"amount": written(amount, 2)}))
                    .await;
                if status == 201 {
                    let signed = if *down { -amount } else { amount };
                    self.ledger
                        .beside(Holder::Fiat(self.places.fiat.clone()), "USD", signed);
                }
                None
            }
            Step::Advance(minutes) => {
                let millis = u64::from(*minutes) * 60_000;
                self.user().hall.clock.advance(millis);
                self.user().hall.settle().await;
                None
            }
            Step::Screening(aml, enriches) => {
                let enrichment = if *enriches {
                    Service::Wait
                } else {
                    Service::Off
                };
                let wanted = Screening {
                    aml: *aml,
                    enrichment,
                };
                let kept = self.user().hall.deed(move |deed| Ok(deed.keep(&wanted)?));
                kept.await.expect("a screening");
                None
            }
            Step::Fees(percent) => {
                let percent = u32::from(*percent) + 50;
                let chain = "ETH".to_owned();
                let work = move |deed: &mut crate::deed::Deed<'_, '_>| {
                    Ok(deed.keep(&Climate {
                        chain: chain.clone(),
                        percent,
                    })?)
                };
                self.user().hall.deed(work).await.expect("a climate");
                None
            }
        }
    }

    /// Asks for a transaction of an account.
    async fn ask(&self, amount: i128, mut made: Entry, more: Value) -> Option<Entry> {
        let (_, _, places) = *ASSETS.iter().find(|(id, ..)| *id == made.asset)?;
        let Some(Holder::Account(from)) = &made.source else {
            return None;
        };
        if made.what == What::Moves {
            made.amount = amount;
        }
        let mut body = json!({
            "assetId": made.asset,
            "amount": written(amount, places),
            "source": {"type": "VAULT_ACCOUNT", "id": from.to_string()},
        });
        merge(&mut body, more);
        let asker = if body["note"] == "asked" {
            &self.who().editor
        } else {
            self.user()
        };
        let (status, _) = asker.post("/transactions", body).await;
        (status == 200).then_some(made)
    }

    async fn send(
        &self,
        asset: Pick,
        from: u32,
        to: &To,
        share: u8,
        terms: Terms,
    ) -> Option<Entry> {
        let asset = *one_of(&ASSETS, asset)?;
        let source = Holder::Account(from);
        let held = self.ledger.holds(&source, asset.0, Pot::Available);
        let amount = match share {
            100 => held,
            share => cut(held * i128::from(share) / 100, asset.2.min(8)),
        };
        let (destination, parts) = self.places.destination(to, asset, amount);
        let amount = parts.iter().map(|(_, amount)| amount).sum();
        let made = Entry {
            parts,
            ..entry(Some(source), What::Moves, asset)
        };
        let mut more = destination;
        let is_gas = asset.1 == "ETH";
        match terms {
            Terms::Usual => {}
            Terms::High => more["feeLevel"] = "HIGH".into(),
            Terms::Gross => more["treatAsGrossAmount"] = true.into(),
            Terms::Doomed if is_gas => more["gasLimit"] = "20000".into(),
            Terms::TooDear => more["maxTotalFee"] = "0.00000001".into(),
            Terms::Doomed => {}
            Terms::Asked => more["note"] = "asked".into(),
            Terms::Hasty => more["configurations"] = json!({"expiresAfterSeconds": 300}),
        }
        self.ask(amount, made, more).await
    }

    async fn withdraw(&self, to: u32, share: u8) -> Option<Entry> {
        let source = Holder::Exchange(self.places.exchange.clone(), "SPOT");
        let held = self.ledger.holds(&source, "BTC", Pot::Available);
        let amount = cut(held * i128::from(share) / 100, 8);
        let body = json!({
            "assetId": "BTC",
            "amount": written(amount, 8),
            "source": {"type": "EXCHANGE_ACCOUNT", "id": self.places.exchange},
            "destination": {"type": "VAULT_ACCOUNT", "id": to.to_string()},
        });
        let (status, _) = self.user().post("/transactions", body).await;
        (status == 200).then(|| Entry {
            amount,
            fee: Some(0),
            parts: vec![(Some(Holder::Account(to)), amount)],
            ..entry(Some(source), What::Moves, ASSETS[2])
        })
    }

    async fn receive(
        &self,
        asset: Pick,
        to: u32,
        amount: Option<u32>,
        known: bool,
    ) -> Option<Entry> {
        let asset = *one_of(&ASSETS, asset)?;
        let smallest = 10_i128.pow(u32::try_from(18 - asset.2).expect("few"));
        let amount = amount.map_or(smallest, |millionths| {
            i128::from(millionths) * read("0.000001")
        });
        let from = self.places.external_address(asset.0).filter(|_| known);
        let arrived = operations::incoming(
            &self.user().hall,
            to.to_string().parse().expect("an account"),
            asset.0.parse().expect("an asset"),
            written(amount, asset.2).parse().expect("an amount"),
            from,
        );
        arrived.await.expect("it arrives");
        Some(Entry {
            amount,
            fee: Some(0),
            parts: vec![(Some(Holder::Account(to)), amount)],
            ..entry(None, What::Moves, asset)
        })
    }

    async fn says(&self, word: Word, pick: Pick) -> Option<Entry> {
        let (statuses, how): (&[&str], How) = match word {
            Word::Approve => (&["PENDING_AUTHORIZATION"], chain::approve),
            Word::Sign => (&["PENDING_SIGNATURE"], chain::sign),
            Word::Reject => (&REJECTABLE, chain::reject),
            Word::Process => (
                &["PENDING_3RD_PARTY", "PENDING_3RD_PARTY_MANUAL_APPROVAL"],
                chain::process,
            ),
            Word::Hold => (&["PENDING_3RD_PARTY"], chain::hold),
            Word::Pass => (
                &["PENDING_AML_SCREENING", "PENDING_ENRICHMENT"],
                chain::pass,
            ),
        };
        let open = self.in_status(statuses);
        let id = one_of(&open, pick)?.id.parse().expect("an id");
        let done = self.user().hall.deed(move |deed| how(deed, id, None));
        done.await.expect("they wait for it");
        None
    }

    async fn replace(&self, pick: Pick) -> Option<Entry> {
        let sent = self.in_status(&["BROADCASTING"]);
        let old = one_of(&sent, pick)?;
        let told = self.user().get(&format!("/transactions/{}", old.id)).await;
        let amount = read("0.001");
        let made = Entry {
            parts: vec![(Some(Holder::Account(1)), amount)],
            ..entry(old.source.clone(), What::Moves, ASSETS[0])
        };
        let more = json!({
            "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
            "replaceTxByHash": told["txHash"],
            "feeLevel": "HIGH",
        });
        self.ask(amount, made, more).await
    }

    async fn freeze(&self, pick: Pick, status: &str, word: &str) -> Option<Entry> {
        let ended = self.in_status(&[status]);
        let id = &one_of(&ended, pick)?.id;
        self.who()
            .admin
            .post(&format!("/transactions/{id}/{word}"), json!({}))
            .await;
        None
    }

    async fn stake(&self, account: u32, share: u8) -> Option<Entry> {
        let source = Holder::Account(account);
        let held = self.ledger.holds(&source, "SOL", Pot::Available);
        let amount = cut(held * i128::from(share) / 100, 9);
        let body = json!({
            "vaultAccountId": account.to_string(),
            "providerId": "kiln",
            "stakeAmount": written(amount, 9),
        });
        let (status, _) = self.user().post("/staking/chains/SOL/stake", body).await;
        (status == 201).then(|| Entry {
            amount,
            ..entry(Some(source), What::Stakes, ASSETS[3])
        })
    }

    async fn staking(&self, deed: Deed, which: Pick, other: Pick) -> Option<Entry> {
        let all = self
            .user()
            .get("/staking/positions?chainDescriptor=SOL")
            .await;
        let all = all.as_array()?;
        let position = one_of(all, which)?;
        let account = text(position, "vaultAccountId").parse().expect("a number");
        let rewards = read(&text(position, "rewardsAmount"));
        let principal = read(&text(position, "amount")) - rewards;
        let id = &position["id"];
        let (word, body, what) = match deed {
            Deed::Unstake => ("unstake", json!({"id": id}), What::Costs),
            Deed::Withdraw => (
                "withdraw",
                json!({"id": id}),
                What::Returns(principal, rewards),
            ),
            Deed::Claim => (
                "claim_rewards",
                json!({"id": id}),
                What::Returns(0, rewards),
            ),
            Deed::Split => {
                let amount = written(principal / 2, 9);
                ("split", json!({"id": id, "amount": amount}), What::Costs)
            }
            Deed::Merge => {
                let destination = &one_of(all, other)?["id"];
                (
                    "merge",
                    json!({"sourceId": id, "destinationId": destination}),
                    What::Costs,
                )
            }
        };
        let (status, _) = self
            .user()
            .post(&format!("/staking/chains/SOL/{word}"), body)
            .await;
        let source = Some(Holder::Account(account));
        (status == 201).then(|| Entry {
            position: Some(text(position, "id")),
            ..entry(source, what, ASSETS[3])
        })
    }
}

fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}
