//! Every operation of the API: its handler, its operation id, and the problems that it alone answers.
//! [`crate::routes`] adds the problems that follow from its door, its path and its body.

use serde_json::Value;

use crate::{
    api::{audit, auth, document, events, files, groups, service, throttle, users, vaults},
    routes::{ApiRouter, ExtraProblem},
};

/// `operations![api; files::check_out as "check_out_file" [409 "The file is locked."], …]`: the module's
/// `handle`, with its operation id and its own problems.
macro_rules! operations {
    ($api:expr; $($($module:ident)::+ as $name:literal $([$($status:literal $text:literal),* $(,)?])?),* $(,)?) => {{
        let api = $api;
        $(let api = api.route::<$($module)::+::__path_handle, _, _>(
            $name,
            &[$($(ExtraProblem { status: $status, text: $text }),*)?],
            $($module)::+::handle,
        );)*
        api
    }};
}

/// All operations, in the order of the API document.
pub(crate) fn router() -> ApiRouter {
    let api = account_operations(sign_in_operations(ApiRouter::new(document::base())));
    file_operations(admin_operations(passkey_operations(api)))
}

/// The API document, for tests and tools.
#[must_use]
pub fn openapi() -> Value {
    let document = serde_json::to_value(router().into_parts().1);
    document::finish(document.unwrap_or_default())
}

fn sign_in_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        auth::register as "register_account" [
            403 "Registration is closed, or the invitation is missing or invalid.",
            409 "The name is taken.",
            429 "Too many attempts.",
        ],
        auth::token as "issue_token",
        auth::revoke as "revoke_token",
        auth::introspect as "introspect_token",
        auth::logout as "end_own_session",
        auth::me as "show_me",
        auth::profile as "change_me" [429 "Too many address changes."],
        auth::confirm_email as "confirm_email" [
            403 "The link is invalid, used or expired.",
            429 "Too many attempts.",
        ],
        auth::send_email_link as "send_email_link" [
            409 "The account has no unconfirmed address, or this server sends no mail.",
            429 "Too many mails.",
        ],
        auth::password as "change_password" [
            403 "The current password is incorrect.",
            429 "Too many attempts.",
        ],
        auth::device::authorize as "authorize_device",
        auth::device::lookup as "look_up_device" [
            404 "No device is pending with this code, or another account has looked it up.",
            429 "Five codes were invalid.",
        ],
        auth::device::decide as "decide_device" [
            404 "No device is pending with this code, or the code was not looked up.",
            429 "Five codes were invalid.",
        ],
        auth::authorize as "authorize_client",
        auth::ticket as "issue_ticket",
        auth::metadata as "show_authorization_server",
        auth::metadata::jwks as "list_signing_keys",
        auth::password_reset::request as "request_password_reset" [429 "Too many attempts."],
        auth::password_reset::confirm as "reset_password" [
            403 "The link is invalid, used, replaced or expired.",
            429 "Too many attempts.",
        ],
    ]
}

fn account_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        auth::factors::list as "list_factors",
        auth::factors::rename as "rename_factor" [404 "The account has no such factor."],
        auth::factors::remove as "remove_factor" [
            404 "The account has no such factor.",
            409 "The factor is the last one, and this server requires one.",
        ],
        auth::recovery_codes::create as "create_recovery_codes" [
            404 "The account has no second factor.",
        ],
        auth::totp::start as "start_totp" [409 "The account already has an authenticator app."],
        auth::totp::confirm as "confirm_totp" [
            409 "This session has no pending enrollment, or it has expired.",
        ],
        auth::step_up::options as "show_step_up_options",
        auth::step_up::confirm as "confirm_step_up" [
            403 "The password or the code is incorrect.",
            429 "Too many attempts.",
        ],
        auth::sessions::list as "list_sessions",
        auth::sessions::end as "end_session" [404 "The account has no such live session."],
        auth::sessions::end_others as "end_other_sessions",
        auth::identities::list as "list_identities",
        auth::identities::link as "link_identity" [
            404 "The provider is not configured.",
            502 "The provider did not respond.",
        ],
        auth::identities::unlink as "unlink_identity" [
            404 "The identity is not linked to this account.",
        ],
        auth::tokens::list as "list_tokens",
        auth::tokens::create as "create_token",
        auth::tokens::end as "revoke_personal_token" [404 "The account has no such live token."],
        auth::invites::list as "list_invites",
        auth::invites::create as "create_invite" [
            404 "You have no role in this vault.",
            409 "Too many invitations are open.",
        ],
        auth::invites::preview as "preview_invite" [
            403 "The invitation is invalid, used or expired.",
            429 "Too many attempts.",
        ],
        auth::invites::withdraw as "withdraw_invite" [404 "You have no such open invitation."],
    ]
}

