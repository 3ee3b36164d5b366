//! What letters say: plain text, short, and nothing that only we could have meant well.

use auth::{Letter, LetterBody, Notice, Origin, Username};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::web::device;

/// Subject and text. Nothing that somebody typed is in a subject.
pub(super) fn of(letter: &Letter, site: &str) -> (String, String) {
    let (subject, body) = match &letter.body {
        LetterBody::Reset {
            link,
            username,
            until,
        } => (
            "A new password for Strongroom",
            format!(
                "somebody asked to set a new password for {} at {site}.\n\n\
                 To choose one, open this link. It works once, until {}:\n\n{}\n\n\
                 If it was not you, do nothing: your password stays as it is, and nobody else has this link.",
                called(username).unwrap_or_else(|| "your account".to_owned()),
                time(*until),
                link.expose_secret(),
            ),
        ),
        LetterBody::Invite { link, from, until } => (
            "An invitation to Strongroom",
            format!(
                "{} invites you to work together at {site}, where files are checked out by one person at a \
                 time.\n\nTo make your account, open this link. It works once, until {}:\n\n{}\n\n\
                 If you do not know what this is about, do nothing.",
                harmless(from).unwrap_or("Somebody"),
                time(*until),
                link.expose_secret(),
            ),
        ),
        LetterBody::ConfirmEmail {
            link,
            username,
            until,
        } => (
            "Confirm your e-mail address for Strongroom",
            format!(
                "{} at {site} is to have this e-mail address.\n\n\
                 To confirm that, open this link. It works once, until {}:\n\n{}\n\n\
                 If it was not you, do nothing: the account can do nothing with your address.",
                called(username).unwrap_or_else(|| "an account".to_owned()),
                time(*until),
                link.expose_secret(),
            ),
        ),
        LetterBody::TokenEnds {
            label,
            username,
            until,
        } => (
            "An access token of yours ends soon",
            format!(
                "the access token {}of {} at {site} ends at {}. Whatever uses it stops \
                 working then.\n\nTo go on, make a new one at {site}/account/tokens and put it in the place of \
                 the old one. If nothing uses it any more, do nothing.",
                harmless(label).map_or_else(String::new, |label| format!("\"{label}\" ")),
                called(username).unwrap_or_else(|| "your account".to_owned()),
                time(*until),
            ),
        ),
        LetterBody::Notice { notice, at, origin } => {
            (subject(*notice), told(*notice, *at, origin, site))
        }
    };
    let hello =
        harmless(&letter.name).map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));
    (
        subject.to_owned(),
        format!("{hello}\n\n{}\n\n-- \nStrongroom, {site}\n", wrapped(&body)),
    )
}

/// Lines of at most 72 characters, where words allow it (RFC 5322 §2.1.1). A link stands in one piece.
fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split('\n') {
        let mut width = 0;
        for word in line.split(' ') {
            let long = word.chars().count();
            let fits = width + 1 + long <= 72;
            match width {
                0 => {}
                _ if fits => out.push(' '),
                _ => out.push('\n'),
            }
            width = if width > 0 && fits {
                width + 1 + long
            } else {
                long
            };
            out.push_str(word);
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M UTC on %-d %B %Y").to_string()
}

/// A name, unless a mail program would make a link of it: who registers with a stranger's address must not get to
/// write to them.
fn harmless(name: &str) -> Option<&str> {
    let letters: Vec<char> = name.chars().collect();
    let like_a_domain = letters
        .windows(3)
        .any(|three| three[1] == '.' && three[0] != ' ' && three[2] != ' ');
    let fits = !like_a_domain
        && !name.contains(['/', ':', '@', '\\', '<'])
        && !name.contains(char::is_control);
    (fits && !name.is_empty() && letters.len() <= 100).then_some(name)
}

/// The account by its name, unless that would become a link.
fn called(username: &Username) -> Option<String> {
    harmless(username.as_str()).map(|name| format!("the account \"{name}\""))
}

fn subject(notice: Notice) -> &'static str {
    match notice {
        Notice::PasswordChanged | Notice::PasswordReset => "Your password was changed",
        Notice::TokenReplayed => "A session of yours was ended",
        Notice::NewDevice => "A new sign-in to your account",
        Notice::InAfterRefusals => "A sign-in after many wrong tries",
        Notice::InAfterLong => "A sign-in to your account after a long time",
        Notice::HalfWay => "Somebody knows your password",
        Notice::FactorAdded => "A second factor was added",
        Notice::FactorRemoved => "A second factor was removed",
        Notice::PasskeyCopied => "A passkey of yours may have been copied",
        Notice::RecoveryCodeUsed => "A recovery code was used",
        Notice::RecoveryCodesMade => "New recovery codes were made",
        Notice::FactorsRecovered => "Your second factors were taken away",
        Notice::PersonalTokenMade => "A personal access token was made",
        Notice::ProviderLinked => "A way to sign in was added",
        Notice::ProviderUnlinked => "A way to sign in was removed",
        Notice::EmailChanged => "Your e-mail address was changed",
        Notice::EmailAsked => "Your account is to have another e-mail address",
        Notice::ResetLinkMade => "A link for a new password was made",
        Notice::ResetRequired => "Your account needs a new password",
    }
}

