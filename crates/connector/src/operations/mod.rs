//! What a provider's engineer does with the connector: one operation a file, each an async
//! function with an input and an output that can be shown as JSON. To add one: a file here.

pub mod client_add;
pub mod client_handover;
pub mod client_list;
pub mod export;
pub mod first_sync;
pub mod import;
pub mod init;
pub mod key_rotate;
pub mod keys;
pub mod reconcile;
pub mod run;
pub mod status;
pub mod trade;
