//! Accounts, what they sign in with, invitations and groups.

use super::{Wording, quoted, sign_in::end_reason};
use crate::web::activity::facts::{value_after, value_before};

/// Access tokens and passwords.
pub(super) fn of_credential(wording: &Wording<'_>) -> Option<String> {
    let Wording {
        entry,
        who,
        possessive,
        ..
    } = wording;
    Some(match entry.action.as_str() {
        "token.made" => {
            let label = value_after(entry, "label");
            format!("{who} created the access token “{label}”")
        }
        "token.ended" => {
            let label = wording.fact("label");
            format!(
                "{who} revoked the access token “{label}”{}",
                end_reason(entry)
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
        _ => return None,
    })
}

/// Second factors, passkeys, recovery codes and providers.
pub(super) fn of_factor(wording: &Wording<'_>) -> Option<String> {
    let Wording {
        entry,
        who,
        possessive,
        ..
    } = wording;
    Some(match entry.action.as_str() {
        "factor.added" => {
            let factor = factor_label(wording);
            format!("{who} added {factor} to {possessive} account")
        }
        "factor.removed" => {
            let factor = factor_label(wording);
            format!("{who} removed {factor} from {possessive} account")
        }
        "factor.renamed" => {
            let name = quoted(&wording.fact("name"));
            format!("{who} renamed one of {possessive} second factors{name}")
        }
        "passkey.copied" => format!(
            "One of {possessive} passkeys was rejected: its signature counter went back, so it may \
             have been cloned"
        ),
        "factors.recovered" => format!("{who} reset {possessive} second factors"),
        "recovery_codes.made" => {
            format!("{who} generated new recovery codes for {possessive} account")
        }
        "recovery_code.used" => {
            let left = wording.fact("left");
            format!("{who} used a recovery code ({left} left)")
        }
        "provider.linked" => {
            let provider = value_after(entry, "provider");
            format!("{who} connected {possessive} account to {provider}")
        }
        "provider.unlinked" => {
            let provider = value_before(entry, "provider");
            format!("{who} disconnected {possessive} account from {provider}")
        }
        _ => return None,
    })
}

pub(super) fn of_account(wording: &Wording<'_>) -> Option<String> {
    let Wording {
        who,
        object,
        possessive,
        by_self,
        ..
    } = wording;
    Some(match wording.entry.action.as_str() {
        "account.created" if *by_self => format!("{who} created {possessive} account"),
        "account.created" => format!("{who} created an account for {object}"),
        "email.asked" => {
            let email = wording.fact("email");
            format!("{who} requested a new e-mail address for {possessive} account: {email}")
        }
        "account.changed" | "email.changed" => account_changed(wording),
        "role.changed" => {
            let vault = wording.vault();
            format!("{who} changed {possessive} role in {vault}")
        }
        _ => return None,
    })
}

/// Invitations and groups.
pub(super) fn of_people(wording: &Wording<'_>) -> Option<String> {
    let Wording {
        entry, who, object, ..
    } = wording;
    let is_addressed = entry.subject.contains('@');
    Some(match entry.action.as_str() {
        "invite.made" if !is_addressed => format!("{who} created an invitation"),
        "invite.withdrawn" if !is_addressed => format!("{who} withdrew an invitation"),
        "invite.made" => format!("{who} invited {object}"),
        "invite.used" => format!("{who} used an invitation"),
        "invite.withdrawn" => format!("{who} withdrew the invitation of {object}"),
        "group.made" => format!("{who} created the group {object}"),
        "group.changed" => group_changed(wording),
        "group.removed" => format!("{who} deleted the group {object}"),
        _ => return None,
    })
}

fn factor_label(wording: &Wording<'_>) -> String {
    let kind = match wording.fact("kind").as_str() {
        "totp" => "an authenticator app",
        "passkey" => "a passkey",
        _ => "a second factor",
    };
    format!("{kind}{}", quoted(&wording.fact("name")))
}

/// Names the change if it has a sentence of its own. Otherwise the list of changes shows it.
fn account_changed(wording: &Wording<'_>) -> String {
    let Wording {
        entry,
        who,
        object,
        possessive,
        ..
    } = wording;
    match (
        value_after(entry, "standing").as_str(),
        value_after(entry, "administrator").as_str(),
    ) {
        ("disabled", _) => format!("{who} disabled {possessive} account"),
        ("active", _) => format!("{who} enabled {possessive} account"),
        ("deleted", _) => format!("{who} deleted {possessive} account"),
        (_, "yes") => format!("{who} made {object} an administrator"),
        (_, "no") => format!("{who} removed administrator rights from {object}"),
        _ => format!("{who} changed {possessive} account"),
    }
}

fn group_changed(wording: &Wording<'_>) -> String {
    let Wording { entry, who, .. } = wording;
    let group = &entry.subject;
    match (value_before(entry, "member"), value_after(entry, "member")) {
        (removed, added) if added.is_empty() && !removed.is_empty() => {
            format!("{who} removed {removed} from the group {group}")
        }
        (_, added) if !added.is_empty() => format!("{who} added {added} to the group {group}"),
        _ => {
            let vault = wording.vault();
            format!("{who} changed the role of the group {group} in {vault}")
        }
    }
}
