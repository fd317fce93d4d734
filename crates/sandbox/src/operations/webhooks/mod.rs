//! Webhooks: their settings, what was sent, and what is sent again.

pub(in crate::operations) mod events;
mod mtls;
mod notifications;
mod oauth;
mod resends;
mod resends_v1;
mod settings;

use super::areas;

areas! {
    mtls,
    notifications,
    oauth,
    resends,
    resends_v1,
    settings,
}
