//! Codes as people type them: any width, with spaces, dashes and what a copy brings along.

use unicode_normalization::UnicodeNormalization as _;

use super::visible_text::is_invisible;

/// Characters that are read; longer input is no code.
const MAX_CHARS: usize = 64;

/// The code in NFKC, without white space, dashes and invisible characters. Full-width digits become
/// ASCII. Longer input than 64 characters gives an empty code.
pub(crate) fn fold(raw: &str) -> String {
    if raw.chars().nth(MAX_CHARS).is_some() {
        return String::new();
    }
    raw.nfkc()
        .filter(|c| !c.is_whitespace() && !is_dash(*c) && !is_invisible(*c))
        .collect()
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_code_folds_width_space_and_dashes() {
        for raw in [
            "123456",
            "\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}",
            "\u{3000}123\u{a0}456\t",
            "123\u{2013}456\u{200b}",
            "\u{feff}123\u{ff0d}456",
        ] {
            assert_eq!(fold(raw), "123456", "{raw:?}");
        }
        assert_eq!(fold(&"1".repeat(64)).len(), 64);
        assert_eq!(fold(&"1".repeat(65)), "");
    }
}
