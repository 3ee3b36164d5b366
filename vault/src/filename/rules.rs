//! The rules for names. A valid name is the same file on Linux, macOS and Windows, in a browser and
//! in git. It cannot leave its folder or change how a clone behaves.

use unicode_normalization::is_nfc;

pub use auth::model::visible_text::is_invisible;

use super::{NameKey, joiner};

/// Bytes of UTF-8: the limit of ext4, NTFS and APFS.
const MAX_SEGMENT_BYTES: usize = 255;
/// Bytes of UTF-8: `PATH_MAX` of Linux. `git fsck --strict` reports longer names.
const MAX_NAME_BYTES: usize = 4096;

/// Folders in a name: each is a git tree object, and every change below it writes it again.
const MAX_DEPTH: usize = 64;

/// The reason why a name is refused. Segments are escaped so that every character is visible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFilename {
    #[error("A filename cannot be empty.")]
    Empty,
    #[error("A filename can have at most {MAX_NAME_BYTES} bytes; this one has {bytes}.")]
    TooLong { bytes: usize },
    #[error("A file can be at most {MAX_DEPTH} folders deep; this one is {folders} folders deep.")]
    TooDeep { folders: usize },
    #[error(
        "\"{segment}\" is too long. A path segment can have at most {MAX_SEGMENT_BYTES} bytes."
    )]
    SegmentTooLong { segment: String },
    #[error(
        "\"{segment}\" is not in Unicode's composed form (NFC). Type the name instead of pasting it."
    )]
    NotNfc { segment: String },
    #[error("A filename cannot begin with a slash.")]
    LeadingSlash,
    #[error("A filename cannot end with a slash.")]
    TrailingSlash,
    #[error("A filename cannot have two slashes in a row.")]
    DoubleSlash,
    #[error(
        "\"{segment}\" cannot be part of a filename. Give the full path without . and .. segments."
    )]
    DotSegment { segment: String },
    #[error("\"{segment}\" contains a backslash. Separate folders with /.")]
    Backslash { segment: String },
    #[error("\"{segment}\" contains an invisible control character.")]
    Control { segment: String },
    #[error("\"{segment}\" contains an invisible character, so two names could look alike.")]
    Invisible { segment: String },
    #[error("\"{segment}\" contains {character}, which Windows does not allow in a filename.")]
    Forbidden { segment: String, character: char },
    #[error("\"{segment}\" begins with a space.")]
    LeadingSpace { segment: String },
    #[error("\"{segment}\" ends with a dot or a space, which Windows removes from a filename.")]
    TrailingDotOrSpace { segment: String },
    #[error("\"{segment}\" is a device name on Windows.")]
    Device { segment: String },
    #[error("\"{segment}\" is a name reserved by git.")]
    Git { segment: String },
}

pub(super) fn check(raw: &str) -> Result<(), BadFilename> {
    if raw.is_empty() {
        return Err(BadFilename::Empty);
    }
    if raw.len() > MAX_NAME_BYTES {
        return Err(BadFilename::TooLong { bytes: raw.len() });
    }
    if raw.starts_with('/') {
        return Err(BadFilename::LeadingSlash);
    }
    if raw.ends_with('/') {
        return Err(BadFilename::TrailingSlash);
    }
    if raw.contains("//") {
        return Err(BadFilename::DoubleSlash);
    }
    let folders = raw.matches('/').count();
    if folders > MAX_DEPTH {
        return Err(BadFilename::TooDeep { folders });
    }
    raw.split('/').try_for_each(check_segment)
}

fn check_segment(raw: &str) -> Result<(), BadFilename> {
    let segment = || display_segment(raw);
    if matches!(raw, "." | "..") {
        return Err(BadFilename::DotSegment { segment: segment() });
    }
    raw.char_indices()
        .filter(|&(at, c)| !is_visible_joiner(raw, at, c))
        .try_for_each(|(_, c)| check_character(c, raw))?;
    if raw.len() > MAX_SEGMENT_BYTES {
        return Err(BadFilename::SegmentTooLong { segment: segment() });
    }
    if !is_nfc(raw) {
        return Err(BadFilename::NotNfc { segment: segment() });
    }
    // Before the check of trailing dots, so that `.git.` gets the error about git.
    if is_git_directory(raw) {
        return Err(BadFilename::Git { segment: segment() });
    }
    if raw.starts_with(char::is_whitespace) {
        return Err(BadFilename::LeadingSpace { segment: segment() });
    }
    if raw.ends_with(|c: char| c == '.' || c.is_whitespace()) {
        return Err(BadFilename::TrailingDotOrSpace { segment: segment() });
    }
    if is_device(raw) {
        return Err(BadFilename::Device { segment: segment() });
    }
    Ok(())
}

fn is_visible_joiner(raw: &str, at: usize, c: char) -> bool {
    joiner::is_joiner(c) && joiner::is_visible(&raw[..at], c, &raw[at + c.len_utf8()..])
}

fn check_character(c: char, raw: &str) -> Result<(), BadFilename> {
    let segment = || display_segment(raw);
    match c {
        '\\' => Err(BadFilename::Backslash { segment: segment() }),
        ':' | '*' | '?' | '"' | '<' | '>' | '|' => Err(BadFilename::Forbidden {
            segment: segment(),
            character: c,
        }),
        c if c.is_control() => Err(BadFilename::Control { segment: segment() }),
        c if is_invisible(c) => Err(BadFilename::Invisible { segment: segment() }),
        _ => Ok(()),
    }
}

/// `.git`, and the files through which a clone would change the behaviour of git or git-lfs. Covers
/// the spellings that Windows and macOS resolve to them: any case, trailing dots and spaces, 8.3
/// short names (git's `is_ntfs_dot_generic`).
fn is_git_directory(raw: &str) -> bool {
    let folded = NameKey::fold(raw.trim_end_matches(['.', ' ']));
    let name = folded.as_str();
    matches!(
        name,
        ".git" | ".gitattributes" | ".gitmodules" | ".lfsconfig"
    ) || is_git_short_name(name)
}

fn is_git_short_name(name: &str) -> bool {
    let Some((stem, number)) = name.split_once('~') else {
        return false;
    };
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let shortened = || {
        (2..=6).contains(&stem.len())
            && ["gitattributes", "gitmodules", "lfsconfig"]
                .iter()
                .any(|full| full.starts_with(stem))
    };
    // From the fifth name with the same prefix on, NTFS uses two letters and four hex digits of a
    // hash.
    let hashed = || {
        ["gi", "lf"]
            .iter()
            .filter_map(|start| stem.strip_prefix(start))
            .any(|hash| hash.len() == 4 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    numbered && (shortened() || hashed())
}

/// Reserved with or without an extension, and with spaces before it: `nul .txt` is `NUL`.
fn is_device(raw: &str) -> bool {
    let base = raw
        .split('.')
        .next()
        .unwrap_or(raw)
        .trim_end_matches(' ')
        .to_ascii_uppercase();
    if matches!(
        base.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) {
        return true;
    }
    let port = base
        .strip_prefix("COM")
        .or_else(|| base.strip_prefix("LPT"));
    let mut digits = port.unwrap_or_default().chars();
    matches!(
        (digits.next(), digits.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

/// At most 60 characters; invisible ones are written as code points.
fn display_segment(raw: &str) -> String {
    let mut out = String::new();
    for (n, c) in raw.chars().enumerate() {
        if n == 60 {
            out.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
