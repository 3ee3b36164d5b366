use super::*;

fn user_inputs(username: &str) -> UserInputs {
    UserInputs {
        username: Some(Username::parse(username).unwrap()),
        ..UserInputs::default()
    }
}

fn rejection(username: &str, raw: &str) -> Option<PasswordRejected> {
    evaluate(
        &Password::new(raw.to_owned()),
        &user_inputs(username),
        FactorContext::PasswordOnly,
        &[],
    )
    .rejection
}

fn rejection_with_second_factor(raw: &str) -> Option<PasswordRejected> {
    evaluate(
        &Password::new(raw.to_owned()),
        &user_inputs("ada"),
        FactorContext::WithSecondFactor,
        &[],
    )
    .rejection
}

const TOO_SHORT: Option<PasswordRejected> = Some(PasswordRejected::TooShort { min_length: 15 });

#[test]
fn password_needs_fifteen_characters_of_any_script() {
    assert_eq!(rejection("ada", "žluťoučký kůň "), TOO_SHORT);
    assert_eq!(rejection("ada", "žluťoučký kůň §"), None);
    assert_eq!(rejection("ada", "🦀🐧🦊🐙🦉🐝🦋🐢🦈🐳🐿🦔🐌🦜🐞"), None);
    assert_eq!(rejection("ada", "パスワードは長いほど良い文です"), None);
}

#[test]
fn password_with_second_factor_needs_eight_characters() {
    assert_eq!(
        rejection_with_second_factor("xK7vq2W"),
        Some(PasswordRejected::TooShort { min_length: 8 })
    );
    assert_eq!(rejection_with_second_factor("xK7vq2Wz"), None);
}

#[test]
fn password_length_counts_composed_characters() {
    let apart = "e\u{301}u\u{308}a\u{300}o\u{302}n\u{303}c\u{327}i\u{301}y\u{301}";
    assert_eq!(apart.chars().count(), 16);
    assert_eq!(rejection("ada", apart), TOO_SHORT);
    // A character that NFKC expands to 18 counts as one.
    assert_eq!(rejection("ada", "\u{fdfa}"), TOO_SHORT);
}

#[test]
fn password_over_1024_bytes_is_rejected() {
    let long = "seven copper kettles sing while nine owls count marbles, ".repeat(18);
    assert_eq!(rejection("ada", &long[..128]), None);
    assert_eq!(rejection("ada", &long[..1024]), None);
    assert_eq!(
        rejection("ada", &long[..1025]),
        Some(PasswordRejected::TooLong)
    );
}

#[test]
fn password_needs_no_specific_character_class() {
    for raw in [
        "xvqzkwjpfmbgthd",
        "XVQZKWJPFMBGTHD",
        "839104756203948",
        "&~^%=;]|)_{@\"(<",
        "correct horse battery",
    ] {
        assert_eq!(rejection("ada", raw), None, "{raw}");
    }
}

#[test]
fn password_of_username_and_product_name_is_rejected() {
    for raw in [
        "strongroomSTRONGROOM",
        "strongroom-12345",
        "lovelace lovelace",
        "LovelaceStrongroom1",
        "Lovelace1234567",
    ] {
        assert_eq!(
            rejection("lovelace", raw),
            Some(PasswordRejected::Contextual),
            "{raw}"
        );
    }
    assert_eq!(
        rejection("x", "xxxxxxxxxxxxxxx"),
        Some(PasswordRejected::Contextual)
    );
    assert_eq!(rejection("lovelace", "a strongroom full of gears"), None);
    assert_eq!(rejection("a", "correct horse battery"), None);
}

#[test]
fn password_of_display_name_or_email_is_rejected() {
    let about = UserInputs {
        username: Some(Username::parse("al").unwrap()),
        display_name: Some(DisplayName::parse("Augusta Lovelace").unwrap()),
        email: Some(EmailAddress::parse("countess@analytical.example").unwrap()),
    };
    let check = |raw: &str| {
        evaluate(
            &Password::new(raw.to_owned()),
            &about,
            FactorContext::PasswordOnly,
            &[],
        )
        .rejection
    };
    for raw in [
        "augusta lovelace",
        "Lovelace.Augusta.1815",
        "countess@analytical.example",
        "analytical.example!",
        "CountessAnalytical1",
    ] {
        assert_eq!(check(raw), Some(PasswordRejected::Contextual), "{raw}");
    }
    assert_eq!(check("the countess rides a purple tram"), None);
}

#[test]
fn password_of_configured_context_words_is_rejected() {
    let known = ["Acme", "Haas VF-2"].map(|word| ContextWord::parse(word).unwrap());
    let check = |raw: &str| {
        evaluate(
            &Password::new(raw.to_owned()),
            &user_inputs("ada"),
            FactorContext::PasswordOnly,
            &known,
        )
        .rejection
    };
    for raw in [
        "acme acme acme acme",
        "AcmeHaasVF2-2026",
        "haas vf-2 haas vf-2",
        "ＡＣＭＥ Strongroom 1",
        "Acme.Ada.1234567",
    ] {
        assert_eq!(check(raw), Some(PasswordRejected::Contextual), "{raw}");
    }
    assert_eq!(check("the acme tram is purple"), None);
    assert_eq!(
        evaluate(
            &Password::new("haas vf-2 haas vf-2 x".to_owned()),
            &user_inputs("ada"),
            FactorContext::PasswordOnly,
            &[]
        )
        .rejection,
        None
    );
}

