//! The routes of the service with their layers: the operations of the API, and the pages for
//! browsers.

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

use crate::{
    api::events,
    error::Problem,
    middleware::{buffer_and_detach::buffer_and_detach, response::finish_response},
    operations,
    routes::ApiRouter,
    state::AppState,
    static_content::NoCompression,
    web::{
        assets,
        pages::{
            accept_invitation, account, audit as audit_page, authorize, confirm_email, device,
            docs, factors, groups as groups_page, invites, lockouts, mfa, notices, password_reset,
            security, setup, sign_in, sign_up, tokens, upstream, user, users as users_page, vault,
        },
        password_strength, site_files,
    },
};

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

fn api() -> ApiRouter {
    pages(operations::router())
}

/// Some clients end every path with a slash.
fn endpoints_with_slash(api: ApiRouter) -> ApiRouter {
    use crate::api::auth::{introspect, logout, me, register, revoke, token};

    let (get, post) = (MethodFilter::GET, MethodFilter::POST);
    api.page(post, "/auth/token/", token::handle)
        .page(post, "/auth/revoke/", revoke::handle)
        .page(post, "/auth/introspect/", introspect::handle)
        .page(post, "/auth/register/", register::handle)
        .page(post, "/auth/logout/", logout::handle)
        .page(get, "/auth/me/", me::handle)
}

fn vault_pages(api: ApiRouter) -> ApiRouter {
    let get = MethodFilter::GET;
    api.page(get, "/", vault::home)
        .page(get, "/v/{vault}", vault::root)
        .page(get, "/v/{vault}/audit", audit_page::of_vault)
        .page(get, "/v/{vault}/deleted", vault::deleted)
        .page(get, "/v/{vault}/f/{*path}", vault::subfolder)
        .page(get, "/v/{vault}/h/{*path}", vault::file)
}

fn pages(api: ApiRouter) -> ApiRouter {
    let (get, post) = (MethodFilter::GET, MethodFilter::POST);
    let api = vault_pages(endpoints_with_slash(api));
    api.page(get, "/sign-in", sign_in::sign_in_page)
        .page(post, "/sign-in", sign_in::sign_in)
        .page(get, "/sign-in/second", mfa::page)
        .page(post, "/sign-in/second", mfa::submit)
        .page(get, "/sign-up", sign_up::sign_up_page)
        .page(post, "/sign-up", sign_up::sign_up)
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
        .page(get, "/notices", notices::page)
        .page(post, "/notices/dismiss", notices::dismiss)
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
        .page(get, "/favicon.ico", site_files::favicon)
        .page(get, "/apple-touch-icon.png", site_files::apple_touch_icon)
        .page(
            get,
            "/apple-touch-icon-precomposed.png",
            site_files::apple_touch_icon,
        )
        .page(get, "/manifest.webmanifest", site_files::manifest)
        .page(get, "/robots.txt", site_files::robots)
        .page(
            get,
            "/.well-known/change-password",
            site_files::change_password,
        )
        .page(get, "/.well-known/security.txt", site_files::security_txt)
        .page(get, "/docs", docs::page)
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
