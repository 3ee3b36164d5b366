//! Renders mails from the text templates in `templates/mail/`, one file for each kind of mail.
//! Deliberately absent: sentences, which all stand in the templates.

use askama::Template;
use auth::{HostNotice, MailBody, Origin, OutgoingMail, SecurityNotice, Username};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::web::device;

/// A mail before it is encoded. The subject contains no user input.
pub(super) struct Rendered {
    pub subject: String,
    pub text: String,
}

#[derive(Template)]
#[template(path = "mail/password-reset.txt")]
struct PasswordReset<'a> {
    name: Option<&'a str>,
    site: &'a str,
    account: String,
    until: String,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "mail/invitation.txt")]
struct Invitation<'a> {
    name: Option<&'a str>,
    site: &'a str,
    inviter: &'a str,
    until: String,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "mail/email-confirmation.txt")]
struct EmailConfirmation<'a> {
    name: Option<&'a str>,
    site: &'a str,
    account: String,
    until: String,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "mail/token-expiry.txt")]
struct TokenExpiry<'a> {
    name: Option<&'a str>,
    site: &'a str,
    account: String,
    label: Option<&'a str>,
    until: String,
}

#[derive(Template)]
#[template(path = "mail/lock-overridden.txt")]
struct LockOverridden<'a> {
    name: Option<&'a str>,
    site: &'a str,
    vault: &'a str,
    by: Option<&'a str>,
    file: Option<String>,
    reason: Option<String>,
    when: String,
}

fn lock_overridden<'a>(
    notice: &'a HostNotice,
    name: Option<&'a str>,
    site: &'a str,
) -> LockOverridden<'a> {
    LockOverridden {
        name,
        site,
        vault: notice.realm.as_str(),
        by: safe_name(notice.by.as_str()),
        file: notice.subject.as_deref().map(one_line),
        reason: notice.reason.as_deref().map(one_line),
        when: format_time(notice.at),
    }
}

/// User text without line breaks, which would end the indentation or begin a paragraph.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The facts in every security notice.
struct NoticeFacts<'a> {
    name: Option<&'a str>,
    site: &'a str,
    /// The factor, token or provider that the notice is about.
    about: Option<&'a str>,
    when: String,
    device: Option<String>,
    address: String,
}

impl<'a> NoticeFacts<'a> {
    fn about(self, name: Option<&'a str>) -> Self {
        Self {
            about: name.and_then(safe_name),
            ..self
        }
    }
}

/// Renders the template of a security notice. The compiler finds a notice without a template.
macro_rules! notice_templates {
    ($($notice:ident => $path:literal,)*) => {
        #[cfg(test)]
        const ALL_NOTICES: &[SecurityNotice] = &[$(SecurityNotice::$notice),*];

        fn render_notice(notice: SecurityNotice, facts: NoticeFacts<'_>) -> askama::Result<String> {
            match notice {
                $(SecurityNotice::$notice => {
                    #[derive(Template)]
                    #[template(path = $path)]
                    struct Text<'a> {
                        name: Option<&'a str>,
                        site: &'a str,
                        about: Option<&'a str>,
                        when: String,
                        device: Option<String>,
                        address: String,
                    }
                    let NoticeFacts { name, site, about, when, device, address } = facts;
                    Text { name, site, about, when, device, address }.render()
                })*
            }
        }
    };
}

notice_templates! {
    PasswordChanged => "mail/notice/password-changed.txt",
    PasswordReset => "mail/notice/password-reset.txt",
    TokenReplayed => "mail/notice/token-replayed.txt",
    NewDevice => "mail/notice/new-device.txt",
    SignInAfterFailures => "mail/notice/sign-in-after-failures.txt",
    SignInAfterLongAbsence => "mail/notice/sign-in-after-absence.txt",
    MfaPending => "mail/notice/second-factor-pending.txt",
    FactorAdded => "mail/notice/factor-added.txt",
    FactorRemoved => "mail/notice/factor-removed.txt",
    PasskeyCloned => "mail/notice/passkey-cloned.txt",
    RecoveryCodeUsed => "mail/notice/recovery-code-used.txt",
    RecoveryCodesCreated => "mail/notice/recovery-codes-generated.txt",
    FactorsReset => "mail/notice/factors-reset.txt",
    PersonalTokenCreated => "mail/notice/token-created.txt",
    ProviderLinked => "mail/notice/provider-connected.txt",
    ProviderUnlinked => "mail/notice/provider-disconnected.txt",
    EmailChanged => "mail/notice/email-changed.txt",
    EmailRemoved => "mail/notice/email-removed.txt",
    AccountDisabled => "mail/notice/account-disabled.txt",
    AccountDeleted => "mail/notice/account-deleted.txt",
    EmailChangeRequested => "mail/notice/email-change-requested.txt",
    ResetLinkCreated => "mail/notice/reset-link-created.txt",
    PasswordChangeRequired => "mail/notice/reset-required.txt",
}

