use std::path::{Component, Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn parse_error(raw: &str) -> BadFilename {
    match Filename::parse(raw) {
        Err(why) => why,
        Ok(name) => panic!("{name:?} was accepted"),
    }
}

#[test]
fn filenames_in_any_script_are_accepted_unchanged() {
    for raw in [
        "vise.step",
        "fixtures/vise.step",
        "a/b/c/d",
        ".hidden",
        "..a",
        "a..b",
        "~",
        "git",
        "gitx~1",
        "gizmo~1",
        "git~",
        "dot.git",
        ".gitignore",
        "com",
        "com10",
        "console.txt",
        "auxiliary",
        "nulls",
        "Größe.mcam",
        "部品/治具.step",
        "Деталь №5",
        "قطعة",
        "❤\u{fe0f}.png",
        "نقشه\u{200c}ها.step",
        "فولدر/می\u{200c}خواهم.step",
        "ශ්\u{200d}රී.step",
        "👩\u{200d}💻.step",
        "🏳\u{fe0f}\u{200d}🌈/👩🏽\u{200d}🔧",
        "a b",
        "100%",
        "$(rm -rf)",
        "'; DROP TABLE files;--",
        "-rf",
        "#1",
        "é",
    ] {
        assert_eq!(
            Filename::parse(raw).map(|name| name.as_str().to_owned()),
            Ok(raw.to_owned()),
            "{raw:?}"
        );
    }
}

#[test]
fn filename_cannot_traverse_folders() {
    assert_eq!(parse_error(""), BadFilename::Empty);
    assert_eq!(parse_error("/etc/passwd"), BadFilename::LeadingSlash);
    assert_eq!(parse_error("/"), BadFilename::LeadingSlash);
    assert_eq!(parse_error("a/"), BadFilename::TrailingSlash);
    assert_eq!(parse_error("a//b"), BadFilename::DoubleSlash);
    for raw in [".", "..", "../a", "a/../b", "a/.", "./a", "a/.."] {
        assert!(
            matches!(parse_error(raw), BadFilename::DotSegment { .. }),
            "{raw:?}"
        );
    }
    for raw in ["..\\a", "a\\b", "\\\\server\\share", "C:\\a"] {
        assert!(
            matches!(
                parse_error(raw),
                BadFilename::Backslash { .. } | BadFilename::Forbidden { .. }
            ),
            "{raw:?}"
        );
    }
}

#[test]
fn filename_invalid_on_windows_is_rejected() {
    for raw in [
        "a:b",
        "C:",
        "a*",
        "a?",
        "\"a\"",
        "<a>",
        "a>b",
        "a|b",
        ".git::$INDEX_ALLOCATION",
        "a/b:stream",
    ] {
        assert!(
            matches!(parse_error(raw), BadFilename::Forbidden { .. }),
            "{raw:?}"
        );
    }
    for raw in [
        "a.",
        "a ",
        "a. .",
        "...",
        "a /b",
        "dir./b",
        "a\u{a0}",
        "a\u{3000}",
    ] {
        assert!(
            matches!(parse_error(raw), BadFilename::TrailingDotOrSpace { .. }),
            "{raw:?}"
        );
    }
    for raw in [" a", "a/ b", "\u{3000}a"] {
        assert!(
            matches!(parse_error(raw), BadFilename::LeadingSpace { .. }),
            "{raw:?}"
        );
    }
    for raw in [
        "CON",
        "con",
        "nul.txt",
        "NUL .txt",
        "aux.tar.gz",
        "PRN",
        "COM1",
        "com9.step",
        "COM¹",
        "lpt³.txt",
        "LPT1",
        "CONIN$",
        "conout$",
        "a/nul/b",
        "a/CoN.x",
    ] {
        assert!(
            matches!(parse_error(raw), BadFilename::Device { .. }),
            "{raw:?}"
        );
    }
}

#[test]
fn filename_resembling_git_internals_is_rejected() {
    for raw in [
        ".git",
        ".GIT",
        ".Git/config",
        "a/.git/hooks/post-checkout",
        ".git.",
        ".git ",
        ".git. .",
        "git~1",
        "GIT~1",
        "git~2",
        "gi7eba~1",
        "GI7D29~4",
        "gi~1",
        "gitmod~1",
        "GITMOD~4",
        "gitatt~1",
        "lfscon~1",
        "lf1234~2",
        ".gitattributes",
        ".GitAttributes",
        "sub/.gitattributes",
        ".gitmodules",
        ".gitmodule\u{17f}",
        ".lfsconfig",
        ".LFSCONFIG",
    ] {
        assert!(
            matches!(parse_error(raw), BadFilename::Git { .. }),
            "{raw:?}"
        );
    }
    // The characters that HFS+ ignores: git's own list.
    let ignored = [
        '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{206a}',
        '\u{206f}', '\u{feff}',
    ];
    for c in ignored {
        let raw = format!(".g{c}it");
        assert!(
            matches!(parse_error(&raw), BadFilename::Invisible { .. }),
            "{raw:?}"
        );
    }
}

#[test]
fn filename_with_invisible_characters_is_rejected_and_escaped() {
    for c in [
        '\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}',
    ] {
        assert!(
            matches!(parse_error(&format!("a{c}b")), BadFilename::Control { .. }),
            "{c:?}"
        );
    }
    for c in [
        '\u{ad}',
        '\u{200b}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{3164}',
        '\u{e0041}',
        '\u{34f}',
        '\u{180e}',
        '\u{fff9}',
    ] {
        assert!(
            matches!(
                parse_error(&format!("a{c}b")),
                BadFilename::Invisible { .. }
            ),
            "{c:?}"
        );
    }
    for raw in [
        "a\u{200c}b",
        "a\u{200d}b",
        "نقشه\u{200c}.step",
        "نقشه\u{200c}/ها",
        "👩\u{200d}.step",
    ] {
        assert!(
            matches!(parse_error(raw), BadFilename::Invisible { .. }),
            "{raw:?}"
        );
    }
    let said = parse_error("gpj\u{202e}exe.step").to_string();
    assert!(said.contains("gpj\\u{202e}exe.step"), "{said}");
}

#[test]
fn filename_limits_are_measured_in_bytes() {
    assert!(Filename::parse(&"a".repeat(255)).is_ok());
    assert!(matches!(
        parse_error(&"a".repeat(256)),
        BadFilename::SegmentTooLong { .. }
    ));
    assert!(matches!(
        parse_error(&"é".repeat(128)),
        BadFilename::SegmentTooLong { .. }
    ));
    let long = |bytes: usize| {
        (format!("{}/", "a".repeat(127))).repeat(bytes / 128 - 1) + &"b".repeat(128 + bytes % 128)
    };
    assert!(Filename::parse(&long(4096)).is_ok());
    assert_eq!(
        parse_error(&long(4097)),
        BadFilename::TooLong { bytes: 4097 }
    );
}

#[test]
fn filename_depth_is_limited_to_64_folders() {
    assert!(Filename::parse(&("a/".repeat(64) + "b")).is_ok());
    assert_eq!(
        parse_error(&("a/".repeat(65) + "b")),
        BadFilename::TooDeep { folders: 65 }
    );
    // Stored names stay readable.
    assert_eq!(
        Filename::from_stored(&("a/".repeat(65) + "b"))
            .as_str()
            .len(),
        131
    );
}

#[test]
fn decomposed_unicode_filename_is_rejected() {
    for raw in ["e\u{301}.step", "a/u\u{308}", "\u{212b}", "\u{2126}"] {
        assert!(
            matches!(parse_error(raw), BadFilename::NotNfc { .. }),
            "{raw:?}"
        );
    }
}

#[test]
fn filename_errors_are_one_sentence() {
    for raw in [
        "",
        "/",
        "a/",
        "a//b",
        "..",
        "a\\b",
        "a\0",
        "a:",
        "a.",
        " a",
        "nul",
        ".git",
        "a\u{200b}",
        "e\u{301}",
    ] {
        let error = parse_error(raw).to_string();
        assert!(
            error.ends_with('.') && !error.contains('\n') && error.len() < 400,
            "{error}"
        );
    }
}

#[test]
fn filenames_differing_in_case_or_joiners_share_key() {
    for (one, other) in [
        ("Vise.STEP", "vise.step"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ΌΣΟΣ", "όσοσ"),
        ("É", "é"),
        ("ǅ", "ǆ"),
        ("ᾼ", "ᾳ"),
        ("K", "\u{212a}"),
        ("Ａ", "ａ"),
    ] {
        assert_eq!(NameKey::fold(one), NameKey::fold(other), "{one} {other}");
    }
    for (one, other) in [
        ("نقشه\u{200c}ها.step", "نقشهها.step"),
        ("👩\u{200d}💻.step", "👩💻.step"),
        ("क्\u{200d}ष", "क्\u{200c}ष"),
    ] {
        assert_eq!(NameKey::fold(one), NameKey::fold(other), "{one} {other}");
    }
    assert_eq!(NameKey::fold("e\u{301}"), NameKey::fold("É"));
    assert_ne!(
        NameKey::fold("a"),
        NameKey::fold("ａ"),
        "compatibility forms stay distinct"
    );
    assert_eq!(
        Filename::parse("Fixtures/Vise").unwrap().key().as_str(),
        "fixtures/vise"
    );
}

#[test]
fn filename_splits_into_folders_and_file_name() {
    let name = Filename::parse("a/b/c.step").unwrap();
    assert_eq!(name.file_name(), "c.step");
    assert_eq!(name.folder(), Some(Filename::from_stored("a/b")));
    assert_eq!(
        name.folders().collect::<Vec<_>>(),
        [Filename::from_stored("a"), Filename::from_stored("a/b")]
    );
    assert_eq!(Filename::from_stored("c").folder(), None);
}

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

fn stays_inside(name: &str) -> bool {
    Path::new("/root/vault")
        .join(name)
        .starts_with("/root/vault")
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        && Path::new(name).components().count() == name.split('/').count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn accepted_filename_stays_below_its_folder(raw in "[a-zA-Z0-9./\\\\ ~:\u{200b}éＡ]{0,12}|\\PC{0,40}|(?s).{0,40}") {
        if let Ok(name) = Filename::parse(&raw) {
            prop_assert!(stays_inside(name.as_str()));
            prop_assert_eq!(name.as_str(), raw);
        }
    }

    /// The property above proves nothing about names that it never accepts.
    #[test]
    fn accepted_ordinary_filename_stays_below_its_folder(raw in "[b-z0-9é]{5,12}(/[b-z0-9é_-]{5,12}){0,4}\\.step") {
        let name = Filename::parse(&raw).unwrap();
        prop_assert!(stays_inside(name.as_str()));
        prop_assert_eq!(name.as_str(), raw);
    }

    #[test]
    fn name_key_folding_is_idempotent(raw in "(?s).{0,40}|[\u{200c}\u{200d}e\u{301}á]{0,6}|[\u{345}\u{300}-\u{36f}αιᾳΐßſİıA-Z\u{1f80}-\u{1fff}]{0,12}") {
        let key = NameKey::fold(&raw);
        prop_assert_eq!(&NameKey::fold(key.as_str()), &key);
    }

    #[test]
    fn name_key_ignores_case_and_composition(raw in "[a-zA-ZäöüßÄÖÜéÉñÑçΑ-Ωα-ωА-Яа-я0-9._-]{1,20}") {
        let key = NameKey::fold(&raw);
        prop_assert_eq!(&NameKey::fold(&raw.nfd().collect::<String>()), &key);
        prop_assert_eq!(&NameKey::fold(&raw.to_uppercase()), &key);
        prop_assert_eq!(&NameKey::fold(&raw.to_lowercase()), &key);
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