fn passkey_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        auth::passkeys::list as "list_passkeys",
        auth::passkeys::register_options as "start_passkey" [
            404 "Passkeys are not available at the public URL of this server.",
            409 "The account has too many passkeys.",
        ],
        auth::passkeys::register as "add_passkey" [
            404 "Passkeys are not available at the public URL of this server.",
            409 "The passkey is already registered, or the account has too many.",
            410 "The ceremony has expired, was used before, or belongs to another session.",
        ],
        auth::passkeys::rename as "rename_passkey" [404 "The account has no such passkey."],
        auth::passkeys::remove as "remove_passkey" [
            404 "The account has no such passkey.",
            409 "The passkey is the last second factor, and this server requires one.",
        ],
        auth::passkeys::sign_in_options as "start_passkey_sign_in" [
            403 "The request did not come from a page of this server.",
            404 "Passkeys are not available at the public URL of this server.",
        ],
        auth::passkeys::sign_in as "finish_passkey_sign_in" [
            401 "The passkey was rejected. The response does not reveal the reason.",
            403 "The request did not come from a page of this server.",
            404 "Passkeys are not available at the public URL of this server.",
            410 "The ceremony has expired, was used before, or belongs to another browser.",
            429 "Too many attempts.",
        ],
        auth::passkeys::mfa_options as "start_passkey_second_step" [
            401 "No sign-in is pending, or it has expired.",
            403 "The request did not come from a page of this server.",
            404 "The account has no passkey.",
        ],
        auth::passkeys::mfa as "finish_passkey_second_step" [
            401 "The passkey was rejected, or no sign-in is pending.",
            403 "The request did not come from a page of this server.",
            410 "The ceremony has expired or was used before.",
            429 "Too many attempts.",
        ],
        auth::passkeys::step_up_options as "start_passkey_step_up" [
            404 "The account has no passkey.",
        ],
        auth::passkeys::step_up as "finish_passkey_step_up" [
            403 "The passkey was rejected.",
            410 "The ceremony has expired or was used before.",
            429 "Too many attempts.",
        ],
    ]
}

fn admin_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        audit::own as "list_own_audit",
        audit::list as "list_audit",
        audit::of_one_vault as "list_vault_audit",
        users::list as "list_users",
        users::show as "show_user",
        users::change as "change_user" [409 "The account is the last administrator."],
        users::delete as "delete_user" [409 "The account is the last administrator."],
        users::reset_link as "create_reset_link" [409 "The account is disabled or your own."],
        users::end_sessions as "end_user_sessions",
        users::end_all_sessions as "end_all_sessions",
        users::reset_factors as "recover_user" [409 "The account is your own."],
        vaults::list as "list_vaults",
        vaults::create as "create_vault" [409 "The name is taken."],
        vaults::show as "show_vault" [404 "You have no role in this vault."],
        vaults::members as "list_members",
        vaults::set_member as "set_member",
        vaults::remove_member as "remove_member",
        vaults::groups::list as "list_vault_groups",
        vaults::groups::set as "set_group_role",
        vaults::groups::remove as "remove_group_role",
        groups::list as "list_groups",
        groups::create as "create_group" [409 "The name is taken."],
        groups::show as "show_group",
        groups::delete as "delete_group",
        groups::add_member as "add_group_member",
        groups::remove_member as "remove_group_member",
        throttle::list as "list_lockouts",
        throttle::lift_account as "lift_account_lockout",
        throttle::lift_network as "lift_network_lockout",
        service::live as "check_liveness",
        service::ready as "check_readiness" [503 "Not ready."],
        service::metrics as "show_metrics" [
            401 "There is no token, or it is invalid.",
            403 "The token is neither the metrics token nor an administrator's.",
        ],
        service::docs as "show_openapi",
    ]
}

fn file_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        files::list as "list_files",
        files::show as "show_file",
        files::content as "download_file" [416 "The range is outside the content."],
        files::add as "add_file" [
            409 "The file exists. Check it out to change it.",
            507 "The disk is full. Nothing has changed.",
        ],
        files::describe as "describe_file" [409 "Another user holds the file."],
        files::check_out as "check_out_file" [409 "The file is already locked."],
        files::cancel as "cancel_check_out" [409 "The file is not locked."],
        files::check_in as "check_in_file" [
            409 "The file is not checked out.",
            412 "`If-Match` names another revision than the newest.",
            507 "The disk is full. Nothing has changed.",
        ],
        files::override_lock as "override_lock" [409 "The file is not locked."],
        files::delete as "delete_file" [409 "Another user holds the file."],
        files::move_to as "move_file" [409 "The new name is taken, or another user holds the file."],
        files::restore as "restore_file" [409 "Another user holds the file, or its name is taken."],
        files::history as "list_revisions",
        files::changes as "list_changes",
        events::stream as "stream_events",
    ]
}
