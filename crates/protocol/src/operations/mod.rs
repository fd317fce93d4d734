//! The operations of Fireblocks' API, as facts: method, path, roles, paging, what they change.
//!
//! [`resolve`] takes a request's method and *undecoded* path to one operation and its parameters,
//! without allocating. The facts stand in `data/operations.tsv`, which `cargo xtask contract` distils
//! from the contract and from what else is known (an operation may be of an older contract, or known
//! to the newest official client alone: [`Origin`]).
//!
//! To add one: run `cargo xtask contract`; nothing here changes.

mod parameters;
mod route;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::role::RoleSet;

pub use parameters::{BadParameter, MAX_PARAMETER_BYTES, Parameters, Why};
pub use route::{MAX_PATH_BYTES, Match, Resolution, resolve};
pub use table::{all, by_id};

/// What stands before every path on the wire.
pub const PREFIX: &str = "/v1";

/// One operation of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The contract's `operationId`.
    pub id: OperationId,
    /// The HTTP method.
    pub method: Method,
    /// The path below [`PREFIX`], parameters in braces.
    pub path: &'static str,
    /// The names of the path's parameters, in order.
    pub parameters: Box<[&'static str]>,
    /// Whether the path is also in use with a slash at its end.
    pub slash_too: bool,
    /// The contract's chapter.
    pub tag: &'static str,
    /// The roles that may call it, where any are stated; the narrower list where sources differ.
    pub roles: RoleSet,
    /// Whether any source states roles. If not, `roles` is empty, and that means nothing.
    pub roles_stated: bool,
    /// How a list is continued.
    pub paging: Paging,
    /// Whether it takes an `Idempotency-Key`.
    pub idempotent: bool,
    /// The contract's rate limit category; where none is published, by the method.
    pub category: RateCategory,
    /// Whether it changes anything.
    pub access: Access,
    /// Which source knows it.
    pub origin: Origin,
}

/// An `operationId`. Values exist for operations of the table only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(&'static str);

impl OperationId {
    /// As the contract writes it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl PartialEq<str> for OperationId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for OperationId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// An enum whose variants have a word each: in the table, and for `Display`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value of this word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// The methods that operations have.
    Method {
        /// Reads.
        Get = "GET",
        /// Creates, or acts.
        Post = "POST",
        /// Replaces.
        Put = "PUT",
        /// Changes.
        Patch = "PATCH",
        /// Deletes.
        Delete = "DELETE",
    }
);
words!(
    /// How a list is continued (Fireblocks has six ways).
    Paging {
        /// Not at all: the whole list, or no list.
        None = "none",
        /// A bare array; the headers `next-page` and `prev-page` hold whole URLs.
        Headers = "headers",
        /// Query `before`, `after`, `limit`; the body has `paging.before`, `paging.after`.
        BeforeAfter = "before-after",
        /// Query `pageCursor`, `pageSize`; the body has `data` and `next`.
        PageCursor = "page-cursor",
        /// Query `cursor` or `pageCursor`; the body has `data` and `cursor` (audit logs).
        Cursor = "cursor",
        /// Query `next`, `pageSize`.
        Next = "next",
    }
);
words!(
    /// The contract's `x-rate-limit-category`. Limits per category are not published.
    RateCategory {
        /// Changes something.
        Write = "write",
        /// One thing.
        Read = "read",
        /// A list.
        Query = "query",
        /// Starts work that goes on after the answer.
        Async = "async",
        /// Asks someone outside.
        ExternalQuery = "external_query",
        /// Costly.
        HighCompute = "high_compute",
        /// Makes a report.
        Report = "report",
    }
);
words!(
    /// Whether an operation changes anything.
    Access {
        /// It does not.
        Read = "read",
        /// It does, or may.
        Write = "write",
    }
);
words!(
    /// Which source knows an operation.
    Origin {
        /// The contract.
        Contract = "contract",
        /// Only the newest official client (Python 35.1.0).
        Client = "client",
        /// Only an older contract (1.8.0).
        Former = "former",
    }
);
