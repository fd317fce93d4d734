//! Text that a spreadsheet could run.

use std::borrow::Cow;

/// What a spreadsheet may take for a formula, or our own mark.
const RISKY: [char; 7] = ['=', '+', '-', '@', '\'', '\t', '\r'];

/// The text with one leading `'` where a spreadsheet could run it.
pub fn guard(text: &str) -> Cow<'_, str> {
    if text.starts_with(RISKY) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// The text as it was before [`guard`].
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(inner) if inner.starts_with(RISKY) => inner,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_guarded_comes_back(text in "[=+@'\\t\\r\\-a ]{0,6}") {
            let guarded = guard(&text);
            prop_assert_eq!(unguard(&guarded), text.as_str());
            prop_assert!(!guarded.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