#[test]
fn common_and_patterned_passwords_are_rejected() {
    for raw in [
        "passwordpassword",
        "Password1234567",
        "P@ssw0rdP@ssw0rd",
        "qwertyuiopasdfghjkl",
        "111111111111111",
        "123456789012345",
        "abcdefghijklmnop",
        "iloveyouiloveyou",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "letmeinletmein1",
    ] {
        let refused = rejection("ada", raw);
        assert!(
            matches!(
                refused,
                Some(PasswordRejected::Common | PasswordRejected::Guessable)
            ),
            "{raw}: {refused:?}"
        );
    }
    for raw in [
        "password",
        "12345678",
        "qwertyuiop",
        "iloveyou1",
        "football",
        "baseball1",
        "trustno1",
        "1q2w3e4r",
        "Sunshine1",
    ] {
        let refused = rejection_with_second_factor(raw);
        assert!(
            matches!(
                refused,
                Some(PasswordRejected::Common | PasswordRejected::Guessable)
            ),
            "{raw}: {refused:?}"
        );
    }
    assert_eq!(rejection("ada", "every password has a long story"), None);
}

#[test]
fn password_rejections_state_a_remedy() {
    assert!(
        PasswordRejected::TooShort { min_length: 15 }
            .to_string()
            .contains("15")
    );
    for refused in [
        PasswordRejected::TooShort { min_length: 15 },
        PasswordRejected::Common,
        PasswordRejected::Guessable,
    ] {
        assert!(refused.to_string().contains("unrelated words"), "{refused}");
    }
}

/// The first guesses of a wordlist with the usual rules: repetition, years, numbers, leetspeak,
/// keyboard walks. Only guesses of at least 15 characters.
fn likely_guesses() -> Vec<String> {
    let words: Vec<&str> = include_str!("../../../lists/common-8.txt")
        .lines()
        .take(200)
        .collect();
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let signs = |word: &str| {
        word.replace('a', "@")
            .replace('o', "0")
            .replace('e', "3")
            .replace('i', "1")
            .replace('s', "$")
    };
    let ends = [
        "123", "12345", "123456", "1234567", "123!", "2024", "2026", "2025!", "!!!", "@123", "1111",
    ];
    let walks = [
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "1234567890",
        "1qaz2wsx3edc",
        "qazwsxedc",
        "0987654321",
        "qweasdzxc",
    ];
    let twice = words.iter().flat_map(|word| {
        [
            word.repeat(2),
            capital(word).repeat(2),
            word.repeat(2) + "1",
        ]
    });
    let longer = words.iter().flat_map(|word| {
        ends.iter().flat_map(move |end| {
            [word, &*capital(word), &signs(word)].map(|word| format!("{word}{end}"))
        })
    });
    let before = words
        .iter()
        .flat_map(|word| ends.iter().map(move |end| format!("{end}{word}")));
    let pairs = words[..60]
        .iter()
        .flat_map(|a| words[..20].iter().map(move |b| format!("{a}{b}")));
    let walked = walks
        .iter()
        .flat_map(|a| walks.iter().map(move |b| format!("{a}{b}")));
    let backwards = words
        .iter()
        .map(|word| word.chars().rev().collect::<String>().repeat(2));
    let all = twice
        .chain(longer)
        .chain(before)
        .chain(pairs)
        .chain(walked)
        .chain(backwards);
    all.filter(|guess| guess.len() >= 15).collect()
}

#[test]
fn first_3000_cracker_guesses_are_rejected() {
    let guesses = likely_guesses();
    assert!(guesses.len() >= 3_000, "{}", guesses.len());
    let taken: Vec<_> = guesses
        .iter()
        .filter(|guess| !is_common(guess) && rejection("ada", guess).is_none())
        .collect();
    assert_eq!(taken, [""; 0]);
}

#[test]
fn common_passwords_are_rejected_as_common() {
    for raw in [
        "ManchesterUnited",
        "highschoolmusical",
        "Cristiano Ronaldo",
        "1qaz2wsx3edc4rfv",
    ] {
        assert_eq!(
            rejection("ada", raw),
            Some(PasswordRejected::Common),
            "{raw}"
        );
    }
    for raw in ["sunshine1", "P@$$w0rd", "qwertyui"] {
        assert_eq!(
            rejection_with_second_factor(raw),
            Some(PasswordRejected::Common),
            "{raw}"
        );
    }
    assert!(
        evaluate(
            &Password::new("manchesterunited".to_owned()),
            &user_inputs("ada"),
            FactorContext::PasswordOnly,
            &[]
        )
        .strength
            <= 1
    );
}
