//! Who there is: users, their groups, and the keys they approve with.

pub(crate) mod approval_keys;
mod console_users;
pub(crate) mod groups;
mod users;

use super::areas;

areas! {
    approval_keys,
    console_users,
    groups,
    users,
}
