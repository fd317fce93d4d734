//! Several gates over one store (PostgreSQL): each serves by a lease, one leads.
//!
//! A gate may serve for [`LEASE`] after it began to look whether a connection has changed; what has
//! changed it takes in before its lease is renewed. So whoever changes a connection waits until every
//! other gate says that it has taken this in, or until its lease has run out: then no gate lets
//! anybody in by what was before. One of them leads: it alone walks upstream, applies what comes in,
//! sends proposals and webhooks, and signs the log's head.

mod lead;
mod lease;
mod name;
mod pulse;

pub(crate) use lead::{Lead, claim_of};
pub(crate) use lease::Lease;
use lease::{LEASE, Since};
pub use name::{BadName, GateName};
pub(crate) use pulse::{begin, keep, settled};
