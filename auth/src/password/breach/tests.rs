use super::{build::build_in_chunks, *};
use crate::SecureRandom;

fn temp_dir() -> PathBuf {
    let folder = std::env::temp_dir().join(hex::encode(SecureRandom::system().bytes::<8>()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn sha1(password: &str) -> String {
    hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()))
}

fn build_filter(list: &str, chunk: usize) -> (BuildReport, BreachFilter) {
    let path = temp_dir().join("breach.filter");
    let built = build_in_chunks(list.as_bytes(), &path, chunk).unwrap();
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    (built, BreachFilter::open(&path).unwrap())
}

#[test]
fn breach_filter_finds_listed_passwords_only() {
    // Unsorted, in chunks, with duplicates, both letter cases, optional counts and CRLF.
    let mut list = String::from("\r\n");
    for n in 0..20_000 {
        let hash = sha1(&format!("stolen {n}"));
        let line = if n % 2 == 0 {
            format!("{hash}:{n}\r\n")
        } else {
            format!("{}\n", hash.to_lowercase())
        };
        list.push_str(&line);
    }
    list = [list, sha1("stolen 5"), ":7".to_owned()].concat();
    for chunk in [1_000, 7_777, 1 << 20] {
        let (built, breaches) = build_filter(&list, chunk);
        assert_eq!(
            built,
            BuildReport {
                lines: 20_001,
                entries: 20_000
            }
        );
        for n in (0..20_000).step_by(37) {
            assert!(breaches.contains(&format!("stolen {n}")).unwrap(), "{n}");
            assert!(!breaches.contains(&format!("never {n}")).unwrap(), "{n}");
        }
    }
}

#[test]
fn breach_filter_finds_first_last_and_only_entry() {
    for list in ["one", "one two", "one two three"] {
        let words: Vec<_> = list.split(' ').collect();
        let (_, breaches) = build_filter(
            &words
                .iter()
                .map(|word| sha1(word) + ":1\n")
                .collect::<String>(),
            10,
        );
        for word in words {
            assert!(breaches.contains(word).unwrap(), "{word}");
        }
        assert!(!breaches.contains("four").unwrap());
    }
    let ends = format!("{}:1\n{}:1\n", "0".repeat(40), "F".repeat(40));
    let (built, breaches) = build_filter(&ends, 10);
    assert_eq!(built.entries, 2);
    assert!(
        breaches.contains_prefix([0; PREFIX_BYTES]).unwrap()
            && breaches.contains_prefix([255; PREFIX_BYTES]).unwrap()
    );
}

#[test]
fn malformed_breach_list_is_rejected_with_line_number() {
    let good = sha1("x") + ":1\n";
    let path = temp_dir().join("breach.filter");
    for (list, line, word) in [
        (good.clone() + "hunter2:5\n", 2, "40 hexadecimal"),
        (
            "5F4DCC3B5AA765D61D8327DEB882CF99:12\n".to_owned(),
            1,
            "NTLM",
        ),
        (sha1("x") + ":\n", 1, "number"),
        (sha1("x") + ":many\n", 1, "number"),
        ("é".repeat(10_000), 1, "40 hexadecimal"),
    ] {
        let refused = build(list.as_bytes(), &path).unwrap_err().to_string();
        assert!(
            refused.starts_with(&format!("line {line}: ")) && refused.contains(word),
            "{refused}"
        );
        assert!(!refused.contains("hunter2"));
    }
    assert!(matches!(build(&b"\n\n"[..], &path), Err(BuildError::Empty)));
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        0
    );
}

#[test]
fn malformed_or_truncated_breach_filter_is_rejected() {
    let path = temp_dir().join("breach.filter");
    assert!(
        BreachFilter::open(&path)
            .unwrap_err()
            .contains("breach.filter")
    );
    for bytes in [
        &b""[..],
        b"srbreac1",
        b"something else entirely",
        b"srbreac1\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(
            BreachFilter::open(&path)
                .unwrap_err()
                .contains("strongroom breach build")
        );
    }
    build((sha1("x") + ":1\n").as_bytes(), &path).unwrap();
    let mut complete = std::fs::read(&path).unwrap();
    complete.pop();
    std::fs::write(&path, complete).unwrap();
    assert!(BreachFilter::open(&path).unwrap_err().contains("truncated"));
}

mod garbage {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Includes the magic and a plausible count, as in truncated or overwritten files.
        #[test]
        fn arbitrary_breach_filter_file_is_usable_or_rejected(
            head in prop_oneof![Just(MAGIC.to_vec()), prop::collection::vec(any::<u8>(), 0..12)],
            count in prop_oneof![0_u64..40, any::<u64>()],
            rest in prop::collection::vec(any::<u8>(), 0..240),
        ) {
            let path = temp_dir().join("breach.filter");
            std::fs::write(&path, [&head[..], &count.to_le_bytes(), &rest].concat()).unwrap();
            match BreachFilter::open(&path) {
                Ok(breaches) => prop_assert_eq!(breaches.entries() * PREFIX_BYTES as u64, rest.len() as u64),
                Err(error) => prop_assert!(error.contains("breach.filter"), "{}", error),
            }
        }

        /// Unsorted entries still give an answer.
        #[test]
        fn breach_filter_with_arbitrary_entries_is_usable(
            entries in prop::collection::vec(any::<[u8; PREFIX_BYTES]>(), 1..40),
        ) {
            let path = temp_dir().join("breach.filter");
            let count = entries.len() as u64;
            std::fs::write(&path, [&MAGIC[..], &count.to_le_bytes(), entries.as_flattened()].concat()).unwrap();
            let breaches = BreachFilter::open(&path).unwrap();
            prop_assert_eq!(breaches.entries(), count);
            breaches.contains("a password").unwrap();
            for prefix in [[0; PREFIX_BYTES], [255; PREFIX_BYTES]] {
                breaches.contains_prefix(prefix).unwrap();
            }
        }

        #[test]
        fn well_formed_breach_list_is_built(
            lines in prop::collection::vec("[0-9A-Fa-f]{40}(:[0-9]{1,9})?", 1..12),
            end in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let path = temp_dir().join("breach.filter");
            let built = build_in_chunks(lines.join(end).as_bytes(), &path, 3).unwrap();
            prop_assert_eq!(built.lines, lines.len() as u64);
            let breaches = BreachFilter::open(&path).unwrap();
            for line in &lines {
                let hash = hex::decode(&line[..40]).unwrap();
                let entry = hash.first_chunk::<PREFIX_BYTES>().unwrap();
                prop_assert!(breaches.contains_prefix(*entry).unwrap(), "{}", line);
            }
        }

        #[test]
        fn arbitrary_breach_list_is_built_or_rejected(
            lines in prop::collection::vec(prop_oneof!["[0-9A-Fa-f]{40}(:[0-9]{1,9})?", "[0-9A-F:]{0,60}", ".{0,50}"], 0..12),
            end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        ) {
            let path = temp_dir().join("breach.filter");
            if let Ok(built) = build_in_chunks(lines.join(end).as_bytes(), &path, 3) {
                let breaches = BreachFilter::open(&path).unwrap();
                prop_assert_eq!(breaches.entries(), built.entries);
                for line in lines.iter().filter(|_| end != "\r") {
                    let hash = line.split(':').next().and_then(|hash| hex::decode(hash.trim()).ok());
                    let Some(entry) = hash.as_deref().and_then(|hash| hash.first_chunk::<PREFIX_BYTES>()) else { continue };
                    prop_assert!(breaches.contains_prefix(*entry).unwrap(), "{line}");
                }
            }
        }
    }
}
