//! Audit entries as sentences, for administrators and for the users they concern.

mod runs;

use jiff::Timestamp;
use serde_json::Value;
use wire::AuditEntry;

use super::format;

/// One entry, as a page shows it.
#[derive(Clone, Debug)]
pub struct ActivityEntry {
    pub entry: AuditEntry,
    pub sentence: String,
    /// `role: viewer → editor`
    pub changes: Vec<String>,
    /// A short label for entries that need attention.
    pub badge: Option<Badge>,
    /// How many consecutive entries this line stands for: 100 failed sign-ins are one line.
    pub count: usize,
    /// When the first of them happened.
    pub first_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge {
    pub label: &'static str,
    pub is_alert: bool,
}

impl ActivityEntry {
    /// The sentence addresses `viewer` as "you".
    #[must_use]
    pub fn describe(entry: AuditEntry, viewer: &str) -> Self {
        let sentence = sentence(&entry, viewer);
        let badge = badge(&entry, viewer);
        Self {
            sentence,
            changes: changed_members(&entry),
            badge,
            count: 1,
            first_at: entry.at,
            entry,
        }
    }

    /// The time of the first entry of a run.
    pub fn first_time(&self) -> String {
        format::time(&self.first_at)
    }

    pub fn time(&self) -> String {
        format::time(&self.entry.at)
    }

    /// `Firefox on Linux, 192.0.2.1`
    pub fn origin(&self) -> Option<String> {
        let from = self.entry.from.as_ref()?;
        Some(format!(
            "{}, {}",
            auth::session::client_info::user_agent_label(from.user_agent.as_deref()),
            from.address
        ))
    }

