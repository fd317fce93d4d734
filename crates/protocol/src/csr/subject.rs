//! Whom a request names, fit to be shown.

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Longest name in a request, in characters (`ub-organization-name` of RFC 5280).
pub const MAX_SUBJECT_CHARS: usize = 64;

/// Whom a request names: cut to [`MAX_SUBJECT_CHARS`], what cannot be printed replaced by U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `O`, the first.
    pub organization: Option<String>,
    /// `CN`, the first.
    pub common_name: Option<String>,
}

impl Subject {
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        Self {
            organization: shown(name.iter_organization().next()),
            common_name: shown(name.iter_common_name().next()),
        }
    }
}

fn shown(value: Option<&AttributeTypeAndValue<'_>>) -> Option<String> {
    let text = value?.as_str().ok()?;
    let shown: String = text
        .chars()
        .take(MAX_SUBJECT_CHARS)
        .map(|char| if is_printable(char) { char } else { '\u{fffd}' })
        .collect();
    (!shown.trim().is_empty()).then_some(shown)
}

/// Whether a text may stand as a name in a request.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= MAX_SUBJECT_CHARS
        && text.chars().all(is_printable)
}

/// Whether a character shows as itself: no control, nothing without width, nothing that turns a line around.
pub fn is_printable(char: char) -> bool {
    !char.is_control()
        && !matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
