//! hooks_in
