//! Tests of the sentences.

use serde_json::json;

use super::*;

#[expect(
    clippy::needless_pass_by_value,
    reason = "each entry is created in the call"
)]
fn describe_entry(entry: Value, viewer: &str) -> ActivityEntry {
    let mut whole = json!({"chain": "accounts", "n": 1, "at": "2026-01-02T03:04:05Z", "actor": "ada", "subject": "ada",
        "hash": "", "prev_hash": ""});
    whole
        .as_object_mut()
        .unwrap()
        .append(&mut entry.as_object().unwrap().clone());
    ActivityEntry::describe(serde_json::from_value(whole).unwrap(), viewer)
}

#[test]
fn activity_sentences_depend_on_the_viewer() {
    let role = json!({"actor": "root", "action": "role.changed", "vault": "main",
        "before": {"role": "viewer"}, "after": {"role": "editor"}});
    let own = describe_entry(role.clone(), "ada");
    assert_eq!(own.sentence, "root changed your role in main");
    assert_eq!(own.changes, ["role: viewer → editor"]);
    assert_eq!(
        own.badge,
        Some(Badge {
            label: "By another user",
            is_alert: false
        })
    );
    assert_eq!(
        describe_entry(role, "eve").sentence,
        "root changed ada's role in main"
    );
    let refused = describe_entry(
        json!({"action": "sign_in.refused", "reason": "password"}),
        "ada",
    );
    assert_eq!(refused.sentence, "Failed sign-in as you: wrong password");
    assert!(refused.badge.is_some_and(|badge| badge.is_alert));
    let ended = json!({"action": "session.ended", "reason": "signed_out"});
    assert_eq!(
        describe_entry(ended.clone(), "ada").sentence,
        "You ended one of your sessions by signing out"
    );
    assert_eq!(
        describe_entry(ended, "eve").sentence,
        "ada ended one of their sessions by signing out"
    );
}

#[test]
fn activity_sentences_name_the_change() {
    let sentence = |entry: Value| describe_entry(entry, "ada").sentence;
    let of_group = |before: Value, after: Value| {
        let entry = json!({"action": "group.changed", "subject": "design", "vault": "main", "before": before,
            "after": after});
        sentence(entry)
    };
    assert_eq!(
        of_group(json!(null), json!({"member": "eve"})),
        "You added eve to the group design"
    );
    assert_eq!(
        of_group(json!({"member": "eve"}), json!(null)),
        "You removed eve from the group design"
    );
    let role = of_group(json!({"role": null}), json!({"role": "editor"}));
    assert_eq!(role, "You changed the role of the group design in main");
    let disabled = json!({"action": "account.changed", "subject": "eve", "before": {"standing": "active"},
        "after": {"standing": "disabled"}});
    assert_eq!(
        describe_entry(disabled.clone(), "ada").changes,
        Vec::<String>::new()
    );
    assert_eq!(sentence(disabled), "You disabled eve's account");
    let invited = json!({"action": "invite.made", "subject": "d8652face2445ff9c0bc17c33b32b59e"});
    assert_eq!(sentence(invited), "You created an invitation");
    let added = json!({"action": "factor.added", "facts": {"kind": "passkey", "name": "My phone"}});
    assert_eq!(
        sentence(added),
        "You added a passkey “My phone” to your account"
    );
    let checked_in = json!({"action": "file.checkin", "subject": "vise.step",
        "before": {"locked_by": "ada", "revision": 1, "sha256": "ab"},
        "after": {"locked_by": null, "revision": 2, "sha256": "cd"}});
    assert_eq!(
        describe_entry(checked_in, "ada").changes,
        ["revision: 1 → 2"]
    );
}

#[test]
fn repeated_denials_from_one_address_are_collapsed() {
    let refused = |n: i64, address: &str| {
        let entry = json!({"chain": "accounts", "n": n, "at": format!("2026-01-02T03:04:0{n}Z"), "actor": "",
            "subject": "ada", "action": "sign_in.refused", "reason": "password", "hash": "", "prev_hash": "",
            "from": {"address": address}});
        serde_json::from_value::<AuditEntry>(entry).unwrap()
    };
    let entries = vec![
        refused(4, "192.0.2.1"),
        refused(3, "192.0.2.1"),
        refused(2, "192.0.2.1"),
        refused(1, "192.0.2.9"),
    ];
    let described = ActivityEntry::describe_all(entries, "ada");
    assert_eq!(
        described.iter().map(|it| it.count).collect::<Vec<_>>(),
        [3, 1]
    );
    assert_eq!(
        described[0].first_at,
        "2026-01-02T03:04:02Z".parse().unwrap()
    );
}

#[test]
fn audit_actions_have_an_activity_sentence() {
    for action in auth::audit::AuditAction::ALL {
        let sentence = describe_entry(json!({"action": action.as_str()}), "eve").sentence;
        let raw = sentence.contains(&format!(": {action}, "));
        assert!(
            !raw || *action == auth::audit::AuditAction::AuditSealed,
            "{sentence}"
        );
    }
}
