//! Audit entries as sentences, for administrators and for the users they concern.

mod facts;
mod runs;
mod sentence;

use jiff::Timestamp;
use serde_json::Value;
use wire::AuditEntry;

use self::facts::display_value;
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
        let sentence = sentence::sentence(&entry, viewer);
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
