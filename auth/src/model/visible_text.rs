//! One rule for every text that people see: names, labels, notes, filenames. A text has no character
//! that hides, or that makes two texts look alike.

/// Invisible format and filler characters, and those that reorder text, including all that HFS+
/// ignores (git's `next_hfs_char`). Variation selectors stay: emoji and Japanese names need them.
/// The visible format characters of Arabic, Syriac and Kaithi stay too.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// Whether the text has a control character or one that [`is_invisible`]. A joiner (U+200C, U+200D)
/// between two characters of a script that joins, or of an emoji, is no such character.
#[must_use]
pub fn has_hidden(text: &str) -> bool {
    let mut previous = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_hidden = if matches!(c, '\u{200c}' | '\u{200d}') {
            let next = chars.peek().copied();
            !(previous.is_some_and(is_joinable) && next.is_some_and(is_joinable))
        } else {
            c.is_control() || is_invisible(c)
        };
        if is_hidden {
            return true;
        }
        previous = Some(c);
    }
    false
}

/// As [`has_hidden`], and allows line breaks and tabs.
#[must_use]
pub fn has_hidden_in_lines(text: &str) -> bool {
    text.split(['\n', '\r', '\t']).any(has_hidden)
}

/// The text without what [`has_hidden`] finds, for text from other programs.
#[must_use]
pub fn without_hidden(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect()
}

/// Scripts with joined letters (`CONTEXTJ`, RFC 5892 Appendix A), and the parts of emoji sequences.
fn is_joinable(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}' | '\u{a840}'..='\u{a87f}' | '\u{2190}'..='\u{2bff}'
        | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: [char; 13] = [
        '\u{3164}',
        '\u{115f}',
        '\u{1160}',
        '\u{ffa0}',
        '\u{ad}',
        '\u{61c}',
        '\u{2060}',
        '\u{34f}',
        '\u{e0041}',
        '\u{202e}',
        '\u{200b}',
        '\u{feff}',
        '\u{7}',
    ];

    #[test]
    fn hidden_characters_are_found_and_removed() {
        for hidden in HIDDEN {
            let text = format!("a{hidden}b");
            assert!(
                has_hidden(&text) && has_hidden_in_lines(&text),
                "{hidden:?}"
            );
            assert_eq!(without_hidden(&text), "ab");
        }
        assert!(has_hidden("a\nb") && !has_hidden_in_lines("a\r\n\tb"));
        assert!(has_hidden_in_lines("a\n\u{202e}b"));
        for visible in ["", "Müller 李雷 O’Brien", "☀\u{fe0f}", "नमस्ते"] {
            assert!(!has_hidden(visible), "{visible:?}");
        }
    }

    #[test]
    fn joiners_are_visible_between_joining_characters_only() {
        for joined in [
            "نقشه\u{200c}ها",
            "👩\u{200d}💻",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}👩",
        ] {
            assert!(!has_hidden(joined), "{joined:?}");
        }
        for bare in [
            "a\u{200d}b",
            "\u{200d}",
            "👩\u{200d}",
            "\u{200c}نق",
            "ن\u{200c}\u{200c}ق",
        ] {
            assert!(has_hidden(bare), "{bare:?}");
        }
    }
}
