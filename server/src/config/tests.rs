use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[test]
fn public_listen_address_requires_registration_mode() {
    let open = ConfigSource {
        listen: Some(SocketAddr::from(([0, 0, 0, 0], 80))),
        ..ConfigSource::default()
    };
    assert!(
        open.resolve()
            .unwrap()
            .missing_registration_mode
            .unwrap()
            .contains("registration.mode")
    );
}

#[test]
fn public_url_or_proxy_requires_registration_mode() {
    let decide = |toml: &str| {
        toml::from_str::<ConfigSource>(toml)
            .unwrap()
            .resolve()
            .unwrap()
            .missing_registration_mode
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
fn unknown_config_key_is_rejected() {
    for (toml, key) in [
        ("lisen = \"127.0.0.1:1\"", "lisen"),
        ("[registration]\nmoed = \"open\"", "moed"),
    ] {
        let error = toml::from_str::<ConfigSource>(toml).unwrap_err();
        let expected = format!("unknown field `{key}`");
        assert!(error.message().starts_with(&expected), "{error}");
    }
}

#[test]
fn flags_win_over_the_file() {
    let flags = ConfigSource {
        max_file_size: Some(ByteSize(1)),
        ..ConfigSource::default()
    };
    let file: ConfigSource =
        toml::from_str("max_file_size = \"2GiB\"\npublic_url = \"https://a.example/\"").unwrap();
    let config = flags.or_else(file).resolve().unwrap();
    assert_eq!(
        (config.max_file_size, config.public_url.as_str()),
        (1, "https://a.example")
    );
}

#[test]
fn default_public_url_contains_the_assigned_port() {
    let decided = |url: Option<&str>| {
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let partial = ConfigSource {
            listen,
            public_url: url.map(str::to_owned),
            ..ConfigSource::default()
        };
        partial
            .resolve()
            .unwrap()
            .with_listen_address(SocketAddr::from(([127, 0, 0, 1], 81)))
            .public_url
    };
    assert_eq!(decided(None), "http://127.0.0.1:81");
    assert_eq!(decided(Some("https://a.example")), "https://a.example");
}

#[test]
fn config_error_names_key_and_line_without_values() {
    let file = std::env::temp_dir().join(format!("strongroom-{}.toml", std::process::id()));
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:1\"\nsecret_kye = \"hunter2\"\n",
    )
    .unwrap();
    let error = ConfigSource::from_toml(&file).unwrap_err().0;
    std::fs::remove_file(file).unwrap();
    assert!(
        error.contains("line 2") && error.contains("secret_kye") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn hashing_cost_below_minimum_is_rejected() {
    let weak: ConfigSource = toml::from_str("[hashing]\nmemory_kib = 1024").unwrap();
    let error = weak.resolve().unwrap_err().0;
    assert!(error.contains("hashing"), "{error}");
}

/// Invalid values, and some valid ones.
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
    fn arbitrary_settings_stay_in_bounds_or_are_rejected(
        tops in proptest::collection::btree_map(proptest::sample::select(&TOP_LEVEL_KEYS[..]), any_value(), 0..4),
        sections in proptest::collection::btree_map(proptest::sample::select(&SECTION_KEYS[..]), any_value(), 0..4),
    ) {
        let mut toml = String::from("secret_key = \"hunter2 hunter2\"\n");
        toml.extend(tops.iter().map(|(key, value)| format!("{key} = {value}\n")));
        toml.extend(sections.iter().map(|(key, value)| format!("{key} = {value}\n")));
        let Ok(partial) = toml::from_str::<ConfigSource>(&toml) else { return Ok(()) };
        let printed = format!("{partial:?}");
        prop_assert!(!printed.contains("hunter2"));
        let config = match partial.resolve() {
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
        prop_assert!((1..=60).contains(&(config.step_up.max_age.as_secs() / 60)));
        prop_assert!((19 * 1024..=4 << 20).contains(&config.hashing.memory_kib) && config.hashing.passes >= 2);
        prop_assert!(config.public_url.parse::<http::Uri>().is_ok_and(|url| url.path() == "/" && url.query().is_none()));
    }
}

const TOP_LEVEL_KEYS: [&str; 11] = [
    "listen",
    "data",
    "public_url",
    "database_url",
    "database_tls",
    "trusted_proxies",
    "max_file_size",
    "password_grant",
    "security_contact",
    "providers",
    "clients",
];
const SECTION_KEYS: [&str; 16] = [
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
fn contradictory_settings_are_rejected() {
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
        ("metrics_token = \"short\"", "metrics_token"),
        (
            "metrics_token = \"with blanks 0123456789abcdef0123456789\"",
            "openssl rand -hex 32",
        ),
        ("[mail]\nfolder = \"a\"\nhost = \"b\"", "exclude each other"),
    ] {
        let refused = toml::from_str::<ConfigSource>(toml)
            .unwrap()
            .resolve()
            .unwrap_err()
            .0;
        assert!(refused.contains(word), "{refused}");
    }
}

#[test]
fn secret_settings_are_not_printed() {
    let secrets =
        "secret_key = \"hunter2\"\ndatabase_url = \"hunter2\"\nmetrics_token = \"hunter2\"";
    let partial: ConfigSource = toml::from_str(secrets).unwrap();
    assert!(!format!("{partial:?}").contains("hunter2"));
    let refused = partial.resolve().unwrap_err();
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused}");
}

#[test]
fn secret_of_one_source_hides_the_next_file() {
    let parse = |toml: &str| toml::from_str::<ConfigSource>(toml).unwrap();
    for name in ["secret_key", "database_url", "metrics_token"] {
        let value = "0123456789abcdef0123456789abcdef";
        let first = parse(&format!("{name} = \"{value}\""));
        let next = parse(&format!("{name}_file = \"/nowhere\""));
        assert!(first.or_else(next).resolve().is_ok(), "{name}");
    }
}
