//! Every route with its handler. `route` adds an operation to the API document; `page` adds a route
//! for browsers.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};
use utoipa::openapi::OpenApi;

use crate::{
    api::{
        audit, auth, document, events, files, groups,
        service::{self, docs},
        throttle, users, vaults,
    },
    error::Problem,
    middleware::{buffer_and_detach::buffer_and_detach, response::finish_response},
    routes::ApiRouter,
    state::AppState,
    static_content::NoCompression,
    web::{
        assets,
        pages::{
            accept_invitation, account, audit as audit_page, authorize, confirm_email, device,
            factors, groups as groups_page, invites, lockouts, mfa, password_reset, security,
            setup, sign_in, tokens, upstream, user, users as users_page, vault,
        },
        password_strength,
    },
};

/// `operations![api; files::check_out, …]`: the module's `handle`, under the module's name.
macro_rules! operations {
    ($api:expr; $($($module:ident)::+ as $name:literal),* $(,)?) => {{
        let api = $api;
        $(let api = api.route::<$($module)::+::__path_handle, _, _>($name, $($module)::+::handle);)*
        api
    }};
}

/// The router of the service, with its layers.
pub fn router(state: AppState) -> Router {
    // The outermost layer comes first. They are one tuple because each call of axum's `layer` boxes
    // the service once more, and clones every box for each request.
    let layers = (
        from_fn_with_state(state.clone(), finish_response),
        CatchPanicLayer::custom(panic_response),
        CompressionLayer::new().compress_when(worth_compressing()),
        from_fn(buffer_and_detach),
        DefaultBodyLimit::disable(),
    );
    let router = api().into_parts().0;
    let router = router.fallback(|| async { Problem::NoRoute });
    router
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .layer(layers)
        .with_state(state)
}

/// The API document, for tests and tools.
#[must_use]
pub fn openapi() -> OpenApi {
    api().into_parts().1
}

fn api() -> ApiRouter {
    let api = sign_in_operations(ApiRouter::new(document::base()));
    pages(file_operations(admin_operations(account_operations(api))))
}

fn sign_in_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        auth::register as "register",
        auth::token as "token",
        auth::revoke as "revoke",
        auth::introspect as "introspect",
        auth::logout as "logout",
        auth::me as "me",
        auth::profile as "change_me",
        auth::confirm_email as "confirm_email",
        auth::send_email_link as "send_email_link",
        auth::password as "change_password",
        auth::device::authorize as "device",
        auth::device::lookup as "look_at_device",
        auth::device::decide as "decide_device",
        auth::authorize as "authorize",
        auth::ticket as "ws_ticket",
        auth::metadata as "authorization_server",
        auth::metadata::jwks as "jwks",
        auth::password_reset::request as "ask_reset",
        auth::password_reset::confirm as "reset_password",
    ]
}

fn account_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        auth::factors::list as "factors",
        auth::factors::rename as "rename_factor",
        auth::factors::remove as "remove_factor",
        auth::recovery_codes::create as "make_recovery_codes",
        auth::totp::start as "begin_totp",
        auth::totp::confirm as "confirm_totp",
        auth::step_up::options as "step_up_needs",
        auth::step_up::confirm as "step_up",
        auth::sessions::list as "sessions",
        auth::sessions::end as "end_session",
        auth::sessions::end_others as "end_other_sessions",
        auth::identities::list as "identities",
        auth::identities::link as "link_identity",
        auth::identities::unlink as "unlink_identity",
        auth::tokens::list as "tokens",
        auth::tokens::create as "make_token",
        auth::tokens::end as "end_token",
        auth::invites::list as "invites",
        auth::invites::create as "invite",
        auth::invites::preview as "preview_invite",
        auth::invites::withdraw as "withdraw_invite",
        auth::passkeys::list as "passkeys",
        auth::passkeys::register_options as "passkey_options",
        auth::passkeys::register as "add_passkey",
        auth::passkeys::rename as "rename_passkey",
        auth::passkeys::remove as "remove_passkey",
        auth::passkeys::sign_in_options as "passkey_sign_in_options",
        auth::passkeys::sign_in as "passkey_sign_in",
        auth::passkeys::mfa_options as "passkey_second_step_options",
        auth::passkeys::mfa as "passkey_second_step",
        auth::passkeys::step_up_options as "passkey_step_up_options",
        auth::passkeys::step_up as "passkey_step_up",
    ]
}

fn admin_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        audit::own as "own_audit",
        audit::list as "audit",
        audit::of_one_vault as "vault_audit",
        users::list as "users",
        users::show as "user",
        users::change as "change_user",
        users::delete as "delete_user",
        users::reset_link as "reset_link",
        users::end_sessions as "end_sessions_of_user",
        users::end_all_sessions as "end_sessions_of_everybody",
        users::reset_factors as "recover_user",
        vaults::list as "vaults",
        vaults::create as "create_vault",
        vaults::show as "vault",
        vaults::members as "members",
        vaults::set_member as "set_member",
        vaults::remove_member as "remove_member",
        vaults::groups::list as "vault_groups",
        vaults::groups::set as "set_group_role",
        vaults::groups::remove as "remove_group_role",
        groups::list as "groups",
        groups::create as "create_group",
        groups::show as "group",
        groups::delete as "delete_group",
        groups::add_member as "add_group_member",
        groups::remove_member as "remove_group_member",
        throttle::list as "lockouts",
        throttle::lift_account as "lift_account",
        throttle::lift_network as "lift_network",
        service::live as "live",
        service::ready as "ready",
        service::metrics as "metrics",
        service::docs as "openapi",
    ]
}

