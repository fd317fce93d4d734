//! Keeps a ledger equal to an upstream: Fireblocks itself, or a gate.
//!
//! The pure part decides what an event or a row means for the books; the driver does the I/O. What
//! may enter: what makes books equal to other books. What may not: who the upstream is to us,
//! connections, clients, relaying: those are the gate's and the connector's, and come in through
//! [`Translate`] and through what they do beside each event ([`Inbox::drain`]).
//!
//! | room | what it holds |
//! |---|---|
//! | [`events`] | an event -> changes of the books, and what to look at besides; pure |
//! | [`walk`] | an upstream's lists, page by page, into the books |
//! | [`inbox`] | events, stored before they are acknowledged, applied once each |
//! | [`roles`] | what a key may do, judged by reading alone |
//! | [`held`] | what the books hold, as a reader of theirs sees it |

mod address_report;
mod area;
pub mod events;
pub mod held;
mod identity;
pub mod inbox;
pub mod roles;
mod translate;
pub mod walk;

pub use address_report::{NoReport, address_report};
pub use area::Area;
pub use events::{Effects, Known, NotUnderstood};
pub use identity::{ForeignWorkspace, identity};
pub use inbox::{Inbox, Outcome, ROOM};
pub use translate::{AsItIs, Translate};
pub use walk::{SyncError, Walked, walk};
