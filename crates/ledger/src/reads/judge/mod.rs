//! The lists of the books, judged by the maker of their rows: what he knows of them, filtered and
//! put in order the plain way.

mod accounts;
mod assets;
mod cost;
mod digests;
mod outside;
mod scopes;
mod transactions;
mod walk;
mod world;