fn what(notice: Notice) -> &'static str {
    match notice {
        Notice::PasswordChanged => "the password of your account was changed.",
        Notice::PasswordReset => {
            "a new password was set for your account with a link, and everything was signed out. Passkeys, authenticator apps \
             and sign-ins through other services are as they were: look whether all of them are yours."
        }
        Notice::TokenReplayed => {
            "a token of your account was used twice, as if somebody had copied it. Its session was ended."
        }
        Notice::NewDevice => {
            "somebody signed in to your account on a device that was not seen before."
        }
        Notice::InAfterRefusals => {
            "somebody signed in to your account after several wrong tries, as if they had guessed until it worked."
        }
        Notice::InAfterLong => {
            "somebody signed in to your account, for the first time in three months or more."
        }
        Notice::HalfWay => {
            "somebody typed the right password of your account at a place that was not seen before, and was asked for \
             the second factor. Without it they do not get in. If it was not you, they know your password."
        }
        Notice::FactorAdded => "a second factor was added to your account.",
        Notice::FactorRemoved => "a second factor was removed from your account.",
        Notice::PasskeyCopied => {
            "a passkey of yours was used and refused, because its counter went back, as if somebody had copied it. If \
             you have not restored the device that holds it, remove this passkey."
        }
        Notice::RecoveryCodeUsed => {
            "somebody signed in to your account with a recovery code. It is used up now."
        }
        Notice::RecoveryCodesMade => {
            "new recovery codes were made for your account. The ones before are void."
        }
        Notice::FactorsRecovered => {
            "an administrator took all second factors of your account away, and with them the sign-ins through other \
             services, so that you can set up new ones."
        }
        Notice::PersonalTokenMade => "a personal access token was made for your account.",
        Notice::ProviderLinked => "signing in through another service was added to your account.",
        Notice::ProviderUnlinked => {
            "signing in through another service was removed from your account."
        }
        Notice::EmailChanged => "the e-mail address of your account was changed.",
        Notice::ResetLinkMade => {
            "an administrator made a link that sets a new password for your account."
        }
        Notice::ResetRequired => {
            "an administrator wants a new password for your account. Everything was signed out, and the old password is \
             not taken any more."
        }
        Notice::EmailAsked => {
            "somebody who is signed in to your account asked for another e-mail address, which counts once a link that \
             went there is followed. A new password makes that link void."
        }
    }
}

fn told(notice: Notice, at: Timestamp, origin: &Origin, site: &str) -> String {
    let device = origin.user_agent.as_deref().and_then(device::known);
    let device = device.map_or_else(String::new, |device| format!("\nWith: {device}"));
    format!(
        "{}\n\nWhen: {}\nFrom: {}{device}\n\nIf it was you, all is well. If it was not, set a new password at \
         {site}/forgot and tell an administrator.",
        what(notice),
        time(at),
        origin.address,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_omits_username_that_looks_like_link() {
        let username = Username::parse("www.win-your-prize.evil.example").unwrap();
        let link = || secrecy::SecretString::from("https://strongroom.example/reset#x");
        let until = Timestamp::UNIX_EPOCH;
        for body in [
            LetterBody::Reset {
                link: link(),
                username: username.clone(),
                until,
            },
            LetterBody::ConfirmEmail {
                link: link(),
                username: username.clone(),
                until,
            },
            LetterBody::TokenEnds {
                label: username.to_string(),
                username: username.clone(),
                until,
            },
        ] {
            let to = auth::EmailAddress::parse("stranger@example.org").unwrap();
            let (subject, text) = of(
                &Letter {
                    to,
                    name: username.to_string(),
                    body,
                },
                "https://strongroom.example",
            );
            assert!(
                !subject.contains("evil") && !text.contains("evil"),
                "{text}"
            );
            assert!(
                text.contains("your account at") || text.contains("an account at"),
                "{text}"
            );
        }
    }

    #[test]
    fn display_name_that_looks_like_link_is_omitted() {
        for link in [
            "https://evil.example",
            "evil.example",
            "call evil.example now",
            "a@evil.example",
            "x\ny",
            "",
        ] {
            assert_eq!(harmless(link), None, "{link}");
        }
        for name in [
            "Ada Lovelace",
            "Dr. Žofie Nováková",
            "J. R. Hartley",
            "O'Brien",
        ] {
            assert_eq!(harmless(name), Some(name));
        }
    }
}
