//! Entries of the audit in plain sentences, for administrators and for whom they are about.

use jiff::Timestamp;
use serde_json::Value;
use wire::AuditEntry;

use super::format;

/// One entry, as a page shows it.
#[derive(Clone, Debug)]
pub struct Happening {
    pub entry: AuditEntry,
    pub sentence: String,
    /// `role: viewer → editor`
    pub changes: Vec<String>,
    /// What is worth a second look, in a word or two.
    pub mark: Option<Mark>,
    /// How often it happened in a row: a hundred wrong passwords are one line.
    pub times: usize,
    /// When that began, where it was more than once.
    pub first_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub word: &'static str,
    pub alarming: bool,
}

impl Happening {
    /// As `viewer` reads it: they are called you.
    #[must_use]
    pub fn told(entry: AuditEntry, viewer: &str) -> Self {
        let sentence = sentence(&entry, viewer);
        let mark = mark(&entry, viewer);
        Self {
            sentence,
            changes: changes(&entry),
            mark,
            times: 1,
            first_at: entry.at,
            entry,
        }
    }

    /// A page of entries, newest first; what was refused again and again from one place is told once.
    #[must_use]
    pub fn told_all(entries: Vec<AuditEntry>, viewer: &str) -> Vec<Self> {
        let mut told: Vec<Self> = Vec::new();
        for next in entries.into_iter().map(|entry| Self::told(entry, viewer)) {
            match told.last_mut() {
                Some(last) if last.goes_on_as(&next) => {
                    last.times += 1;
                    last.first_at = next.first_at;
                }
                _ => told.push(next),
            }
        }
        told
    }

    fn goes_on_as(&self, earlier: &Self) -> bool {
        self.entry.action == "sign_in.refused"
            && self.entry.action == earlier.entry.action
            && self.sentence == earlier.sentence
            && self.place() == earlier.place()
    }

    /// Where a run of them began.
    pub fn first_time(&self) -> String {
        format::time(&self.first_at)
    }

    pub fn time(&self) -> String {
        format::time(&self.entry.at)
    }

    /// `Firefox on Linux, 192.0.2.1`
    pub fn place(&self) -> Option<String> {
        let from = self.entry.from.as_ref()?;
        Some(format!(
            "{}, {}",
            auth::place::program(from.user_agent.as_deref()),
            from.address
        ))
    }

