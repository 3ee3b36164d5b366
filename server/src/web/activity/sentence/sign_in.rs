//! Sign-ins, denied requests and sessions.

use serde_json::Value;
use wire::AuditEntry;

use super::{Wording, quoted};

pub(super) fn sentence(wording: &Wording<'_>) -> Option<String> {
    let Wording {
        entry,
        who,
        object,
        possessive,
        ..
    } = wording;
    Some(match entry.action.as_str() {
        "sign_in" => format!("{who} signed in{}", circumstances(entry)),
        "sign_in.refused" if entry.subject.is_empty() => {
            "Failed sign-in with an unknown username".to_owned()
        }
        "sign_in.refused" => {
            format!(
                "Failed sign-in as {object}: wrong {}",
                credential_label(entry)
            )
        }
        "sign_in.half_way" => {
            format!("Correct password for {possessive} account, second factor pending")
                .replace("their account", &format!("{who}'s account"))
        }
        "sign_in.confirmed" => format!("{who} confirmed the sign-in"),
        "action.refused" => denied_request(wording),
        _ => return None,
    })
}

pub(super) fn of_session(wording: &Wording<'_>) -> Option<String> {
    let Wording {
        entry,
        who,
        possessive,
        ..
    } = wording;
    let client = || quoted(&wording.fact("client"));
    Some(match entry.action.as_str() {
        "session.ended" | "sessions.ended" => {
            let sessions = session_count(entry, possessive);
            format!("{who} ended {sessions}{}", end_reason(entry))
        }
        "everybody.signed_out" => all_sessions_ended(wording),
        "refresh.replayed" => format!(
            "One of {possessive} refresh tokens was used twice and may have been stolen. Its \
             session was ended"
        ),
        "device.approved" => {
            format!(
                "{who} connected a device{} to {possessive} account",
                client()
            )
        }
        "program.approved" => format!("{who} authorized the app{}", client()),
        "device.refused" => {
            format!(
                "{who} denied a device{} access to {possessive} account",
                client()
            )
        }
        _ => return None,
    })
}

fn all_sessions_ended(wording: &Wording<'_>) -> String {
    let Wording { entry, who, .. } = wording;
    let tokens = if entry.facts.contains_key("tokens") {
        " and access tokens"
    } else {
        ""
    };
    let why = entry.reason.as_deref().unwrap_or_default();
    let count = wording.fact("sessions");
    format!("{who} ended all sessions{tokens} ({count} sessions): {why}")
}

fn denied_request(wording: &Wording<'_>) -> String {
    let Wording { entry, who, .. } = wording;
    let request = if entry.facts.contains_key("request") {
        wording.fact("request")
    } else {
        entry.subject.clone()
    };
    match entry.reason.as_deref() {
        Some("cross_site") => {
            let possessive = if entry.actor == wording.viewer {
                "your".to_owned()
            } else {
                format!("{who}'s")
            };
            let site = match wording.fact("site").as_str() {
                "" => String::new(),
                site => format!(" ({site})"),
            };
            format!(
                "Another website{site} tried to use {possessive} session and was rejected: {request}"
            )
        }
        Some("not_in_person") => {
            format!("A token of {who} tried an action that needs a browser session: {request}")
                .replace("A token of You", "A token of yours")
        }
        Some("scope_missing") => {
            format!("{who} used a token without the required scope: {request}")
        }
        _ => format!("{who} requested an action that is not allowed: {request}"),
    }
}

/// Failed attempts or a long absence before a sign-in.
fn circumstances(entry: &AuditEntry) -> String {
    let count = |name: &str| entry.facts.get(name).and_then(Value::as_u64);
    let refused = count("refused_before").map(|tries| format!(", after {tries} failed attempts"));
    let absence = count("days_away").map(|days| format!(", for the first time in {days} days"));
    [refused, absence].into_iter().flatten().collect()
}

fn session_count(entry: &AuditEntry, possessive: &str) -> String {
    match entry.facts.get("sessions").and_then(Value::as_u64) {
        Some(count) => format!("{count} of {possessive} sessions"),
        None => format!("one of {possessive} sessions"),
    }
}

pub(super) fn end_reason(entry: &AuditEntry) -> &'static str {
    match entry.reason.as_deref() {
        Some("signed_out") => " by signing out",
        Some("revoked") => " by revoking its token",
        Some("replayed") => ", because its refresh token was used twice",
        Some("password_changed") => " by changing the password",
        Some("factors_changed") => " by changing second factors",
        _ => "",
    }
}

/// The kind of credential, from the audit reason.
fn credential_label(entry: &AuditEntry) -> &'static str {
    match entry.reason.as_deref() {
        Some("totp") => "one-time code",
        Some("recovery_code") => "recovery code",
        Some("passkey") => "passkey",
        Some("password") => "password",
        _ => "secret",
    }
}
