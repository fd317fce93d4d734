//! What a plan describes beside the vault, as documents.

use protocol::ids::{WebhookId, WorkspaceId};
use protocol::model::webhook::{Webhook, WebhookStatus};
use serde_json::Error;

use super::beside::{Document, Ground};
use crate::described::Plan;
use crate::holdings::Purse;
use crate::holdings::exchange::{ExchangeAccount, Status};
use crate::holdings::fiat::FiatAccount;
use crate::holdings::gas_station::GasStation;
use crate::hooks::{CustomHeaders, Endpoint, Generation};
use crate::operations::{Group, Tag};

pub(super) fn described(
    plan: &Plan,
    workspace: WorkspaceId,
    ground: &mut Ground,
) -> Result<Vec<Document>, Error> {
    let mut all = Vec::new();
    if let Some(settings) = &plan.quorum {
        all.push(Document::of(settings)?);
    }
    for group in &plan.groups {
        let members = group.members.iter();
        let ids = members.map(|name| crate::people::id_in(workspace, name));
        all.push(Document::of(&Group::active(
            group.id(),
            group.name.clone(),
            ids.collect(),
        ))?);
    }
    for tag in plan.tags(ground.now) {
        all.push(Document::of(&Tag::from(tag))?);
    }
    for account in &plan.exchanges {
        let kinds = account.holds.iter().map(|(kind, holds)| {
            let holds = holds.iter().map(|(id, held)| (id.as_str(), held.clone()));
            (kind.clone(), holds.collect::<Purse>())
        });
        all.push(Document::of(&ExchangeAccount {
            id: ground.chance.uuid().to_string(),
            exchange: account.exchange.clone(),
            name: account.name.clone(),
            status: Status::Approved,
            main_account_id: None,
            trading: kinds.collect(),
            locked: Purse::default(),
        })?);
    }
    for account in &plan.fiat {
        let currency = account.currency.as_str();
        all.push(Document::of(&FiatAccount {
            id: ground.chance.uuid().to_string(),
            name: account.name.clone(),
            asset: account.currency.clone(),
            holds: Purse::from_iter([(currency, account.balance.clone())]),
            linked: account.bank_balance.clone(),
        })?);
    }
    for station in &plan.gas_stations {
        all.push(Document::of(&GasStation {
            asset_id: station.asset.id.to_owned(),
            balance: station.balance.clone(),
            configuration: station.configuration.clone(),
        })?);
    }
    for hook in &plan.webhooks {
        let id = WebhookId(ground.chance.uuid());
        all.push(Document::of(&Endpoint {
            webhook: Webhook {
                id,
                url: hook.url.clone(),
                description: hook.description.clone(),
                events: hook.events.clone(),
                status: if hook.enabled {
                    WebhookStatus::Enabled
                } else {
                    WebhookStatus::Disabled
                },
                created_at: ground.now,
                updated_at: ground.now,
                webhook_mtls_id: None,
                webhook_oauth_id: None,
                mtls: None,
                oauth: None,
                custom_headers: Vec::new(),
            },
            headers: CustomHeaders::default(),
            generation: Generation::default(),
            faults: Vec::new(),
            judged_from: ground.now,
        })?);
    }
    Ok(all)
}
