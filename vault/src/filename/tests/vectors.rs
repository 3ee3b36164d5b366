//! Strings that break programs, as filenames.

use std::path::{Path, PathBuf};

use super::{Filename, stays_inside};

/// The folder of shared test material, beside the checkout or at `STRONGROOM_SHARED`.
fn shared_folder() -> PathBuf {
    std::env::var_os("STRONGROOM_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    )
}

#[test]
fn naughty_string_filenames_are_accepted_or_rejected() {
    let path = shared_folder().join("vectors/naughty-strings.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "{}: {error}",
                path.display()
            );
            println!(
                "SKIPPED: {} does not exist; set STRONGROOM_SHARED",
                path.display()
            );
            return;
        }
    };
    let strings = json_strings(&text);
    assert!(strings.len() > 400, "only {} strings", strings.len());
    for raw in strings {
        match Filename::parse(&raw) {
            Ok(name) => assert!(stays_inside(name.as_str()), "{raw:?}"),
            Err(why) => assert!(why.to_string().ends_with('.'), "{raw:?}"),
        }
    }
}

/// Reads a JSON array of strings: sufficient for the vectors, without a parser as a dependency.
fn json_strings(text: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut chars = text.chars();
    while chars.by_ref().any(|c| c == '"') {
        let mut units = Vec::new();
        loop {
            match chars.next() {
                None | Some('"') => break,
                Some('\\') => units.extend(unescape(&mut chars)),
                Some(c) => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        strings.push(String::from_utf16_lossy(&units));
    }
    strings
}

fn unescape(chars: &mut std::str::Chars<'_>) -> Option<u16> {
    Some(match chars.next()? {
        'n' => 10,
        'r' => 13,
        't' => 9,
        'b' => 8,
        'f' => 12,
        'u' => u16::from_str_radix(&chars.by_ref().take(4).collect::<String>(), 16).ok()?,
        c => u16::try_from(u32::from(c)).ok()?,
    })
}
