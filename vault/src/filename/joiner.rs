//! Joiners (U+200C, U+200D) in names. They shape the letters of some scripts, and join emoji. In other
//! places they are invisible.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{CanonicalCombiningClass, EmojiModifier, ExtendedPictographic, JoiningType},
};

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
const EMOJI_PRESENTATION: char = '\u{fe0f}';

pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER)
}

/// Whether the joiner changes what the text looks like: `CONTEXTJ` (RFC 5892 Appendix A.1 and A.2,
/// which UAX 31 §2.3 follows), or an emoji ZWJ sequence (UTS 51, ED-16).
pub(super) fn is_visible(before: &str, joiner: char, after: &str) -> bool {
    follows_virama(before)
        || match joiner {
            NON_JOINER => breaks_cursive_join(before, after),
            JOINER => joins_emoji(before, after),
            _ => false,
        }
}

fn follows_virama(before: &str) -> bool {
    let classes = CodePointMapData::<CanonicalCombiningClass>::new();
    before
        .chars()
        .next_back()
        .is_some_and(|c| classes.get(c) == CanonicalCombiningClass::Virama)
}

fn breaks_cursive_join(before: &str, after: &str) -> bool {
    let types = CodePointMapData::<JoiningType>::new();
    let joins = |c: char| types.get(c);
    let left = before
        .chars()
        .rev()
        .map(joins)
        .find(|kind| *kind != JoiningType::Transparent);
    let right = after
        .chars()
        .map(joins)
        .find(|kind| *kind != JoiningType::Transparent);
    matches!(
        left,
        Some(JoiningType::LeftJoining | JoiningType::DualJoining)
    ) && matches!(
        right,
        Some(JoiningType::RightJoining | JoiningType::DualJoining)
    )
}

fn joins_emoji(before: &str, after: &str) -> bool {
    let pictures = CodePointSetData::new::<ExtendedPictographic>();
    let modifiers = CodePointSetData::new::<EmojiModifier>();
    let base = before
        .strip_suffix(EMOJI_PRESENTATION)
        .unwrap_or(before)
        .trim_end_matches(|c| modifiers.contains(c));
    let is_picture = |c: Option<char>| c.is_some_and(|c| pictures.contains(c));
    is_picture(base.chars().next_back()) && is_picture(after.chars().next())
}

#[cfg(test)]
mod tests {
    use super::is_visible;

    fn each_joiner_is_visible(text: &str) -> bool {
        let mut joiners = text.match_indices(super::is_joiner).peekable();
        assert!(joiners.peek().is_some(), "{text:?} has a joiner");
        joiners.all(|(at, joiner)| {
            let c = joiner.chars().next().unwrap();
            is_visible(&text[..at], c, &text[at + joiner.len()..])
        })
    }

    #[test]
    fn joiners_are_visible_where_contextj_allows_them() {
        for text in [
            "نقشه\u{200c}ها",
            "می\u{200c}خواهم",
            // A mark between the letter and the joiner is transparent.
            "به\u{64e}\u{200c}\u{64e}ها",
            "क्\u{200c}ष",
            "क्\u{200d}ष",
            "ශ්\u{200d}රී",
            "ക്\u{200d}",
            "👩\u{200d}💻",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}👩",
            "🏳\u{fe0f}\u{200d}🌈",
            "🧑\u{200d}🦰",
        ] {
            assert!(each_joiner_is_visible(text), "{text:?}");
        }
    }

    #[test]
    fn joiners_elsewhere_are_invisible() {
        for text in [
            "a\u{200c}b",
            "a\u{200d}b",
            "\u{200d}",
            "\u{200c}نق",
            "نقشه\u{200c}",
            "نقشه\u{200c}.step",
            "ن\u{200c}\u{200c}ق",
            // Reh does not join to its left, so nothing is broken there.
            "کار\u{200c}ها",
            "نقشه\u{200d}ها",
            "क\u{200d}ष",
            "👩\u{200c}💻",
            "👩\u{200d}",
            "👩\u{200d}a",
            "a\u{200d}💻",
            "1\u{fe0f}\u{200d}💻",
        ] {
            assert!(!each_joiner_is_visible(text), "{text:?}");
        }
    }
}
