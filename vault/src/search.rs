//! Search and natural order: names and descriptions compared without case and accents.
//!
//! The database stores what [`natural_key`] and [`search_text`] return, so that every database
//! sorts and finds alike.

use unicode_normalization::UnicodeNormalization as _;

use crate::{File, Filename, NameKey, UserText};

/// Without case, accents, and differences of form (Unicode NFKD, case folding): `Größe` and
/// `GROSSE` are one. Only marks of Latin, Greek and Cyrillic letters are accents; those of other
/// scripts are letters.
fn without_accents(raw: &str) -> String {
    if raw.is_ascii() {
        return raw.to_ascii_lowercase();
    }
    let decomposed: String = raw.nfkd().filter(|c| !is_accent(*c)).collect();
    let folded = caseless::default_case_fold_str(&decomposed);
    let plain = folded.chars().fold(String::new(), |mut text, c| {
        match plain_spelling(c) {
            Some(spelling) => text.push_str(spelling),
            None => text.push(c),
        }
        text
    });
    plain.nfd().filter(|c| !is_accent(*c)).nfc().collect()
}

fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Letters with a stroke or of two parts, which Unicode does not decompose.
fn plain_spelling(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

/// A text whose order by bytes is the natural order of names: `part2` before `part10`, `Ä` beside
/// `A`. A run of digits becomes its length and its digits without leading zeros. `/` comes first, so
/// that a folder's files stay together. Different names can have one key.
#[must_use]
pub fn natural_key(name: &NameKey) -> String {
    let text = without_accents(name.as_str());
    let mut key = String::with_capacity(text.len() + 8);
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let significant = rest[..end].trim_start_matches('0');
            let digits = if significant.is_empty() {
                "0"
            } else {
                significant
            };
            // Two digits suffice for up to 255: a longer name does not exist.
            key.extend([&format!("{:02x}", digits.len().min(255)), digits]);
            rest = &rest[end..];
        } else {
            key.push(if first == '/' { '\u{1}' } else { first });
            rest = &rest[first.len_utf8()..];
        }
    }
    key
}

/// The text in which a file is found: `/`, its path, a line break, its description.
#[must_use]
pub fn search_text(name: &Filename, description: Option<&UserText>) -> String {
    let description = description.map_or("", UserText::as_str);
    format!(
        "/{}\n{}",
        without_accents(name.as_str()),
        without_accents(description)
    )
}

/// Words that a file's name or description contains, in any order. A word with `*` or `?` is a
/// pattern for the name: `*.stl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Part(String),
    Pattern(String),
}

impl Search {
    /// `None` if the text has no words.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let words: Vec<Word> = raw
            .split_whitespace()
            .map(without_accents)
            .map(|word| {
                if word.contains(['*', '?']) {
                    Word::Pattern(word)
                } else {
                    Word::Part(word)
                }
            })
            .collect();
        (!words.is_empty()).then_some(Self { words })
    }

    /// Texts that the [`search_text`] of every match contains. A file that contains them need not
    /// match: the order of the parts of a pattern is not in them.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = self.words.iter().flat_map(Word::parts).collect();
        parts.sort();
        parts.dedup();
        parts
    }

    /// The runs of three characters in the [`parts`](Self::parts), for an index of such runs.
    #[must_use]
    pub fn trigrams(&self) -> Vec<String> {
        let mut trigrams: Vec<String> = self
            .parts()
            .iter()
            .flat_map(|part| {
                let chars: Vec<char> = part.chars().collect();
                let runs: Vec<String> = chars.windows(3).map(String::from_iter).collect();
                runs
            })
            .collect();
        trigrams.sort();
        trigrams.dedup();
        trigrams
    }

    #[must_use]
    pub fn matches(&self, file: &File) -> bool {
        let text = search_text(&file.name, file.description.as_ref());
        let name = text.split('\n').next().unwrap_or_default();
        self.words.iter().all(|word| match word {
            Word::Part(part) => text.contains(part.as_str()),
            Word::Pattern(pattern) => name
                .match_indices('/')
                .any(|(at, _)| matches_pattern(pattern, &name[at + 1..])),
        })
    }
}

impl Word {
    /// A pattern begins at a `/` and ends at the end of the name, unless a wildcard stands there.
    fn parts(&self) -> Vec<String> {
        let pattern = match self {
            Self::Part(part) => return vec![part.clone()],
            Self::Pattern(pattern) => pattern,
        };
        let anchored = format!("/{pattern}\n");
        anchored
            .split(['*', '?'])
            .filter(|part| !matches!(*part, "" | "/" | "\n"))
            .map(str::to_owned)
            .collect()
    }
}

/// `*` stands for any characters and `?` for one. Linear in memory; a later `*` replaces the
/// earlier, so the work is at most the product of the lengths.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The last `*`, and where the text after it starts.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((back, from)) = star else {
                    return false;
                };
                star = Some((back, from + 1));
                at = back + 1;
                read = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
