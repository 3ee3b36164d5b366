//! Properties of all filenames and keys.

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use super::{Filename, NameKey, stays_inside};

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
