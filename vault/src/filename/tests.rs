mod properties;
mod vectors;

use std::path::{Component, Path};

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

fn stays_inside(name: &str) -> bool {
    Path::new("/root/vault")
        .join(name)
        .starts_with("/root/vault")
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        && Path::new(name).components().count() == name.split('/').count()
}