fn file_operations(api: ApiRouter) -> ApiRouter {
    operations![api;
        files::list as "files",
        files::show as "file",
        files::content as "content",
        files::add as "add",
        files::describe as "describe",
        files::check_out as "check_out",
        files::cancel as "cancel",
        files::check_in as "check_in",
        files::override_lock as "override_lock",
        files::delete as "delete",
        files::move_to as "move",
        files::restore as "restore",
        files::history as "history",
        files::changes as "changes",
        events::stream as "events",
    ]
}

fn pages(api: ApiRouter) -> ApiRouter {
    let (get, post) = (MethodFilter::GET, MethodFilter::POST);
    api.page(get, "/", vault::home)
        .page(get, "/v/{vault}", vault::root)
        .page(get, "/v/{vault}/audit", audit_page::of_vault)
        .page(get, "/v/{vault}/deleted", vault::deleted)
        .page(get, "/v/{vault}/f/{*path}", vault::subfolder)
        .page(get, "/v/{vault}/h/{*path}", vault::file)
        .page(get, "/sign-in", sign_in::sign_in_page)
        .page(post, "/sign-in", sign_in::sign_in)
        .page(get, "/sign-in/second", mfa::page)
        .page(post, "/sign-in/second", mfa::submit)
        .page(get, "/sign-up", sign_in::sign_up_page)
        .page(post, "/sign-up", sign_in::sign_up)
        .page(post, "/sign-out", sign_in::sign_out)
        .page(get, "/first", setup::page)
        .page(post, "/first", setup::create_administrator)
        .page(get, "/forgot", password_reset::forgot_page)
        .page(post, "/forgot", password_reset::forgot)
        .page(get, "/reset", password_reset::reset_page)
        .page(post, "/reset", password_reset::reset)
        .page(post, "/auth/password-check", password_strength::check)
        .page(get, "/account", account::page)
        .page(get, "/account/security", security::page)
        .page(get, "/account/tokens", tokens::page)
        .page(get, "/device", device::page)
        .page(get, "/auth/authorize", authorize::page)
        .page(get, "/confirm-email", confirm_email::page)
        .page(post, "/confirm-email", confirm_email::confirm)
        .page(get, "/join", accept_invitation::page)
        .page(post, "/join", accept_invitation::accept)
        .page(get, "/account/factors", factors::page)
        .page(get, "/admin/audit", audit_page::page)
        .page(get, "/admin/users", users_page::page)
        .page(get, "/admin/users/{username}", user::page)
        .page(get, "/admin/groups", groups_page::page)
        .page(get, "/admin/invites", invites::page)
        .page(get, "/admin/throttle", lockouts::page)
        .page(get, "/assets/{build}/{*path}", assets::asset)
        .page(get, "/ws", events::socket::handle)
        .page(get, "/auth/oidc/{provider}", upstream::start_login)
        .page(get, "/auth/oidc/{provider}/callback", upstream::callback)
        .page(get, "/auth/oidc/{provider}/icon", upstream::icon)
        .page(get, "/docs", docs::index)
        .page(get, "/docs/{file}", docs::file)
}

/// Excludes file content, which is served in ranges and mostly compressed already, and event
/// streams.
fn worth_compressing() -> impl Predicate {
    SizeAbove::new(1024)
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::IMAGES)
        .and(
            |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| {
                extensions.get::<NoCompression>().is_none()
            },
        )
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panic_response(payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let payload = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned());
    Problem::Internal(format!("panic: {}", payload.unwrap_or_default())).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request, routing::on};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn handler_panic_returns_500_without_details() {
        async fn panics() -> StatusCode {
            panic!("hunter2 in /var/lib/strongroom")
        }
        let router = Router::new()
            .route("/", on(MethodFilter::GET, panics))
            .route("/well", on(MethodFilter::GET, || async { "well" }))
            .layer(CatchPanicLayer::custom(panic_response));
        for (path, status) in [("/", 500), ("/well", 200), ("/", 500), ("/well", 200)] {
            let answer = router
                .clone()
                .oneshot(Request::get(path).body(Body::empty()).unwrap())
                .await
                .unwrap();
            assert_eq!(answer.status().as_u16(), status);
            let text = axum::body::to_bytes(answer.into_body(), 1 << 16)
                .await
                .unwrap();
            assert!(
                !String::from_utf8_lossy(&text).contains("hunter2"),
                "{text:?}"
            );
        }
    }
}
