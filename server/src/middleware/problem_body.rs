//! Errors as JSON: a problem (RFC 9457), or an OAuth error (RFC 6749 §5.2).

use auth::{
    AuthError,
    error::{AccountError, FactorError},
};
use http::StatusCode;
use vault::VaultError;
use wire::{ProblemBody, TokenError};

use crate::{error::Problem, problem_type::ProblemType};

fn field_errors(pointer: &str, problem: &Problem) -> Vec<wire::FieldError> {
    vec![wire::FieldError {
        pointer: pointer.to_owned(),
        detail: problem.detail(),
    }]
}

pub(super) fn problem_body(
    problem: &Problem,
    status: StatusCode,
    id: &str,
    detail: String,
) -> String {
    let errors = match problem {
        Problem::Invalid(errors) => errors.clone(),
        Problem::Auth(AuthError::Account(AccountError::PasswordRejected(reason))) => {
            vec![wire::FieldError {
                pointer: "/password".to_owned(),
                detail: reason.to_string(),
            }]
        }
        Problem::Auth(AuthError::Factor(FactorError::EnrollmentCodeInvalid)) => {
            field_errors("/code", problem)
        }
        Problem::Auth(AuthError::Factor(FactorError::InvalidFactorName)) => {
            field_errors("/name", problem)
        }
        Problem::Auth(AuthError::Account(AccountError::InvalidReason)) => {
            field_errors("/reason", problem)
        }
        Problem::Auth(AuthError::Factor(FactorError::Passkey(_)))
            if status == StatusCode::UNPROCESSABLE_ENTITY =>
        {
            field_errors("/credential", problem)
        }
        Problem::Vault(VaultError::KeyReused) => field_errors("#Idempotency-Key", problem),
        Problem::Vault(VaultError::BadUpload { .. }) => field_errors("", problem),
        _ => Vec::new(),
    };
    let problem_type = ProblemType::of(problem);
    let body = ProblemBody {
        kind: problem_type.uri(),
        title: problem_type.title.to_owned(),
        status: status.as_u16(),
        detail,
        request_id: id.to_owned(),
        errors,
        error: problem.oauth_code().map(ToOwned::to_owned),
    };
    serde_json::to_string(&body).unwrap_or_default()
}

pub(super) fn oauth_body(problem: &Problem, status: StatusCode, id: &str) -> String {
    let detail = problem.detail();
    // RFC 6749 §5.2 allows printable ASCII without quotes and backslashes.
    let is_plain = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    let body = TokenError {
        error: problem.oauth_code().unwrap_or("server_error").to_owned(),
        error_description: detail
            .chars()
            .map(|c| if is_plain(c) { c } else { '\'' })
            .collect(),
        detail,
        status: status.as_u16(),
        request_id: id.to_owned(),
    };
    serde_json::to_string(&body).unwrap_or_default()
}
