use super::*;

const EIGHT_CHARACTER_LIST: &str = include_str!("../../../lists/common-8.txt");
const FIFTEEN_CHARACTER_LIST: &str = include_str!("../../../lists/common-15.txt");

/// `INSTA_UPDATE=always` writes the list, as it does snapshots.
#[test]
fn embedded_common_password_list_matches_its_sources() {
    let mut made: Vec<HashPrefix> = EIGHT_CHARACTER_LIST
        .lines()
        .chain(FIFTEEN_CHARACTER_LIST.lines())
        .map(|line| prefix_of(&fold(line)))
        .collect();
    made.sort_unstable();
    made.dedup();
    let made = made.as_flattened();
    if made != LIST && std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/lists/common.bin"),
            made,
        )
        .unwrap();
        return;
    }
    assert!(
        made == LIST,
        "auth/lists/common.bin differs from the text lists"
    );
}

#[test]
fn listed_common_passwords_are_detected() {
    for (list, least, at_least) in [
        (EIGHT_CHARACTER_LIST, 8, 10_000),
        (FIFTEEN_CHARACTER_LIST, 15, 19_000),
    ] {
        assert!(list.lines().count() >= at_least);
        for line in list.lines() {
            assert!(line.chars().count() >= least && is_common(line), "{line}");
        }
    }
}

#[test]
fn common_password_variants_are_detected() {
    for raw in [
        "ManchesterUnited",
        "manchester united",
        "Manchester-United",
        "HIGHSCHOOLMUSICAL",
        "ｈｉｇｈｓｃｈｏｏｌｍｕｓｉｃａｌ",
        "manchesterunited1999",
        "!!ManchesterUnited!!",
        "manchesterunited manchesterunited",
        "BasketBall basketball 09",
    ] {
        assert!(is_common(raw), "{raw}");
    }
    for raw in [
        "manchester untied",
        "manchesterunited 839207",
        "correct horse battery",
        "パスワードは長いほど良い",
        "",
    ] {
        assert!(!is_common(raw), "{raw}");
    }
}
