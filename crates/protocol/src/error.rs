//! Every error body and code, in one table: what stands on Fireblocks' page *API error codes*,
//! and what it leaves to the reader.
//!
//! Two texts: `message` goes to the caller; what is for the log alone is said where the error is made.

use serde_json::{Value, json};

use crate::token::TokenError;

/// Longest text of an error, in characters: it may quote what a caller sent.
const MAX_MESSAGE: usize = 4_000;

/// An error as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {message}")]
pub struct ApiError {
    status: u16,
    message: String,
    shape: Shape,
    limit: Option<RateLimit>,
}

/// The limit that a call ran into, as it is told in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How much there is in a window.
    pub limit: u32,
    /// How much of it is left.
    pub remaining: u32,
    /// How long a window is, in seconds; none: it is about what there is at once.
    pub window: Option<u32>,
    /// When the next window begins, in seconds from now.
    pub reset: Option<u32>,
    /// How long a client is asked to wait, in seconds.
    pub retry_after: u32,
}

/// The envelopes in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `{"message", "code"}`: the default (`ErrorSchema`).
    Coded(Option<i32>),
    /// `{"error": {"type", "message"}}`: `/management/*` (`ErrorResponse`).
    Typed(&'static str),
}

impl ApiError {
    /// An error of the default shape.
    pub fn new(status: u16, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            message: shortened(message.into()),
            shape: Shape::Coded(Some(code)),
            limit: None,
        }
    }

    /// An error of the default shape that has no code.
    pub fn uncoded(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: shortened(message.into()),
            shape: Shape::Coded(None),
            limit: None,
        }
    }

    /// An error of the shape of `/management/*`.
    pub fn typed(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            message: shortened(message.into()),
            shape: Shape::Typed(kind),
            limit: None,
        }
    }

    /// More than a limit allows.
    pub fn over(limit: RateLimit, message: impl Into<String>) -> Self {
        Self {
            limit: Some(limit),
            ..Self::uncoded(429, message)
        }
    }

    /// The limit that the call ran into, where it is told.
    pub fn limit(&self) -> Option<RateLimit> {
        self.limit
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The code, if it has one.
    pub fn code(&self) -> Option<i32> {
        match self.shape {
            Shape::Coded(code) => code,
            Shape::Typed(_) => None,
        }
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The body, compact JSON.
    pub fn body(&self) -> Vec<u8> {
        let body: Value = match self.shape {
            Shape::Coded(Some(code)) => json!({"message": self.message, "code": code}),
            Shape::Coded(None) => json!({"message": self.message}),
            Shape::Typed(kind) => json!({"error": {"type": kind, "message": self.message}}),
        };
        body.to_string().into_bytes()
    }
}

/// A text that ends where it is too long.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_MESSAGE) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self::new(401, error.code(), error.to_string())
    }
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $text:literal;)*) => {
        impl ApiError {
            $(
                $(#[$doc])*
                pub fn $name() -> Self {
                    Self::new($status, $code, $text)
                }
            )*
        }
    };
}

