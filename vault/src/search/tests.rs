use proptest::prelude::*;

use super::*;
use crate::testing::file_named;

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort_by_key(|name| {
        let key = NameKey::fold(name);
        (natural_key(&key), key)
    });
    names
}

#[test]
fn names_sort_naturally() {
    let names = [
        "a/z.nc",
        "a b.nc",
        "A.step",
        "Ä.step",
        "b.step",
        "part2.step",
        "part02a.step",
        "part10.step",
        "Part 1.step",
        "part100000000000000000000000.step",
        "v1.2.nc",
        "v1.10.nc",
        "0.nc",
        "10.nc",
        "9.nc",
        "Øre.nc",
        "orf.nc",
    ];
    assert_eq!(
        sorted(&names),
        [
            "0.nc",
            "9.nc",
            "10.nc",
            "a/z.nc",
            "a b.nc",
            "A.step",
            "Ä.step",
            "b.step",
            "Øre.nc",
            "orf.nc",
            "Part 1.step",
            "part2.step",
            "part02a.step",
            "part10.step",
            "part100000000000000000000000.step",
            "v1.2.nc",
            "v1.10.nc",
        ]
    );
}

fn finds(query: &str, name: &str, description: &str) -> bool {
    Search::parse(query).is_none_or(|search| search.matches(&file_named(name, description)))
}

#[test]
fn words_match_in_any_order_without_accents() {
    let (name, description) = ("fixtures/Zahnrad Größe 2.STEP", "für die Fräse\nvon Łukasz");
    for query in [
        "zahnrad",
        "ZAHN fixtures",
        "2 größe",
        "2 grosse",
        "frase zahnrad",
        "lukasz",
        "fixtures/zahn",
        "ＺＡＨＮ",
        "*.step",
        "*.STEP lukasz",
        "zahn*",
        "zahn*2.step",
        "fixtures/*.step",
        "z?hnrad*",
        "",
        "  ",
    ] {
        assert!(finds(query, name, description), "{query:?}");
    }
    for query in [
        "zahnrad 3",
        "*.ste",
        "rad*",
        "2*zahn*",
        "?ahn",
        "*lukasz",
        "%",
        "zahn_ad",
    ] {
        assert!(!finds(query, name, description), "{query:?}");
    }
}

proptest! {
    #[test]
    fn matches_contain_every_part(
        name in "[a-zäÖß0-9./ ]{1,20}",
        description in "[a-z é\n]{0,20}",
        query in "[a-zäß0-9.*?/ ]{0,12}",
    ) {
        let file = file_named(&name, &description);
        let Some(search) = Search::parse(&query) else { return Ok(()) };
        let text = search_text(&file.name, file.description.as_ref());
        if search.matches(&file) {
            for part in search.parts() {
                prop_assert!(text.contains(&part), "{text:?} lacks {part:?} of {query:?}");
            }
        }
        for trigram in search.trigrams() {
            prop_assert_eq!(trigram.chars().count(), 3);
        }
    }

    #[test]
    fn folded_text_stays_as_it_is(raw in "\\PC{0,30}") {
        let once = without_accents(&raw);
        prop_assert_eq!(&without_accents(&once), &once);
    }

    #[test]
    fn case_makes_no_difference(raw in "[a-zA-ZäÖßéÅłŁøÆœĲıσς0-9 ]{0,30}") {
        prop_assert_eq!(
            without_accents(&raw.to_uppercase()),
            without_accents(&raw.to_uppercase().to_lowercase())
        );
    }
}
