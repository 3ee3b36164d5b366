//! The user, as a verified ID token describes them.

use jiff::Timestamp;

use super::members::Members;

/// Characters of a name. Longer ones are truncated.
const MAX_NAME_CHARS: usize = 255;

/// The user of a verified ID token.
#[derive(Debug)]
pub(crate) struct UpstreamUser {
    pub(crate) subject: String,
    /// When the provider last authenticated the user, if it sends `auth_time`.
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) profile: Profile,
}

/// Names for display and for a new account. They prove nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) username: Option<String>,
    pub(crate) name: Option<String>,
    /// Verified by the provider. An unverified address may belong to another person.
    pub(crate) email: Option<String>,
}

impl Profile {
    /// The names among the claims. A value of another type counts as absent.
    pub(super) fn read(claims: &Members) -> Self {
        let name = |member| claims.lenient_text(member).and_then(sanitize_name);
        Self {
            username: name("preferred_username"),
            name: name("name"),
            email: name("email").filter(|_| claims.is_true("email_verified")),
        }
    }

    /// Whether the userinfo endpoint could add a name.
    pub(super) fn is_incomplete(&self) -> bool {
        self.username.is_none() || self.name.is_none() || self.email.is_none()
    }

    /// Adds what is missing here.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            username: self.username.or(other.username),
            name: self.name.or(other.name),
            email: self.email.or(other.email),
        }
    }
}

/// Removes control characters and truncates. Names are displayed, never compared.
fn sanitize_name(name: &str) -> Option<String> {
    let plain: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_CHARS)
        .collect();
    let trimmed = plain.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