    /// `by the token “backup”`
    pub fn means(&self) -> Option<String> {
        let by = self.entry.by.as_ref()?;
        match (by.kind.as_str(), &by.label) {
            ("console", _) => Some("at the server's console".to_owned()),
            ("personal", Some(label)) => Some(format!("with the token “{label}”")),
            ("personal", None) => Some("with an access token".to_owned()),
            ("tokens", Some(label)) => Some(format!("on the device “{label}”")),
            ("tokens", None) => Some("with a program".to_owned()),
            _ => None,
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one line for each word of the audit")]
fn sentence(entry: &AuditEntry, viewer: &str) -> String {
    let who = match entry.actor.as_str() {
        "" => "Somebody".to_owned(),
        actor if actor == viewer => "You".to_owned(),
        actor => actor.to_owned(),
    };
    let self_done = entry.actor == entry.subject;
    let whom = match entry.subject.as_str() {
        subject if subject == viewer => "you".to_owned(),
        subject => subject.to_owned(),
    };
    let whose = match (self_done, entry.subject == viewer) {
        (_, true) => "your".to_owned(),
        (true, false) => "their".to_owned(),
        (false, false) => format!("{whom}'s"),
    };
    let fact = |name: &str| entry.facts.get(name).map(plain).unwrap_or_default();
    let vault = entry.vault.clone().unwrap_or_else(|| "a vault".to_owned());
    match entry.action.as_str() {
        "sign_in" => format!("{who} signed in{}", after_what(entry)),
        "sign_in.refused" if entry.subject.is_empty() => {
            "Somebody tried to sign in with a name that is nobody's".to_owned()
        }
        "sign_in.refused" => format!(
            "Somebody tried to sign in as {whom} and was refused: wrong {}",
            secret(entry)
        ),
        "sign_in.half_way" => {
            format!("Somebody typed {whose} right password and was asked for the second factor")
                .replace("their right", &format!("{who}'s right"))
        }
        "sign_in.confirmed" => format!("{who} confirmed who they are"),
        "action.refused" => refused(entry, &who, viewer),
        "session.ended" | "sessions.ended" => {
            format!("{who} ended {}{}", sessions(entry, &whose), why(entry))
        }
        "everybody.signed_out" => {
            let too = if entry.facts.contains_key("tokens") {
                ", access tokens too"
            } else {
                ""
            };
            let why = entry.reason.as_deref().unwrap_or_default();
            format!(
                "{who} signed everybody out{too} ({} sessions): {why}",
                fact("sessions")
            )
        }
        "refresh.replayed" => {
            format!(
                "A sign-in of {whom} was used from two places at once; somebody may have copied it. It was ended"
            )
        }
        "token.made" => format!("{who} made the access token “{}”", after(entry, "label")),
        "token.ended" => format!(
            "{who} ended the access token “{}”{}",
            fact("label"),
            why(entry)
        ),
        "device.approved" => format!(
            "{who} let a device sign in as {whom}{}",
            quoted(&fact("client"))
        ),
        "program.approved" => format!("{who} let a program in{}", quoted(&fact("client"))),
        "device.refused" => {
            format!(
                "{who} refused a device that wanted to sign in as {whom}{}",
                quoted(&fact("client"))
            )
        }
        "password.changed" => format!("{who} changed {whose} password"),
        "password.reset" => format!("{who} set {whose} password anew, by a link"),
        "password.rehashed" => {
            format!("The password of {whom} is kept under a better hash since this sign-in")
        }
        "reset.made" => format!("{who} asked for a link that sets {whose} password anew"),
        "reset.required" => format!("{who} asks {whom} for a new password"),
        "factor.added" => format!("{who} added {} to {whose} account", factor(entry)),
        "factor.removed" => format!("{who} removed {} from {whose} account", factor(entry)),
        "factor.renamed" => format!(
            "{who} renamed one of {whose} second factors{}",
            quoted(&fact("name"))
        ),
        "passkey.copied" => {
            format!(
                "A passkey of {whom} was refused: its counter went back, so somebody may have a copy of it"
            )
        }
        "factors.recovered" => format!("{who} took all second factors of {whom} away"),
        "recovery_codes.made" => format!("{who} made new recovery codes for {whose} account"),
        "recovery_code.used" => format!("{who} used a recovery code ({} left)", fact("left")),
        "provider.linked" => format!(
            "{who} joined {whose} account to {}",
            after(entry, "provider")
        ),
        "provider.unlinked" => format!(
            "{who} parted {whose} account from {}",
            before(entry, "provider")
        ),
        "account.created" if self_done => format!("{who} made {whose} account"),
        "account.created" => format!("{who} made an account for {whom}"),
        "email.asked" => format!(
            "{who} asked for another e-mail address of {whose} account: {}",
            fact("email")
        ),
        "account.changed" | "email.changed" => account_changed(entry, &who, (&whom, &whose)),
        "role.changed" => format!("{who} changed what {whom} may do in {vault}"),
        "invite.made" if !entry.subject.contains('@') => format!("{who} made an invitation"),
        "invite.withdrawn" if !entry.subject.contains('@') => {
            format!("{who} withdrew an invitation")
        }
        "invite.made" => format!("{who} invited {whom}"),
        "invite.used" => format!("{who} used an invitation"),
        "invite.withdrawn" => format!("{who} withdrew the invitation of {whom}"),
        "group.made" => format!("{who} made the group {whom}"),
        "group.changed" => group_changed(entry, &who, &vault),
        "group.removed" => format!("{who} removed the group {whom}"),
        "sign_in.throttled" => format!(
            "Too many tries{}: some were refused unseen",
            if whom.is_empty() {
                String::new()
            } else {
                format!(" to sign in as {whom}")
            }
        ),
        "throttle.lifted" => format!("{who} let {whom} try again at once"),
        "key.rotated" => format!("{who} replaced the key {whom}"),
        "master_key.replaced" => format!("{who} replaced the master key by {whom}"),
        "vault.created" => format!("{who} made the vault {whom}"),
        action => match action.strip_prefix("file.") {
            Some(verb) => format!("{who} {} {whom}", of_file(verb)),
            None => format!("{who}: {action}, {whom}"),
        },
    }
}

fn refused(entry: &AuditEntry, who: &str, viewer: &str) -> String {
    let fact = |name: &str| entry.facts.get(name).map(plain).unwrap_or_default();
    let asked = if entry.facts.contains_key("request") {
        fact("request")
    } else {
        entry.subject.clone()
    };
    match entry.reason.as_deref() {
        Some("cross_site") => {
            let whose = if entry.actor == viewer {
                "your".to_owned()
            } else {
                format!("{who}'s")
            };
            let site = if fact("site").is_empty() {
                String::new()
            } else {
                format!(" ({})", fact("site"))
            };
            format!(
                "Another website{site} tried to act with {whose} sign-in and was refused: {asked}"
            )
        }
        Some("not_in_person") => {
            format!("A token of {who} was refused what only the person may do: {asked}")
                .replace("A token of You", "A token of yours")
        }
        Some("scope_missing") => format!("{who} used a token that may not do this: {asked}"),
        _ => format!("{who} asked for something that is not allowed: {asked}"),
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

fn factor(entry: &AuditEntry) -> String {
    let fact = |name: &str| entry.facts.get(name).map(plain).unwrap_or_default();
    let kind = match fact("kind").as_str() {
        "totp" => "an authenticator app",
        "passkey" => "a passkey",
        _ => "a second factor",
    };
    format!("{kind}{}", quoted(&fact("name")))
}

/// The one thing that changed, where it has a word of its own; otherwise the lines below say what.
fn account_changed(entry: &AuditEntry, who: &str, (whom, whose): (&str, &str)) -> String {
    match (
        after(entry, "standing").as_str(),
        after(entry, "administrator").as_str(),
    ) {
        ("disabled", _) => format!("{who} disabled {whose} account"),
        ("active", _) => format!("{who} enabled {whose} account"),
        ("deleted", _) => format!("{who} deleted {whose} account"),
        (_, "yes") => format!("{who} made {whom} an administrator"),
        (_, "no") => format!("{who} took the rights of an administrator from {whom}"),
        _ => format!("{who} changed {whose} account"),
    }
}

fn group_changed(entry: &AuditEntry, who: &str, vault: &str) -> String {
    let group = &entry.subject;
    match (before(entry, "member"), after(entry, "member")) {
        (gone, new) if new.is_empty() && !gone.is_empty() => {
            format!("{who} took {gone} out of the group {group}")
        }
        (_, new) if !new.is_empty() => format!("{who} put {new} into the group {group}"),
        _ => format!("{who} changed what the group {group} may do in {vault}"),
    }
}

/// What a sign-in came after, where that is worth saying.
fn after_what(entry: &AuditEntry) -> String {
    let count = |name: &str| entry.facts.get(name).and_then(Value::as_u64);
    let refused =
        count("refused_before").map(|tries| format!(", after {tries} tries that were refused"));
    let away = count("days_away").map(|days| format!(", for the first time in {days} days"));
    [refused, away].into_iter().flatten().collect()
}

/// What an operation on a file is called in the past.
fn of_file(verb: &str) -> &str {
    match verb {
        "add" => "added",
        "checkout" | "check_out" => "checked out",
        "cancel" => "gave back",
        "checkin" | "check_in" => "checked in",
        "override" => "broke the lock of",
        "describe" => "described",
        "move" => "moved",
        "restore" => "restored",
        "delete" => "deleted",
        other => other,
    }
}

fn sessions(entry: &AuditEntry, whose: &str) -> String {
    match entry.facts.get("sessions").and_then(Value::as_u64) {
        Some(many) => format!("{many} of {whose} sessions"),
        None => format!("one of {whose} sessions"),
    }
}

fn why(entry: &AuditEntry) -> &'static str {
    match entry.reason.as_deref() {
        Some("signed_out") => " by signing out",
        Some("revoked") => ": the program gave it back",
        Some("replayed") => ", which was used from two places at once",
        Some("password_changed") => " by changing the password",
        Some("factors_changed") => " by changing second factors",
        _ => "",
    }
}

/// What was tried, from the word in the audit.
fn secret(entry: &AuditEntry) -> &'static str {
    match entry.reason.as_deref() {
        Some("totp") => "one-time code",
        Some("recovery_code") => "recovery code",
        Some("passkey") => "passkey",
        Some("password") => "password",
        _ => "secret",
    }
}

fn before(entry: &AuditEntry, name: &str) -> String {
    entry
        .before
        .as_ref()
        .and_then(|members| members.get(name))
        .map(plain)
        .unwrap_or_default()
}

fn after(entry: &AuditEntry, name: &str) -> String {
    entry
        .after
        .as_ref()
        .and_then(|members| members.get(name))
        .map(plain)
        .unwrap_or_default()
}

fn changes(entry: &AuditEntry) -> Vec<String> {
    let members = |side: &Option<Value>| {
        side.as_ref()
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (members(&entry.before), members(&entry.after));
    if before.is_empty() {
        // Everything is new: the sentence says so.
        return Vec::new();
    }
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    let names = names.filter(|name| !is_said(&entry.action, name));
    let side = |members: &serde_json::Map<String, Value>, name: &str| {
        let text: String = members
            .get(name)
            .map(plain)
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect();
        if text.is_empty() {
            "nothing".to_owned()
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

/// What the sentence has said already, and what no person compares.
fn is_said(action: &str, name: &str) -> bool {
    match (action, name) {
        ("account.changed", "standing" | "administrator") | ("group.changed", "member") => true,
        ("file.override", "locked_by") => false,
        (action, "locked_by" | "deleted" | "sha256") => action.starts_with("file."),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn mark(entry: &AuditEntry, viewer: &str) -> Option<Mark> {
    let mark = |word, alarming| Some(Mark { word, alarming });
    let is_new = entry.facts.get("new_device").and_then(Value::as_bool) == Some(true);
    let by_another = entry.subject == viewer && entry.actor != viewer;
    match entry.action.as_str() {
        "sign_in" if entry.facts.contains_key("refused_before") => mark("After many tries", true),
        "sign_in" | "sign_in.half_way" if is_new => mark("New place", true),
        "sign_in" if entry.facts.contains_key("days_away") => mark("After a long time", true),
        "sign_in.refused" => mark("Refused", true),
        "sign_in.throttled" => mark("Many tries", true),
        "action.refused" => mark("Refused", entry.reason.as_deref() == Some("cross_site")),
        "refresh.replayed" => mark("Copied?", true),
        "everybody.signed_out" if entry.actor != viewer => mark("By somebody else", true),
        "factors.recovered" => mark("Second factors", true),
        "recovery_code.used" => mark("Recovery code", true),
        action if by_another && action.starts_with("account.") => mark("By somebody else", true),
        action if action.starts_with("password.") && action != "password.rehashed" => {
            mark("Password", false)
        }
        action if action.starts_with("factor.") || action.starts_with("recovery_codes.") => {
            mark("Second factors", false)
        }
        action if action.starts_with("token.") || action.starts_with("device.") => {
            mark("Access", false)
        }
        "file.override" => mark("Lock broken", true),
        "file.delete" => mark("Deleted", false),
        _ if by_another => mark("By somebody else", false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
