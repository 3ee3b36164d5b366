//! The members of an audit entry, as text.

use serde_json::Value;
use wire::AuditEntry;

/// Empty without such a fact.
pub(super) fn fact(entry: &AuditEntry, name: &str) -> String {
    entry.facts.get(name).map(display_value).unwrap_or_default()
}

pub(super) fn value_before(entry: &AuditEntry, name: &str) -> String {
    entry
        .before
        .as_ref()
        .and_then(|members| members.get(name))
        .map(display_value)
        .unwrap_or_default()
}

pub(super) fn value_after(entry: &AuditEntry, name: &str) -> String {
    entry
        .after
        .as_ref()
        .and_then(|members| members.get(name))
        .map(display_value)
        .unwrap_or_default()
}

pub(super) fn display_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