/// Renders a mail for the installation at `site`.
///
/// # Errors
/// A template that fails to render, or has no subject.
pub(super) fn render(mail: &OutgoingMail, site: &str) -> anyhow::Result<Rendered> {
    let text = render_body(&mail.body, safe_name(&mail.name), site)?;
    let (subject, text) = text
        .trim()
        .strip_prefix("Subject: ")
        .and_then(|text| text.split_once("\n\n"))
        .ok_or_else(|| anyhow::anyhow!("a mail template without a subject"))?;
    Ok(Rendered {
        subject: subject.to_owned(),
        text: format!("{}\n", reflow(text)),
    })
}

fn render_body(body: &MailBody, name: Option<&str>, site: &str) -> askama::Result<String> {
    match body {
        MailBody::Reset {
            link,
            username,
            expires_at,
        } => PasswordReset {
            name,
            site,
            account: account_label(username, "your account"),
            until: format_time(*expires_at),
            link: link.expose_secret(),
        }
        .render(),
        MailBody::Invitation {
            link,
            from,
            expires_at,
        } => Invitation {
            name,
            site,
            inviter: safe_name(from).unwrap_or("A Strongroom user"),
            until: format_time(*expires_at),
            link: link.expose_secret(),
        }
        .render(),
        MailBody::ConfirmEmail {
            link,
            username,
            expires_at,
        } => EmailConfirmation {
            name,
            site,
            account: account_label(username, "an account"),
            until: format_time(*expires_at),
            link: link.expose_secret(),
        }
        .render(),
        MailBody::TokenExpiring {
            label,
            username,
            expires_at,
        } => TokenExpiry {
            name,
            site,
            account: account_label(username, "your account"),
            label: safe_name(label),
            until: format_time(*expires_at),
        }
        .render(),
        MailBody::HostNotice(notice) => lock_overridden(notice, name, site).render(),
        MailBody::SecurityNotice {
            notice,
            about,
            at,
            origin,
        } => {
            let facts = notice_facts(*at, origin, name, site);
            render_notice(*notice, facts.about(about.as_deref()))
        }
    }
}

fn notice_facts<'a>(
    at: Timestamp,
    origin: &Origin,
    name: Option<&'a str>,
    site: &'a str,
) -> NoticeFacts<'a> {
    NoticeFacts {
        name,
        site,
        about: None,
        when: format_time(at),
        device: origin.user_agent.as_deref().and_then(device::browser_label),
        address: origin.address.to_string(),
    }
}

/// Joins the lines of each paragraph and wraps them at 72 characters (RFC 5322 §2.1.1). An indented
/// line stays as it is, and a link is never broken.
fn reflow(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut joins = false;
    for line in text.lines() {
        let stays_alone = line.is_empty() || line.starts_with(' ') || line.starts_with("-- ");
        if stays_alone {
            lines.push(line.to_owned());
        } else {
            let start = if joins { lines.pop() } else { None };
            let words = start.iter().flat_map(|start| start.split(' '));
            lines.extend(wrap(words.chain(line.split(' '))));
        }
        joins = !stays_alone;
    }
    lines.join("\n")
}

fn wrap<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let last = lines.last_mut().filter(|line| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= 72
        });
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn format_time(at: Timestamp) -> String {
    at.strftime("%H:%M UTC on %-d %B %Y").to_string()
}

/// The name, unless a mail program would turn it into a link. An attacker who registers with the
/// address of another person must not be able to send them a message.
fn safe_name(name: &str) -> Option<&str> {
    let chars: Vec<char> = name.chars().collect();
    let has_domain = chars
        .windows(3)
        .any(|three| three[1] == '.' && three[0] != ' ' && three[2] != ' ');
    let is_safe = !has_domain
        && !name.contains(['/', ':', '@', '\\', '<'])
        && !name.contains(char::is_control);
    (is_safe && !name.is_empty() && chars.len() <= 100).then_some(name)
}

/// The account by its username, or `fallback` if the username would become a link.
fn account_label(username: &Username, fallback: &str) -> String {
    safe_name(username.as_str()).map_or_else(
        || fallback.to_owned(),
        |name| format!("the account \"{name}\""),
    )
}

#[cfg(test)]
mod tests;
