//! Passwords that many people have (ASVS 5.0 §6.2.4), of every length that the rules let pass: the list of `auth/lists`,
//! embedded as five bytes of the SHA-256 of each, sorted. What is not in it is taken for something that is with a chance
//! of 1 in 37 million.

use aws_lc_rs::digest::{SHA256, digest};
use unicode_normalization::UnicodeNormalization as _;

static LIST: &[u8] = include_bytes!("../../lists/common.bin");

const PREFIX_BYTES: usize = 5;
/// Shorter ones are not in the list, and what is much longer is none of them with something around it.
const MIN_BYTES: usize = 8;
const MAX_BYTES: usize = 96;
/// So much may stand around a common password without making it a good one.
const MAX_AFFIX_COST: usize = 5;

type HashPrefix = [u8; PREFIX_BYTES];

/// Whether it is in the list, however it is capitalised, spaced or spelled (`P@$$w0rd`); or is again and again something
/// that is; or has a year, a sequence or a few signs around that.
pub(super) fn is_common(password: &str) -> bool {
    let folded = fold(password);
    let joined: String = folded
        .chars()
        .filter(|c| !c.is_whitespace() && !"-_.".contains(*c))
        .collect();
    let is_either = |said: &str| is_listed(said) || is_listed(repeated(said));
    [folded, joined]
        .iter()
        .any(|said| is_either(said) || cores(said).any(is_either))
}

/// As all ways to capitalise a password, or to write an accent, are one.
fn fold(password: &str) -> String {
    // Up first, because some small letters are two capitals (`ß`).
    password
        .nfkc()
        .collect::<String>()
        .to_uppercase()
        .to_lowercase()
        .nfkc()
        .collect()
}

/// What `said` is, once.
fn repeated(said: &str) -> &str {
    let (bytes, length) = (said.as_bytes(), said.len());
    let once = (MIN_BYTES..=length / 2)
        .find(|once| length % once == 0 && bytes[*once..] == bytes[..length - once]);
    once.and_then(|once| said.get(..once)).unwrap_or(said)
}

/// What is left of `said` without what people add to a password so that it is taken.
fn cores(said: &str) -> impl Iterator<Item = &str> {
    let is_added = |c: &char| !c.is_alphabetic();
    let said = if said.len() <= MAX_BYTES { said } else { "" };
    let heads = said
        .chars()
        .take_while(is_added)
        .count()
        .min(said.len().saturating_sub(MIN_BYTES));
    let tails = said.chars().rev().take_while(is_added).count();
    let starts = said.char_indices().map(|(at, _)| at).take(heads + 1);
    starts.flat_map(move |start| {
        let ends = said
            .char_indices()
            .rev()
            .map(|(at, c)| at + c.len_utf8())
            .take(tails + 1);
        let splits =
            ends.filter_map(move |end| Some((said.get(start..end)?, &said[..start], &said[end..])));
        splits
            .filter(|(_, head, tail)| affix_cost(head) + affix_cost(tail) <= MAX_AFFIX_COST)
            .map(|(core, ..)| core)
    })
}

/// How many characters of it do not follow from the one before: `1234567` and `!!!` are one.
fn affix_cost(added: &str) -> usize {
    let is_sequence = |(a, b): (char, char)| u32::from(a).abs_diff(u32::from(b)) <= 1;
    let sequential = added
        .chars()
        .zip(added.chars().skip(1))
        .filter(|pair| is_sequence(*pair))
        .count();
    added.chars().count() - sequential
}

fn is_listed(said: &str) -> bool {
    said.len() >= MIN_BYTES
        && LIST
            .as_chunks::<PREFIX_BYTES>()
            .0
            .binary_search(&prefix_of(said))
            .is_ok()
}

/// Of its skeleton, in which all ways to put signs for letters are one.
fn prefix_of(said: &str) -> HashPrefix {
    let canonical = |c| match c {
        '0' => 'o',
        '1' | '!' | 'l' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    };
    let skeleton: String = said.chars().map(canonical).collect();
    let mut entry = [0; PREFIX_BYTES];
    entry.copy_from_slice(&digest(&SHA256, skeleton.as_bytes()).as_ref()[..PREFIX_BYTES]);
    entry
}

#[cfg(test)]
mod tests;
