//! The MPC key shares of those who sign, and the parties that hold the rest of each key.

use ledger::Scope;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::user::{User, UserStatus, UserType};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hall::Hall;
use crate::operations::{Visit, area};

area! { visit;
    "getMpcKeysList" => Ok(all(visit)),
    "getMpcKeysListByUser" => of_user(visit),
}

/// What the contract's example has; no source lists the numbers.
const ALGORITHM: u32 = 201;

fn users(visit: &Visit<'_>) -> Vec<User> {
    let hall = visit.hall;
    hall.books.users(&Scope::whole(hall.id()))
}

fn shown(hall: &Hall, users: &[User]) -> Value {
    let signs = |user: &&User| user.role.signs() && user.status == UserStatus::Ready;
    let keys: Vec<_> = users
        .iter()
        .filter(signs)
        .map(|user| key(hall, user))
        .collect();
    json!({ "tenantId": hall.id(), "keys": keys })
}

/// The id of a key, or of a party to one.
pub(crate) fn mpc_id(hall: &Hall, of: &str) -> Uuid {
    Uuid::new_v5(&hall.id().0, format!("vestibule:mpc:{of}").as_bytes())
}

/// A user's key: one share is the user's own, on a phone or a co-signer, two are Fireblocks'.
fn key(hall: &Hall, user: &User) -> Value {
    let id = |of: &str| mpc_id(hall, of);
    let own = match user.user_type {
        UserType::Console => "MOBILE",
        UserType::Api => "CLOUD",
    };
    json!({
        "keyId": id(&format!("key:{}", user.id)),
        "userId": user.id,
        "algorithm": ALGORITHM,
        "players": [
            {"id": id("player:1"), "type": "CLOUD"},
            {"id": id("player:2"), "type": "CLOUD"},
            {"id": id(&format!("player:{}", user.id)), "type": own},
        ],
    })
}

fn all(visit: &Visit<'_>) -> Reply {
    Reply::json(200, &shown(visit.hall, &users(visit)))
}

fn of_user(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("userId");
    let one: Vec<_> = users(visit)
        .into_iter()
        .filter(|user| user.id.to_string() == id)
        .collect();
    if one.is_empty() {
        return Err(ApiError::uncoded(404, "User not found"));
    }
    Ok(Reply::json(200, &shown(visit.hall, &one)))
}
