//! Entries that belong together: repeated failures, and the steps of one sign-in.

use jiff::SignedDuration;
use wire::AuditEntry;

use super::{ActivityEntry, Badge};

/// A sign-in of its owner takes no longer than this.
const SIGN_IN_LENGTH: SignedDuration = SignedDuration::from_mins(10);
/// As many mistakes as an owner makes before a sign-in succeeds.
const MAX_MISTAKES: usize = 2;

impl ActivityEntry {
    /// A page of entries, newest first. Repeated failures from one source become one line. A right
    /// password is no line of its own if the same source completed the sign-in, and a few mistakes
    /// before that are no alert.
    #[must_use]
    pub fn describe_all(entries: Vec<AuditEntry>, viewer: &str) -> Vec<Self> {
        let mut described: Vec<Self> = Vec::new();
        for next in entries
            .into_iter()
            .map(|entry| Self::describe(entry, viewer))
        {
            if next.entry.action == "sign_in.half_way" && is_completed(&described, &next) {
                continue;
            }
            match described.last_mut() {
                Some(last) if last.collapses_with(&next) => {
                    last.count += 1;
                    last.first_at = next.first_at;
                }
                _ => described.push(next),
            }
        }
        for index in 0..described.len() {
            let (newer, older) = described.split_at_mut(index);
            if let Some(entry) = older.first_mut()
                && entry.entry.action == "sign_in.refused"
                && entry.count <= MAX_MISTAKES
                && is_completed(newer, entry)
            {
                entry.badge = entry.badge.map(|badge| Badge {
                    is_alert: false,
                    ..badge
                });
            }
        }
        described
    }

    fn collapses_with(&self, earlier: &Self) -> bool {
        self.entry.action == "sign_in.refused"
            && self.entry.action == earlier.entry.action
            && self.sentence == earlier.sentence
            && self.origin() == earlier.origin()
    }
}

/// Whether the same source signed in, or confirmed its sign-in, soon after this step.
fn is_completed(newer: &[ActivityEntry], step: &ActivityEntry) -> bool {
    newer.iter().any(|later| {
        let is_sign_in = matches!(later.entry.action.as_str(), "sign_in" | "sign_in.confirmed");
        is_sign_in
            && later.entry.actor == step.entry.subject
            && later.origin() == step.origin()
            && later.entry.at.duration_since(step.entry.at) <= SIGN_IN_LENGTH
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(entries: &Value) -> Vec<(String, bool)> {
        let whole = |entry: &Value| {
            let mut whole = json!({"chain": "accounts", "n": 1, "actor": "ada", "subject": "ada", "hash": "",
                "prev_hash": "", "from": {"address": "192.0.2.1", "user_agent": "curl/8"}});
            let members = entry.as_object().unwrap().clone();
            whole.as_object_mut().unwrap().extend(members);
            serde_json::from_value(whole).unwrap()
        };
        let entries = entries.as_array().unwrap().iter().map(whole).collect();
        ActivityEntry::describe_all(entries, "ada")
            .into_iter()
            .map(|line| {
                let is_alert = line.badge.is_some_and(|badge| badge.is_alert);
                (line.sentence, is_alert)
            })
            .collect()
    }

    fn refused(at: &str) -> Value {
        json!({"action": "sign_in.refused", "reason": "totp", "at": at})
    }

    #[test]
    fn own_sign_in_with_code_is_one_line() {
        let shown = page(&json!([
            {"action": "sign_in", "at": "2026-01-02T03:05:05Z"},
            refused("2026-01-02T03:04:55Z"),
            {"action": "sign_in.half_way", "facts": {"new_device": true}, "at": "2026-01-02T03:04:45Z"},
        ]));
        assert_eq!(
            shown,
            [
                ("You signed in".to_owned(), false),
                (
                    "Failed sign-in as you: wrong one-time code".to_owned(),
                    false
                )
            ]
        );
    }

    #[test]
    fn many_mistakes_and_other_sources_stay_alerts() {
        let other = json!({"address": "203.0.113.9", "user_agent": "curl/8"});
        let shown = page(&json!([
            {"action": "sign_in", "at": "2026-01-02T03:05:05Z"},
            refused("2026-01-02T03:04:55Z"),
            refused("2026-01-02T03:04:50Z"),
            refused("2026-01-02T03:04:45Z"),
            {"action": "sign_in.half_way", "facts": {"new_device": true}, "at": "2026-01-02T03:04:40Z", "from": other},
            refused("2026-01-02T02:04:45Z"),
        ]));
        let alerts: Vec<bool> = shown.iter().map(|(_, is_alert)| *is_alert).collect();
        assert_eq!(alerts, [false, true, true, true], "{shown:?}");
    }
}