table! {
    /// Vault account not found.
    vault_account_not_found = 404 1004 "The Provided Vault Account ID is invalid: vault account not found";
    /// The asset is not in that vault account.
    vault_asset_not_found = 404 1006 "The asset was not found in the vault account";
    /// The asset takes one address only.
    one_address_only = 400 1010 "More than one address is not supported for this asset";
    /// Not an asset that wallets can be made of.
    unsupported_wallet_asset = 400 1025 "Unsupported asset";
    /// The wallet is there already.
    wallet_exists = 400 1026 "Vault wallet already exists";
    /// `GET /vault/accounts` is off.
    use_accounts_paged = 400 1037 "This endpoint is disabled for this workspace: use /vault/accounts_paged";
    /// A token wants its chain's own wallet first.
    no_base_asset_wallet = 400 1038 "The base asset wallet must be created first";
    /// Unknown internal wallet.
    internal_wallet_not_found = 404 1204 "Internal wallet not found";
    /// Unknown external wallet.
    external_wallet_not_found = 404 1304 "External wallet not found";
    /// Unknown contract.
    contract_not_found = 404 1354 "Contract not found";
    /// Not an operation that can be asked for.
    unsupported_operation = 400 1401 "Unsupported operation";
    /// Unknown transaction.
    transaction_not_found = 404 1405 "Transaction not found";
    /// It cannot be cancelled any more.
    cancel_failed = 400 1406 "The transaction cannot be cancelled";
    /// The user may not initiate.
    may_not_create_transaction = 400 1407 "The user is not allowed to create a transaction";
    /// A paged list was asked to turn round.
    paging_changed_direction = 400 1408 "Paging direction cannot be changed";
    /// The wallet is unknown.
    wallet_not_found = 400 1410 "Wallet not found";
    /// The wallet has no address for the asset.
    wallet_has_no_such_asset = 400 1411 "The wallet does not have that asset";
    /// The address waits for its approval.
    address_not_approved = 400 1412 "The address is not approved yet";
    /// The address is none of that chain.
    bad_destination_address = 400 1424 "Destination address is invalid";
    /// The tag is none of that chain.
    bad_tag = 400 1433 "Destination tag is invalid";
    /// Not a kind of place that money can come from.
    bad_source_type = 400 1427 "Source type must be VAULT_ACCOUNT, EXCHANGE_ACCOUNT, GAS_STATION or FIAT_ACCOUNT";
    /// Not a kind of place that money can go to.
    bad_destination_type = 400 1428 "Destination type is invalid";
    /// Not an amount.
    bad_amount = 400 1432 "Amount must be a number or a numeric string";
    /// The initiator's own id was used before.
    external_tx_id_exists = 400 1438 "The external tx id that was provided in the request, already exists";
    /// No transaction has that id of the initiator's.
    external_tx_id_not_found = 404 1439 "External tx id not found";
    /// The idempotency key is too long.
    idempotency_key_too_long = 400 9003 "Idempotency key must be at most 40 characters long";
    /// The idempotency key was used by a request that failed inside.
    idempotency_key_burned = 400 9003 "Idempotency key was used by a request that failed";
    /// An account of that name is there already.
    vault_account_name_exists = 400 9004 "Vault account name already exists";
    /// A request with that idempotency key is under way.
    idempotency_in_progress = 400 9005 "A request with the same idempotency key is already in progress";
}

impl ApiError {
    /// A parameter or field that is not valid, by name. The contract gives no code for it in general.
    pub fn invalid(field: &str, must: impl std::fmt::Display) -> Self {
        Self::new(400, 1000, format!("{field} is not valid: {must}"))
    }

    /// An asset that Fireblocks does not have.
    pub fn unsupported_asset(asset: &str) -> Self {
        let text = "is not supported by Fireblocks, please check the supported assets endpoint.";
        Self::new(400, 1503, format!("The asset '{asset}' {text}"))
    }

    /// A transaction request that does not fit together.
    pub fn bad_transaction(why: impl std::fmt::Display) -> Self {
        Self::new(400, 1409, format!("Invalid transaction parameters: {why}"))
    }

    /// No such path.
    pub fn not_found() -> Self {
        Self::uncoded(404, "Not Found")
    }

    /// The body cannot be read as JSON.
    pub fn bad_body(why: impl std::fmt::Display) -> Self {
        Self::uncoded(400, format!("The body cannot be read: {why}"))
    }

    /// The body is larger than any request needs.
    pub fn body_too_large() -> Self {
        Self::uncoded(413, "The body is too large")
    }

    /// Too much at once.
    pub fn too_many_requests() -> Self {
        Self::uncoded(429, "Too many requests")
    }

    /// Our own fault; the log says more.
    pub fn internal() -> Self {
        Self::uncoded(500, "Internal error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_is_as_the_contract_has_it() {
        let body = |error: ApiError| String::from_utf8(error.body()).expect("UTF-8");
        assert_eq!(
            body(ApiError::external_tx_id_exists()),
            r#"{"message":"The external tx id that was provided in the request, already exists","code":1438}"#
        );
        assert_eq!(
            body(ApiError::typed(403, "FORBIDDEN", "no")),
            r#"{"error":{"type":"FORBIDDEN","message":"no"}}"#
        );
        assert_eq!(body(ApiError::not_found()), r#"{"message":"Not Found"}"#);
    }

    #[test]
    fn a_text_ends_where_it_is_too_long() {
        let all = "é".repeat(MAX_MESSAGE);
        assert_eq!(ApiError::uncoded(400, all.as_str()).message(), all);
        let more = ApiError::new(400, 1, format!("{all}x"));
        assert_eq!(more.message(), all + "…");
    }

    #[test]
    fn every_token_failure_is_a_401_with_its_own_code() {
        let mut codes: Vec<_> = TokenError::ALL
            .map(|error| (ApiError::from(error).status(), error.code()))
            .into();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), TokenError::ALL.len());
        assert!(
            codes
                .iter()
                .all(|(status, code)| *status == 401 && *code < 0)
        );
    }
}
