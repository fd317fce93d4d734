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

/// Whether a character shows as itself: no control, nothing without width or ink, nothing that turns a line
/// around. Unicode's Default_Ignorable_Code_Point, its format characters (Cf), and an empty Braille cell.
pub fn is_printable(char: char) -> bool {
    !char.is_control()
        && !matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}'
            | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held against another implementation of Unicode's tables.
    #[test]
    fn what_shows_nothing_of_itself_is_not_printable() {
        let class = r"^[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Zl}\p{Zp}\u{2800}]$";
        let unseen = regex::Regex::new(class).expect("a pattern");
        let assigned = regex::Regex::new(r"^\P{Cn}$").expect("a pattern");
        for char in '\0'..=char::MAX {
            let text = char.to_string();
            if assigned.is_match(&text) {
                assert_eq!(is_printable(char), !unseen.is_match(&text), "{char:?}");
            }
        }
    }
}
