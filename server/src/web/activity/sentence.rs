//! The sentence of an audit entry. Each topic has a function that knows its actions.

mod accounts;
mod sign_in;

use wire::AuditEntry;

use super::facts::{fact, value_before};

/// The words that stand for the persons and places of an entry.
struct Wording<'a> {
    entry: &'a AuditEntry,
    viewer: &'a str,
    /// The actor at the start of a sentence.
    who: String,
    /// The subject, or "you".
    object: String,
    /// "your", "their" or "ada's": what belongs to the subject.
    possessive: String,
    by_self: bool,
}

impl<'a> Wording<'a> {
    fn of(entry: &'a AuditEntry, viewer: &'a str) -> Self {
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
        Self {
            entry,
            viewer,
            who,
            object,
            possessive,
            by_self,
        }
    }

    fn fact(&self, name: &str) -> String {
        fact(self.entry, name)
    }

    fn vault(&self) -> &str {
        self.entry.vault.as_deref().unwrap_or("a vault")
    }
}

/// An action that no topic knows is named as it is in the log.
pub(super) fn sentence(entry: &AuditEntry, viewer: &str) -> String {
    let wording = Wording::of(entry, viewer);
    let topics = [
        sign_in::sentence,
        sign_in::of_session,
        accounts::of_credential,
        accounts::of_factor,
        accounts::of_account,
        accounts::of_people,
        of_operator,
        of_file,
    ];
    let known = topics.iter().find_map(|topic| topic(&wording));
    known.unwrap_or_else(|| format!("{}: {}, {}", wording.who, entry.action, wording.object))
}

fn of_operator(wording: &Wording<'_>) -> Option<String> {
    let Wording { who, object, .. } = wording;
    Some(match wording.entry.action.as_str() {
        "sign_in.throttled" if object.is_empty() => {
            "Too many attempts: some were rejected without a check".to_owned()
        }
        "sign_in.throttled" => {
            format!("Too many attempts to sign in as {object}: some were rejected without a check")
        }
        "throttle.lifted" => format!("{who} lifted the sign-in block for {object}"),
        "key.rotated" => format!("{who} rotated the key {object}"),
        "master_key.replaced" => format!("{who} replaced the master key with {object}"),
        "vault.created" => format!("{who} created the vault {object}"),
        _ => return None,
    })
}

fn of_file(wording: &Wording<'_>) -> Option<String> {
    let Wording { who, object, .. } = wording;
    let operation = wording.entry.action.strip_prefix("file.")?;
    let verb = match operation {
        "move" => {
            let before = value_before(wording.entry, "name");
            return Some(format!("{who} moved {before} to {object}"));
        }
        "add" => "added",
        "checkout" | "check_out" => "checked out",
        "cancel" => "undid the check-out of",
        "checkin" | "check_in" => "checked in",
        "override" => "overrode the lock on",
        "describe" => "changed the description of",
        "restore" => "restored",
        "delete" => "deleted",
        other => other,
    };
    Some(format!("{who} {verb} {object}"))
}

/// ` “CAM plug-in”`, or nothing.
fn quoted(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" “{name}”")
    }
}
