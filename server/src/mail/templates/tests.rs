//! Every mail as a snapshot to read, and the rules for names in mails.

use std::{fmt::Write as _, net::IpAddr};

use auth::EmailAddress;
use secrecy::SecretString;

use super::*;

const SITE: &str = "https://strongroom.example";

fn mail(name: &str, body: MailBody) -> OutgoingMail {
    OutgoingMail {
        to: EmailAddress::parse("ada@example.org").unwrap(),
        name: name.to_owned(),
        body,
    }
}

fn link(page: &str) -> SecretString {
    format!("{SITE}/{page}#sr_secret").into()
}

fn with_link(username: &str) -> [MailBody; 3] {
    let username = || Username::parse(username).unwrap();
    let until = "2026-12-01T12:30:00Z".parse().unwrap();
    [
        MailBody::Reset {
            link: link("reset"),
            username: username(),
            expires_at: until,
        },
        MailBody::ConfirmEmail {
            link: link("confirm-email"),
            username: username(),
            expires_at: until,
        },
        MailBody::TokenExpiring {
            label: "nightly backup".to_owned(),
            username: username(),
            expires_at: until,
        },
    ]
}

fn invitation() -> MailBody {
    MailBody::Invitation {
        link: link("join"),
        from: "Grace Hopper".to_owned(),
        expires_at: "2026-12-04T12:00:00Z".parse().unwrap(),
    }
}

fn notice(notice: SecurityNotice) -> MailBody {
    let names_something = matches!(
        notice,
        SecurityNotice::FactorAdded
            | SecurityNotice::FactorRemoved
            | SecurityNotice::PasskeyCloned
            | SecurityNotice::PersonalTokenCreated
            | SecurityNotice::ProviderLinked
            | SecurityNotice::ProviderUnlinked
    );
    MailBody::SecurityNotice {
        notice,
        about: names_something.then(|| "My phone".to_owned()),
        at: "2026-12-01T12:00:00Z".parse().unwrap(),
        origin: Origin {
            address: IpAddr::from([192, 0, 2, 7]),
            user_agent: Some("Firefox/140 (X11; Linux)".to_owned()),
            device: None,
        },
    }
}

#[test]
fn mails_read_as_their_snapshot() {
    let links = with_link("ada").into_iter().chain([invitation()]);
    let bodies = links.chain(ALL_NOTICES.iter().copied().map(notice));
    let all = bodies.fold(String::new(), |mut all, body| {
        let Rendered { subject, text } = render(&mail("Ada Byron", body), SITE).unwrap();
        write!(all, "Subject: {subject}\n\n{text}\n{}\n", "=".repeat(72)).unwrap();
        all
    });
    insta::assert_snapshot!("mails", all);
}

#[test]
fn mail_lines_wrap_at_72_characters_except_links() {
    for kind in ALL_NOTICES {
        let text = render(&mail("Ada", notice(*kind)), SITE).unwrap().text;
        for line in text.lines() {
            assert!(line.len() <= 72 || !line.contains(' '), "{line}");
        }
    }
}

#[test]
fn username_like_a_link_is_not_in_mails() {
    let username = "www.win-your-prize.evil.example";
    for body in with_link(username) {
        let Rendered { subject, text } = render(&mail(username, body), SITE).unwrap();
        assert!(
            !subject.contains("evil") && !text.contains("evil"),
            "{text}"
        );
        let names_no_account = text.contains("your account at") || text.contains("an account at");
        assert!(names_no_account, "{text}");
    }
}

#[test]
fn safe_name_rejects_links_and_keeps_names() {
    for link in [
        "https://evil.example",
        "evil.example",
        "call evil.example now",
        "a@evil.example",
        "x\ny",
        "",
    ] {
        assert_eq!(safe_name(link), None, "{link}");
    }
    for name in [
        "Ada Lovelace",
        "Dr. Žofie Nováková",
        "J. R. Hartley",
        "O'Brien",
    ] {
        assert_eq!(safe_name(name), Some(name));
    }
}