    /// `by the token “backup”`
    pub fn via(&self) -> Option<String> {
        let by = self.entry.by.as_ref()?;
        match (by.kind.as_str(), &by.label) {
            ("console", _) => Some("on the server console".to_owned()),
            ("personal", Some(label)) => Some(format!("with the token “{label}”")),
            ("personal", None) => Some("with an access token".to_owned()),
            ("tokens", Some(label)) => Some(format!("on the device “{label}”")),
            ("tokens", None) => Some("with an app".to_owned()),
            _ => None,
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one line for each word of the audit")]
fn sentence(entry: &AuditEntry, viewer: &str) -> String {
    let who = match entry.actor.as_str() {
        "" => "Someone".to_owned(),
        actor if actor == viewer => "You".to_owned(),
        actor => actor.to_owned(),
    };
    let by_self = entry.actor == entry.subject;
    let object = match entry.subject.as_str() {
        subject if subject == viewer => "you".to_owned(),
        subject => subject.to_owned(),
    };
    let possessive = match (by_self, entry.subject == viewer) {
        (_, true) => "your".to_owned(),
        (true, false) => "their".to_owned(),
        (false, false) => format!("{object}'s"),
    };
    let fact = |name: &str| entry.facts.get(name).map(display_value).unwrap_or_default();
    let vault = entry.vault.clone().unwrap_or_else(|| "a vault".to_owned());
    match entry.action.as_str() {
        "sign_in" => format!("{who} signed in{}", sign_in_context(entry)),
        "sign_in.refused" if entry.subject.is_empty() => {
            "Failed sign-in with an unknown username".to_owned()
        }
        "sign_in.refused" => format!(
            "Failed sign-in as {object}: wrong {}",
            credential_label(entry)
        ),
        "sign_in.half_way" => {
            format!("Correct password for {possessive} account, second factor pending")
                .replace("their account", &format!("{who}'s account"))
        }
        "sign_in.confirmed" => format!("{who} confirmed the sign-in"),
        "action.refused" => denied_request(entry, &who, viewer),
        "session.ended" | "sessions.ended" => {
            format!(
                "{who} ended {}{}",
                session_count(entry, &possessive),
                end_reason(entry)
            )
        }
        "everybody.signed_out" => {
            let too = if entry.facts.contains_key("tokens") {
                " and access tokens"
            } else {
                ""
            };
            let why = entry.reason.as_deref().unwrap_or_default();
            format!(
                "{who} ended all sessions{too} ({} sessions): {why}",
                fact("sessions")
            )
        }
        "refresh.replayed" => {
            format!(
                "One of {possessive} refresh tokens was used twice and may have been stolen. Its \
                 session was ended"
            )
        }
        "token.made" => format!(
            "{who} created the access token “{}”",
            value_after(entry, "label")
        ),
        "token.ended" => format!(
            "{who} revoked the access token “{}”{}",
            fact("label"),
            end_reason(entry)
        ),
        "device.approved" => format!(
            "{who} connected a device{} to {possessive} account",
            quoted(&fact("client"))
        ),
        "program.approved" => format!("{who} authorized the app{}", quoted(&fact("client"))),
        "device.refused" => {
            format!(
                "{who} denied a device{} access to {possessive} account",
                quoted(&fact("client"))
            )
        }
        "password.changed" => format!("{who} changed {possessive} password"),
        "password.reset" => {
            format!("{who} set a new password for {possessive} account with a reset link")
        }
        "password.rehashed" => {
            format!("The hash of {possessive} password was upgraded at this sign-in")
        }
        "reset.made" => format!("{who} requested a reset link for {possessive} password"),
        "reset.required" => format!("{who} required a new password for {possessive} account"),
        "factor.added" => format!(
            "{who} added {} to {possessive} account",
            factor_label(entry)
        ),
        "factor.removed" => format!(
            "{who} removed {} from {possessive} account",
            factor_label(entry)
        ),
        "factor.renamed" => format!(
            "{who} renamed one of {possessive} second factors{}",
            quoted(&fact("name"))
        ),
        "passkey.copied" => {
            format!(
                "One of {possessive} passkeys was rejected: its signature counter went back, so it may \
                 have been cloned"
            )
        }
        "factors.recovered" => format!("{who} reset {possessive} second factors"),
        "recovery_codes.made" => {
            format!("{who} generated new recovery codes for {possessive} account")
        }
        "recovery_code.used" => format!("{who} used a recovery code ({} left)", fact("left")),
        "provider.linked" => format!(
            "{who} connected {possessive} account to {}",
            value_after(entry, "provider")
        ),
        "provider.unlinked" => format!(
            "{who} disconnected {possessive} account from {}",
            value_before(entry, "provider")
        ),
        "account.created" if by_self => format!("{who} created {possessive} account"),
        "account.created" => format!("{who} created an account for {object}"),
        "email.asked" => format!(
            "{who} requested a new e-mail address for {possessive} account: {}",
            fact("email")
        ),
        "account.changed" | "email.changed" => account_changed(entry, &who, (&object, &possessive)),
        "role.changed" => format!("{who} changed {possessive} role in {vault}"),
        "invite.made" if !entry.subject.contains('@') => format!("{who} created an invitation"),
        "invite.withdrawn" if !entry.subject.contains('@') => {
            format!("{who} withdrew an invitation")
        }
        "invite.made" => format!("{who} invited {object}"),
        "invite.used" => format!("{who} used an invitation"),
        "invite.withdrawn" => format!("{who} withdrew the invitation of {object}"),
        "group.made" => format!("{who} created the group {object}"),
        "group.changed" => group_changed(entry, &who, &vault),
        "group.removed" => format!("{who} deleted the group {object}"),
        "sign_in.throttled" => format!(
            "Too many attempts{}: some were rejected without a check",
            if object.is_empty() {
                String::new()
            } else {
                format!(" to sign in as {object}")
            }
        ),
        "throttle.lifted" => format!("{who} lifted the sign-in block for {object}"),
        "key.rotated" => format!("{who} rotated the key {object}"),
        "master_key.replaced" => format!("{who} replaced the master key with {object}"),
        "vault.created" => format!("{who} created the vault {object}"),
        action => match action.strip_prefix("file.") {
            Some("move") => format!("{who} moved {} to {object}", value_before(entry, "name")),
            Some(verb) => format!("{who} {} {object}", file_verb(verb)),
            None => format!("{who}: {action}, {object}"),
        },
    }
}

fn denied_request(entry: &AuditEntry, actor: &str, viewer: &str) -> String {
    let fact = |name: &str| entry.facts.get(name).map(display_value).unwrap_or_default();
    let request = if entry.facts.contains_key("request") {
        fact("request")
    } else {
        entry.subject.clone()
    };
    match entry.reason.as_deref() {
        Some("cross_site") => {
            let possessive = if entry.actor == viewer {
                "your".to_owned()
            } else {
                format!("{actor}'s")
            };
            let site = if fact("site").is_empty() {
                String::new()
            } else {
                format!(" ({})", fact("site"))
            };
            format!(
                "Another website{site} tried to use {possessive} session and was rejected: {request}"
            )
        }
        Some("not_in_person") => {
            format!("A token of {actor} tried an action that needs a browser session: {request}")
                .replace("A token of You", "A token of yours")
        }
        Some("scope_missing") => {
            format!("{actor} used a token without the required scope: {request}")
        }
        _ => format!("{actor} requested an action that is not allowed: {request}"),
    }
}

/// ` “CAM plug-in”`, or nothing.
fn quoted(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" “{name}”")
    }
}

fn factor_label(entry: &AuditEntry) -> String {
    let fact = |name: &str| entry.facts.get(name).map(display_value).unwrap_or_default();
    let kind = match fact("kind").as_str() {
        "totp" => "an authenticator app",
        "passkey" => "a passkey",
        _ => "a second factor",
    };
    format!("{kind}{}", quoted(&fact("name")))
}

/// Names the change if it has a sentence of its own. Otherwise the list of changes shows it.
fn account_changed(entry: &AuditEntry, actor: &str, (subject, possessive): (&str, &str)) -> String {
    match (
        value_after(entry, "standing").as_str(),
        value_after(entry, "administrator").as_str(),
    ) {
        ("disabled", _) => format!("{actor} disabled {possessive} account"),
        ("active", _) => format!("{actor} enabled {possessive} account"),
        ("deleted", _) => format!("{actor} deleted {possessive} account"),
        (_, "yes") => format!("{actor} made {subject} an administrator"),
        (_, "no") => format!("{actor} removed administrator rights from {subject}"),
        _ => format!("{actor} changed {possessive} account"),
    }
}

fn group_changed(entry: &AuditEntry, actor: &str, vault: &str) -> String {
    let group = &entry.subject;
    match (value_before(entry, "member"), value_after(entry, "member")) {
        (removed, added) if added.is_empty() && !removed.is_empty() => {
            format!("{actor} removed {removed} from the group {group}")
        }
        (_, added) if !added.is_empty() => format!("{actor} added {added} to the group {group}"),
        _ => format!("{actor} changed the role of the group {group} in {vault}"),
    }
}

/// Failed attempts or a long absence before a sign-in.
fn sign_in_context(entry: &AuditEntry) -> String {
    let count = |name: &str| entry.facts.get(name).and_then(Value::as_u64);
    let refused = count("refused_before").map(|tries| format!(", after {tries} failed attempts"));
    let absence = count("days_away").map(|days| format!(", for the first time in {days} days"));
    [refused, absence].into_iter().flatten().collect()
}

/// The past tense of a file operation.
fn file_verb(verb: &str) -> &str {
    match verb {
        "add" => "added",
        "checkout" | "check_out" => "checked out",
        "cancel" => "undid the check-out of",
        "checkin" | "check_in" => "checked in",
        "override" => "overrode the lock on",
        "describe" => "changed the description of",
        "restore" => "restored",
        "delete" => "deleted",
        other => other,
    }
}

fn session_count(entry: &AuditEntry, possessive: &str) -> String {
    match entry.facts.get("sessions").and_then(Value::as_u64) {
        Some(count) => format!("{count} of {possessive} sessions"),
        None => format!("one of {possessive} sessions"),
    }
}

fn end_reason(entry: &AuditEntry) -> &'static str {
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

fn value_before(entry: &AuditEntry, name: &str) -> String {
    entry
        .before
        .as_ref()
        .and_then(|members| members.get(name))
        .map(display_value)
        .unwrap_or_default()
}

fn value_after(entry: &AuditEntry, name: &str) -> String {
    entry
        .after
        .as_ref()
        .and_then(|members| members.get(name))
        .map(display_value)
        .unwrap_or_default()
}

fn changed_members(entry: &AuditEntry) -> Vec<String> {
    let members = |side: &Option<Value>| {
        side.as_ref()
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (members(&entry.before), members(&entry.after));
    if before.is_empty() {
        // Everything is new, which the sentence already says.
        return Vec::new();
    }
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    let names = names.filter(|name| !is_in_sentence(&entry.action, name));
    let side = |members: &serde_json::Map<String, Value>, name: &str| {
        let text: String = members
            .get(name)
            .map(display_value)
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect();
        if text.is_empty() {
            "none".to_owned()
        } else {
            text
        }
    };
    names
        .map(|name| {
            format!(
                "{}: {} → {}",
                name.replace('_', " "),
                side(&before, name),
                side(&after, name)
            )
        })
        .collect()
}

/// Members that the sentence already states, or that users do not compare.
fn is_in_sentence(action: &str, name: &str) -> bool {
    match (action, name) {
        ("account.changed", "standing" | "administrator")
        | ("group.changed", "member")
        | ("file.move", "name") => true,
        ("file.override", "locked_by") => false,
        (action, "locked_by" | "deleted" | "sha256") => action.starts_with("file."),
        _ => false,
    }
}

fn display_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn badge(entry: &AuditEntry, viewer: &str) -> Option<Badge> {
    let badge = |label, is_alert| Some(Badge { label, is_alert });
    let is_new = entry.facts.get("new_device").and_then(Value::as_bool) == Some(true);
    let by_another = entry.subject == viewer && entry.actor != viewer;
    match entry.action.as_str() {
        "sign_in" if entry.facts.contains_key("refused_before") => {
            badge("After failed attempts", true)
        }
        "sign_in" | "sign_in.half_way" if is_new => badge("New device", true),
        "sign_in" if entry.facts.contains_key("days_away") => badge("After long absence", true),
        "sign_in.refused" => badge("Failed", true),
        "sign_in.throttled" => badge("Throttled", true),
        "action.refused" => badge("Rejected", entry.reason.as_deref() == Some("cross_site")),
        "refresh.replayed" => badge("Possible theft", true),
        "everybody.signed_out" if entry.actor != viewer => badge("By another user", true),
        "factors.recovered" => badge("Second factors", true),
        "recovery_code.used" => badge("Recovery code", true),
        action if by_another && action.starts_with("account.") => badge("By another user", true),
        action if action.starts_with("password.") && action != "password.rehashed" => {
            badge("Password", false)
        }
        action if action.starts_with("factor.") || action.starts_with("recovery_codes.") => {
            badge("Second factors", false)
        }
        action if action.starts_with("token.") || action.starts_with("device.") => {
            badge("Access", false)
        }
        "file.override" => badge("Lock overridden", true),
        "file.delete" => badge("Deleted", false),
        _ if by_another => badge("By another user", false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
