//! hooks_out
