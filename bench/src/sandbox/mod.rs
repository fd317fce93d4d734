//! The sandbox: beside a mock server of the same document, with a large workspace beside a small one,
//! how fast it takes transactions, how soon it is there.

pub(crate) mod beside;
pub(crate) mod creating;
pub(crate) mod fresh;
pub(crate) mod lists;
