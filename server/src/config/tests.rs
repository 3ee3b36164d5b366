use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[test]
fn an_open_address_without_a_word_on_registration_stops_the_start() {
    let open = Partial {
        listen: Some(SocketAddr::from(([0, 0, 0, 0], 80))),
        ..Partial::default()
    };
    assert!(
        open.decide()
            .unwrap()
            .unsaid
            .unwrap()
            .contains("registration.mode")
    );
}

#[test]
fn nor_does_it_start_open_behind_a_proxy_or_a_name_of_its_own() {
    let decide = |toml: &str| {
        toml::from_str::<Partial>(toml)
            .unwrap()
            .decide()
            .unwrap()
            .unsaid
    };
    for toml in [
        "",
        "public_url = \"http://localhost:8000\"",
        "public_url = \"http://[::1]:8000\"",
    ] {
        assert_eq!(decide(toml), None, "{toml}");
    }
    let elsewhere = [
        "public_url = \"https://files.example.org\"",
        "trusted_proxies = [\"127.0.0.1\"]",
    ];
    for toml in elsewhere {
        assert!(
            decide(toml).unwrap().contains("registration.mode"),
            "{toml}"
        );
        assert_eq!(
            decide(&format!("{toml}\n[registration]\nmode = \"open\"")),
            None,
            "{toml}"
        );
    }
}

#[test]
fn an_unknown_key_is_an_error() {
    assert!(toml::from_str::<Partial>("lisen = \"127.0.0.1:1\"").is_err());
    assert!(toml::from_str::<Partial>("[registration]\nmdoe = \"open\"").is_err());
}

#[test]
fn flags_win_over_the_file() {
    let flags = Partial {
        max_file_size: Some(ByteSize(1)),
        ..Partial::default()
    };
    let file: Partial =
        toml::from_str("max_file_size = \"2GiB\"\npublic_url = \"https://a.example/\"").unwrap();
    let config = flags.or(file).decide().unwrap();
    assert_eq!(
        (config.max_file_size, config.public_url.as_str()),
        (1, "https://a.example")
    );
}

#[test]
fn a_port_that_the_system_chose_is_in_the_address_that_people_are_told() {
    let decided = |url: Option<&str>| {
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let partial = Partial {
            listen,
            public_url: url.map(str::to_owned),
            ..Partial::default()
        };
        partial
            .decide()
            .unwrap()
            .listening_on(SocketAddr::from(([127, 0, 0, 1], 81)))
            .public_url
    };
    assert_eq!(decided(None), "http://127.0.0.1:81");
    assert_eq!(decided(Some("https://a.example")), "https://a.example");
}

#[test]
fn a_bad_key_is_named_with_its_line_but_no_secret() {
    let file = std::env::temp_dir().join(format!("strongroom-{}.toml", std::process::id()));
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:1\"\nsecret_kye = \"hunter2\"\n",
    )
    .unwrap();
    let error = Partial::from_toml(&file).unwrap_err().0;
    std::fs::remove_file(file).unwrap();
    assert!(
        error.contains("line 2") && error.contains("secret_kye") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn hashing_cannot_be_set_below_the_floor() {
    let weak: Partial = toml::from_str("[hashing]\nmemory_kib = 1024").unwrap();
    assert!(weak.decide().is_err());
}

/// Values that are none of the right ones, and some that are.
fn any_value() -> impl Strategy<Value = String> {
    let text = |text: String| toml::Value::String(text).to_string();
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (0_i64..100).prop_map(|n| n.to_string()),
        prop_oneof![Just(u32::MAX), Just(4 << 20), Just(19 * 1024)].prop_map(|n| n.to_string()),
        any::<bool>().prop_map(|b| b.to_string()),
        ".{0,20}".prop_map(text),
        prop_oneof![
            "https?://[!-~]{0,20}",
            "[0-9]{1,20}[KMGTi]{0,3}B?",
            "(::1|127.0.0.1):[0-9]{1,6}"
        ]
        .prop_map(text),
        prop_oneof!["on", "off", "open", "all", "url", "tokens"].prop_map(text),
        Just("[]".to_owned()),
        Just("[{}]".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_settings_are_decided_within_their_bounds_or_refused_without_a_secret(
        tops in proptest::collection::btree_map(proptest::sample::select(&TOPS[..]), any_value(), 0..4),
        sections in proptest::collection::btree_map(proptest::sample::select(&SECTIONS[..]), any_value(), 0..4),
    ) {
        let mut toml = String::from("secret_key = \"hunter2 hunter2\"\n");
        toml.extend(tops.iter().map(|(key, value)| format!("{key} = {value}\n")));
        toml.extend(sections.iter().map(|(key, value)| format!("{key} = {value}\n")));
        let Ok(partial) = toml::from_str::<Partial>(&toml) else { return Ok(()) };
        let printed = format!("{partial:?}");
        prop_assert!(!printed.contains("hunter2"));
        let config = match partial.decide() {
            Ok(config) => config,
            Err(refused) => {
                prop_assert!(!refused.0.contains("hunter2") && !refused.0.contains('\n'), "{}", refused.0);
                return Ok(());
            }
        };
        let days = |n| Duration::from_hours(24) * n;
        prop_assert!((days(1)..=days(365)).contains(&config.sessions.idle));
        prop_assert!((config.sessions.idle..=days(365)).contains(&config.sessions.absolute));
        prop_assert!((1..=60).contains(&(config.sessions.access.as_secs() / 60)));
        prop_assert!((days(1)..=days(365)).contains(&config.keys.rotate_after));
        prop_assert!((1..=60).contains(&(config.step_up.within.as_secs() / 60)));
        prop_assert!((19 * 1024..=4 << 20).contains(&config.hashing.memory_kib) && config.hashing.passes >= 2);
        prop_assert!(config.public_url.parse::<http::Uri>().is_ok_and(|url| url.path() == "/" && url.query().is_none()));
    }
}

const TOPS: [&str; 10] = [
    "listen",
    "data",
    "public_url",
    "database_url",
    "database_tls",
    "trusted_proxies",
    "max_file_size",
    "password_grant",
    "providers",
    "clients",
];
const SECTIONS: [&str; 16] = [
    "registration.mode",
    "registration.role",
    "hashing.memory_kib",
    "hashing.passes",
    "log.format",
    "log.filter",
    "sessions.idle_days",
    "sessions.absolute_days",
    "sessions.access_minutes",
    "sessions.requests_per_minute",
    "keys.rotate_days",
    "keys.algorithm",
    "factors.required",
    "step_up.minutes",
    "step_up.files",
    "mail.host",
];

#[test]
fn rules_that_contradict_each_other_are_refused() {
    for (toml, word) in [
        (
            "[sessions]\nidle_days = 20\nabsolute_days = 10",
            "sessions.idle_days",
        ),
        ("[sessions]\naccess_minutes = 61", "sessions.access_minutes"),
        (
            "[sessions]\nrequests_per_minute = 59",
            "sessions.requests_per_minute",
        ),
        ("secret_key = \"a\"\nsecret_key_file = \"b\"", "given twice"),
        ("[mail]\nfolder = \"a\"\nhost = \"b\"", "exclude each other"),
    ] {
        let refused = toml::from_str::<Partial>(toml)
            .unwrap()
            .decide()
            .unwrap_err()
            .0;
        assert!(refused.contains(word), "{refused}");
    }
}

#[test]
fn neither_key_nor_database_url_prints() {
    let partial: Partial =
        toml::from_str("secret_key = \"hunter2\"\ndatabase_url = \"hunter2\"").unwrap();
    assert!(!format!("{partial:?}").contains("hunter2"));
}
