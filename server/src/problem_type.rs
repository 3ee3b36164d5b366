//! The type of a problem (RFC 9457 §3.1.1): what programs branch on. `docs/api.md` explains each one.

use auth::{
    AuthError,
    error::{AccessError, AccountError, FactorError, SignInError, ThrottleError},
};
use http::StatusCode;
use vault::VaultError;

use crate::error::Problem;

/// The name in the URI `/problems/{name}`, and the title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemType {
    pub name: &'static str,
    pub title: &'static str,
}

const fn named(name: &'static str, title: &'static str) -> ProblemType {
    ProblemType { name, title }
}

impl ProblemType {
    /// The specific type, or the general one of the status.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let specific = match problem {
            Problem::Vault(error) => of_vault(error),
            Problem::Auth(AuthError::Access(error)) => of_access(error),
            Problem::Auth(AuthError::SignIn(error)) => Some(of_sign_in(error)),
            Problem::Auth(AuthError::Account(error)) => of_account(error),
            Problem::Auth(AuthError::Throttle(ThrottleError::LockedOut)) => {
                Some(named("locked-out", "Signing in is locked out"))
            }
            Problem::TooManyStreams { .. } => {
                Some(named("too-many-streams", "Too many open streams"))
            }
            Problem::Auth(AuthError::Factor(FactorError::LastFactor)) => {
                Some(named("last-factor", "Last second factor"))
            }
            _ => None,
        };
        specific.unwrap_or_else(|| of_status(problem.status()))
    }

    #[must_use]
    pub fn uri(self) -> String {
        format!("/problems/{}", self.name)
    }
}

fn of_vault(error: &VaultError) -> Option<ProblemType> {
    Some(match error {
        VaultError::NotFound => named("file-not-found", "File not found"),
        VaultError::NoSuchRevision { .. } => named("revision-not-found", "Revision not found"),
        VaultError::Locked { .. } | VaultError::LockedByOther { .. } => {
            named("locked", "File is locked")
        }
        VaultError::NotLockHolder { .. } => {
            named("not-lock-holder", "File is locked by another user")
        }
        VaultError::NotLocked | VaultError::NotCheckedOut | VaultError::NothingToOverride => {
            named("not-locked", "File is not locked")
        }
        VaultError::Exists { .. }
        | VaultError::NameConflict { .. }
        | VaultError::VaultExists { .. } => named("name-taken", "Name is taken"),
        VaultError::Unchanged { .. } => named("unchanged", "Content is unchanged"),
        VaultError::StaleBase => named("stale-base", "Content has changed"),
        VaultError::KeyReused => named("key-reused", "Idempotency key was used before"),
        VaultError::TooLarge { .. }
        | VaultError::Incomplete
        | VaultError::BadUpload { .. }
        | VaultError::DiskFull
        | VaultError::TooManyOpenFiles
        | VaultError::Io(_)
        | VaultError::Store(_) => return None,
    })
}

fn of_access(error: &AccessError) -> Option<ProblemType> {
    Some(match error {
        AccessError::InvalidToken => named("invalid-token", "Token is invalid"),
        AccessError::InsufficientScope { .. } => {
            named("insufficient-scope", "Scope is insufficient")
        }
        AccessError::InteractiveSessionRequired => {
            named("interactive-session-required", "Browser session required")
        }
        AccessError::StepUpRequired { .. } => named("step-up-required", "Recent sign-in required"),
        AccessError::Restricted(_) => {
            named("second-factor-setup-required", "Second factor required")
        }
        AccessError::CrossSite => named("cross-site", "Request from another site"),
        AccessError::AccountChanged { .. } => named("account-changed", "Another user is signed in"),
        AccessError::RealmNotFound => named("vault-not-found", "Vault not found"),
        AccessError::Unauthenticated
        | AccessError::AmbiguousCredentials
        | AccessError::NotAllowed { .. } => return None,
    })
}

fn of_sign_in(error: &SignInError) -> ProblemType {
    match error {
        SignInError::InvalidCredentials => {
            named("invalid-credentials", "Credentials are incorrect")
        }
        SignInError::SecondFactorRequired => named("second-factor-required", "Code required"),
        SignInError::SecondFactorInvalid | SignInError::InvalidCode => {
            named("invalid-code", "Code is incorrect")
        }
        SignInError::WrongCurrentPassword => named("wrong-password", "Password is incorrect"),
        SignInError::PasswordChangeRequired => {
            named("password-reset-required", "Password must be reset")
        }
        SignInError::SignInExpired => named("sign-in-expired", "Sign-in has expired"),
    }
}

fn of_account(error: &AccountError) -> Option<ProblemType> {
    Some(match error {
        AccountError::RealmTaken | AccountError::UsernameTaken | AccountError::GroupTaken => {
            named("name-taken", "Name is taken")
        }
        AccountError::PasswordRejected(_) => named("password-rejected", "Password is not accepted"),
        AccountError::RegistrationClosed | AccountError::InvitationRequired => {
            named("registration-closed", "Registration is closed")
        }
        AccountError::InvitationInvalid
        | AccountError::EmailLinkInvalid
        | AccountError::SetupLinkInvalid
        | AccountError::ResetLinkInvalid => named("invalid-link", "Link is invalid"),
        AccountError::LastAdministrator => named("last-administrator", "Last administrator"),
        _ => return None,
    })
}

fn of_status(status: StatusCode) -> ProblemType {
    match status {
        StatusCode::BAD_REQUEST => named("bad-request", "Bad request"),
        StatusCode::UNAUTHORIZED => named("unauthenticated", "Not signed in"),
        StatusCode::FORBIDDEN => named("forbidden", "Not allowed"),
        StatusCode::NOT_FOUND => named("not-found", "Not found"),
        StatusCode::CONFLICT => named("conflict", "Conflict"),
        StatusCode::GONE => named("expired", "Expired"),
        StatusCode::PAYLOAD_TOO_LARGE => named("too-large", "Too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => named("media-type", "Media type not supported"),
        StatusCode::UNPROCESSABLE_ENTITY => named("invalid-input", "Invalid input"),
        StatusCode::TOO_MANY_REQUESTS => named("too-many-requests", "Too many requests"),
        StatusCode::INSUFFICIENT_STORAGE => named("disk-full", "Disk is full"),
        StatusCode::SERVICE_UNAVAILABLE => named("unavailable", "Not available"),
        status if status.is_server_error() => named("server-error", "Server error"),
        _ => named("request-refused", "Request refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upload_without_free_descriptor_is_answered_503() {
        let problem = Problem::Vault(VaultError::TooManyOpenFiles);
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(problem.retry_after().is_some());
        assert!(problem.detail().contains("too many files open"));
        assert_eq!(ProblemType::of(&problem).name, "unavailable");
    }
}
