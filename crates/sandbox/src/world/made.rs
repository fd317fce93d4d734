//! What a seed makes once and nothing changes: documents that are shown as they are.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shelf::Kept;

macro_rules! made {
    ($($(#[$doc:meta])* $name:ident $kind:literal $key:literal,)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(transparent)]
            pub(crate) struct $name(pub(crate) Value);

            impl Kept for $name {
                const KIND: &'static str = $kind;

                fn key(&self) -> String {
                    self.0[$key].as_str().unwrap_or_default().to_owned()
                }
            }
        )+
    };
}

made! {
    /// An account at a venue, with what it holds, trades and allows.
    ConnectedAccount "connected_account" "id",
    /// Who trades.
    TradingProvider "trading_provider" "id",
    /// What was traded, as its details show it.
    Order "trading_order" "id",
    /// What is held for an exchange outside it, by the id of the account there.
    Collateral "collateral_account" "mainAccountId",
    /// What settles it.
    Settlement "settlement_transactions" "mainAccountId",
    /// Where something can be lent to.
    Opportunity "earn_opportunity" "id",
    /// What is lent.
    EarnPosition "earn_position" "id",
    /// That it was lent.
    EarnAction "earn_action" "id",
    /// What was paid to many.
    Payout "payout" "payoutId",
    /// How payments flow.
    Flow "flow_configuration" "configId",
    /// That they did.
    Execution "flow_execution" "executionId",
}
