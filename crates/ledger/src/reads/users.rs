//! Users: seen by readers of the whole workspace alone.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::user::{User, UserType};
use serde_json::json;

use super::Ask;
use crate::view::view_whole;

fn of_type(ask: &Ask<'_>, kind: Option<UserType>) -> Vec<User> {
    let model = ask.books.model();
    let users = model.users.values().map(|entry| &entry.value);
    users
        .filter(|user| kind.is_none_or(|kind| user.user_type == kind))
        .filter_map(|user| view_whole(user.clone(), ask.scope))
        .map(crate::Seen::into_inner)
        .collect()
}

/// `GET /users` and `GET /management/users`.
pub(super) fn people(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let users = of_type(&ask, Some(UserType::Console));
    Ok(Reply::json(200, &json!({ "users": users })).of_rows(users.len()))
}

/// `GET /management/api_users`.
pub(super) fn api_users(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let users = of_type(&ask, Some(UserType::Api));
    Ok(Reply::json(200, &json!({ "users": users })).of_rows(users.len()))
}

/// `GET /users`: a bare array of everybody.
pub(super) fn everybody(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let users = of_type(&ask, None);
    Ok(Reply::json(200, &users).of_rows(users.len()))
}
