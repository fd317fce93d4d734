//! The books: accounts, balances, addresses, whitelists, assets, users and transactions of one
//! workspace, with history, versions, positions and digests. A sandbox *is* such books with an
//! HTTP face; a gate and a connector keep theirs equal to an upstream.
//!
//! What may enter: what is true of a workspace, and who may see it. What may not: HTTP, clocks,
//! where a change came from. Whatever is answered, relayed or reported is a [`Seen`], and a
//! [`Seen`] comes out of [`view`] alone.
//!
//! | room | what it holds |
//! |---|---|
//! | [`scope`], [`view`] | what a reader may see; the one place that filters and masks |
//! | [`change`], [`apply`](Books::transact) | events and walked rows into the books, in any order, any number of times |
//! | [`digest`] | what proves that two books are equal |
//! | [`reads`] | one file an operation of the books |
//! | `preview` | what a reader would see, for who grants a scope |
//! | [`reports`] | report files and their manifests |
//! | [`fresh`] | books that are filled before anybody opens them |
//! | `model` | the read model in memory |
//! | `rows` | the tables |

mod batch;
mod books;
pub mod change;
pub mod digest;
mod docs;
mod fault;
pub mod fresh;
mod known;
mod load;
mod lookup;
mod model;
mod preview;
pub mod reads;
pub mod reports;
mod rows;
pub mod scope;
mod scopes;
pub mod view;

pub use batch::{Applied, Batch};
pub use books::{Books, LedgerError, News, positions};
pub use change::{AccountFacts, Change, Version};
pub use digest::Digest;
pub use fault::Fault;
pub use known::Absent;
pub use lookup::{LookBack, users};
pub use preview::{List, Preview};
pub use rows::{LISTS, ROOM};
pub use scope::{AssetFilter, Directions, PartScope, Scope, ScopeId, Shown};
pub use scopes::forget_unread;
pub use view::{Seen, view_transaction};
