//! Common passwords (ASVS 5.0 §6.2.4) of every permitted length: the list of `auth/lists`, embedded
//! as sorted 5-byte prefixes of SHA-256. False-positive rate: 1 in 37 million.

use aws_lc_rs::digest::{SHA256, digest};
use unicode_normalization::UnicodeNormalization as _;

static LIST: &[u8] = include_bytes!("../../lists/common.bin");

const PREFIX_BYTES: usize = 5;
/// Bounds of the core: the list has no shorter entries, and a longer password is not a listed one
/// with an affix.
const MIN_BYTES: usize = 8;
const MAX_BYTES: usize = 96;
/// Affixes up to this cost do not make a common password acceptable.
const MAX_AFFIX_COST: usize = 5;

type HashPrefix = [u8; PREFIX_BYTES];

/// Whether the password is in the list, regardless of case, spaces and substitutions (`P@$$w0rd`).
/// It also detects repetitions of a listed password, and one with a year, a sequence or a few signs
/// added.
pub(super) fn is_common(password: &str) -> bool {
    let folded = fold(password);
    let joined: String = folded
        .chars()
        .filter(|c| !c.is_whitespace() && !"-_.".contains(*c))
        .collect();
    let is_either = |text: &str| is_listed(text) || is_listed(repeated(text));
    [folded, joined]
        .iter()
        .any(|text| is_either(text) || cores(text).any(is_either))
}

/// Folds case and normalizes accents.
fn fold(password: &str) -> String {
    // Upper case first, because some lower-case letters have two capitals (`ß`).
    password
        .nfkc()
        .collect::<String>()
        .to_uppercase()
        .to_lowercase()
        .nfkc()
        .collect()
}

/// The repeated unit of `text`, or `text` itself.
fn repeated(text: &str) -> &str {
    let (bytes, length) = (text.as_bytes(), text.len());
    let once = (MIN_BYTES..=length / 2)
        .find(|once| length % once == 0 && bytes[*once..] == bytes[..length - once]);
    once.and_then(|once| text.get(..once)).unwrap_or(text)
}

/// All cores of `text` without non-alphabetic affixes, as users add to satisfy a rule.
fn cores(text: &str) -> impl Iterator<Item = &str> {
    let is_added = |c: &char| !c.is_alphabetic();
    let text = if text.len() <= MAX_BYTES { text } else { "" };
    let heads = text
        .chars()
        .take_while(is_added)
        .count()
        .min(text.len().saturating_sub(MIN_BYTES));
    let tails = text.chars().rev().take_while(is_added).count();
    let starts = text.char_indices().map(|(at, _)| at).take(heads + 1);
    starts.flat_map(move |start| {
        let ends = text
            .char_indices()
            .rev()
            .map(|(at, c)| at + c.len_utf8())
            .take(tails + 1);
        let splits =
            ends.filter_map(move |end| Some((text.get(start..end)?, &text[..start], &text[end..])));
        splits
            .filter(|(_, head, tail)| affix_cost(head) + affix_cost(tail) <= MAX_AFFIX_COST)
            .map(|(core, ..)| core)
    })
}

/// The number of characters that do not continue a sequence: `1234567` and `!!!` cost one.
fn affix_cost(added: &str) -> usize {
    let is_sequence = |(a, b): (char, char)| u32::from(a).abs_diff(u32::from(b)) <= 1;
    let sequential = added
        .chars()
        .zip(added.chars().skip(1))
        .filter(|pair| is_sequence(*pair))
        .count();
    added.chars().count() - sequential
}

fn is_listed(text: &str) -> bool {
    text.len() >= MIN_BYTES
        && LIST
            .as_chunks::<PREFIX_BYTES>()
            .0
            .binary_search(&prefix_of(text))
            .is_ok()
}

/// The prefix of the skeleton's hash. The skeleton undoes substitutions of signs for letters.
fn prefix_of(text: &str) -> HashPrefix {
    let canonical = |c| match c {
        '0' => 'o',
        '1' | '!' | 'l' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    };
    let skeleton: String = text.chars().map(canonical).collect();
    let mut entry = [0; PREFIX_BYTES];
    entry.copy_from_slice(&digest(&SHA256, skeleton.as_bytes()).as_ref()[..PREFIX_BYTES]);
    entry
}

#[cfg(test)]
mod tests;
