//! The requests that the doors admit and reject.

use axum::response::Response;
use http::{Request, StatusCode};

use super::*;
use crate::{
    SessionKind,
    actions::{ManageAccounts, ManageMembers},
    error::AccessError,
    tests::{GOOD_PASSWORD, MemoryStore, TestAuth, access_token, origin, password, test_auth},
};

const OWN_ORIGIN: &str = "https://strongroom.example";

/// A rejection that exposes its error.
#[derive(Debug)]
struct TestRejection(AuthError);

impl From<AuthError> for TestRejection {
    fn from(error: AuthError) -> Self {
        Self(error)
    }
}

impl IntoResponse for TestRejection {
    fn into_response(self) -> Response {
        StatusCode::IM_A_TEAPOT.into_response()
    }
}

struct TestHost(TestAuth);

impl HasAuth for TestHost {
    type Store = MemoryStore;
    type Rejection = TestRejection;
    fn auth(&self) -> &Auth<MemoryStore> {
        &self.0.auth
    }
    fn cookie_names(&self) -> CookieNames<'_> {
        CookieNames {
            current: "__Host-strongroom",
            former: &[],
        }
    }
    fn realm_of(&self, parts: &Parts) -> Result<RealmName, AuthError> {
        let name = parts.uri.path().trim_start_matches('/');
        RealmName::parse(name).map_err(|_| AuthError::Access(AccessError::RealmNotFound))
    }
    fn origin_of(&self, _: &Parts) -> Result<Origin, AuthError> {
        Ok(origin())
    }
    fn is_own_origin(&self, _: &Parts, origin: &str) -> bool {
        origin == OWN_ORIGIN
    }
}

/// A registered account with an access token and a cookie.
struct TestUser {
    app: TestHost,
    token: String,
    cookie: String,
}

async fn registered_user() -> TestUser {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let mut user = TestUser {
        token: format!("Bearer {}", access_token(&tokens)),
        cookie: String::new(),
        app: TestHost(test),
    };
    user.cookie = user.sign_in_on_page().await;
    user
}

impl TestUser {
    /// The `Cookie` header of a new session.
    async fn sign_in_on_page(&self) -> String {
        let passwords = self.app.auth().passwords();
        let web = passwords
            .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
            .await
            .unwrap();
        format!("theme=dark; __Host-strongroom={}; x=y", web.secret.expose())
    }
}

fn request_parts(method: &str, headers: &[(&str, &str)]) -> Parts {
    let request = headers.iter().fold(
        Request::builder().method(method).uri("/main"),
        |request, (name, value)| request.header(*name, *value),
    );
    request.body(()).unwrap().into_parts().0
}

async fn extract_caller(
    user: &TestUser,
    method: &str,
    headers: &[(&str, &str)],
) -> Result<Caller, AuthError> {
    Caller::from_request_parts(&mut request_parts(method, headers), &user.app)
        .await
        .map_err(|refusal| refusal.0)
}

#[tokio::test]
async fn request_needs_a_bearer_token_or_session_cookie() {
    let ada = registered_user().await;
    for headers in [
        [("authorization", ada.token.as_str())],
        [("cookie", ada.cookie.as_str())],
    ] {
        assert_eq!(
            extract_caller(&ada, "GET", &headers)
                .await
                .unwrap()
                .account()
                .username
                .as_str(),
            "ada"
        );
    }
    assert!(matches!(
        extract_caller(&ada, "GET", &[]).await,
        Err(AuthError::Access(AccessError::Unauthenticated))
    ));
    assert!(matches!(
        extract_caller(&ada, "GET", &[("cookie", "theme=dark")]).await,
        Err(AuthError::Access(AccessError::Unauthenticated))
    ));
    let lower = ada.token.replacen("Bearer", "bEARER", 1);
    extract_caller(&ada, "POST", &[("authorization", &lower)])
        .await
        .unwrap();
}

#[tokio::test]
async fn request_with_two_credentials_is_rejected() {
    let ada = registered_user().await;
    let (token, cookie) = (
        ("authorization", ada.token.as_str()),
        ("cookie", ada.cookie.as_str()),
    );
    let other = ada.sign_in_on_page().await;
    let other = ("cookie", other.as_str());
    for headers in [
        vec![token, cookie],
        vec![token, token],
        vec![cookie, cookie],
        vec![cookie, other],
    ] {
        assert!(
            matches!(
                extract_caller(&ada, "GET", &headers).await,
                Err(AuthError::Access(AccessError::AmbiguousCredentials))
            ),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn junk_cookie_does_not_hide_the_good_one() {
    let ada = registered_user().await;
    let unknown = "__Host-strongroom=sr_ws_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for junk in ["__Host-strongroom=junk", "__Host-strongroom=", unknown] {
        for cookies in [
            format!("{junk}; {}", ada.cookie),
            format!("{}; {junk}", ada.cookie),
            format!("{junk}; {}; {junk}", ada.cookie),
        ] {
            let caller = extract_caller(&ada, "GET", &[("cookie", &cookies)])
                .await
                .unwrap();
            assert_eq!(caller.account().username.as_str(), "ada");
            let forged = [
                ("cookie", cookies.as_str()),
                ("sec-fetch-site", "cross-site"),
            ];
            assert!(matches!(
                extract_caller(&ada, "POST", &forged).await,
                Err(AuthError::Access(AccessError::CrossSite))
            ));
        }
        assert!(matches!(
            extract_caller(&ada, "GET", &[("cookie", junk)]).await,
            Err(AuthError::Access(AccessError::InvalidToken))
        ));
    }
}

#[tokio::test]
async fn malformed_credentials_are_an_invalid_token() {
    let ada = registered_user().await;
    let bare = ada.token.trim_start_matches("Bearer ").to_owned();
    let two = format!("{} {bare}", ada.token);
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOng=",
        "Bearer a b",
        "Bearer \u{e9}",
        &bare,
        &two,
    ] {
        let answer = extract_caller(&ada, "GET", &[("authorization", header)]).await;
        assert!(
            matches!(answer, Err(AuthError::Access(AccessError::InvalidToken))),
            "{header}: {answer:?}"
        );
    }
    for cookie in [
        "__Host-strongroom=",
        "__Host-strongroom=sr_ws_x",
        "__Host-strongroom=\"\"",
    ] {
        assert!(
            matches!(
                extract_caller(&ada, "GET", &[("cookie", cookie)]).await,
                Err(AuthError::Access(AccessError::InvalidToken))
            ),
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn cookie_authenticated_write_requires_same_origin() {
    let ada = registered_user().await;
    let cookie = ("cookie", ada.cookie.as_str());
    let cases: [(&[(&str, &str)], bool); 10] = [
        (&[], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (
            &[("sec-fetch-site", "cross-site"), ("origin", OWN_ORIGIN)],
            false,
        ),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            false,
        ),
        (&[("origin", OWN_ORIGIN)], true),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
    ];
    for (proof, passes) in cases {
        let headers = [&[cookie], proof].concat();
        for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            let answer = extract_caller(&ada, method, &headers).await;
            let is_expected = match answer {
                Ok(_) => passes,
                Err(AuthError::Access(AccessError::CrossSite)) => !passes,
                Err(_) => false,
            };
            assert!(is_expected, "{method} {proof:?}");
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            extract_caller(&ada, method, &headers).await.unwrap();
        }
    }
    extract_caller(
        &ada,
        "POST",
        &[
            ("authorization", &ada.token),
            ("sec-fetch-site", "cross-site"),
        ],
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn caller_is_cached_in_request_extensions() {
    let ada = registered_user().await;
    let mut parts = request_parts("GET", &[("authorization", &ada.token)]);
    Caller::from_request_parts(&mut parts, &ada.app)
        .await
        .unwrap();
    assert_eq!(
        parts
            .extensions
            .get::<Caller>()
            .unwrap()
            .account()
            .username
            .as_str(),
        "ada"
    );
    parts.headers.clear();
    Caller::from_request_parts(&mut parts, &ada.app)
        .await
        .unwrap();
}

#[tokio::test]
async fn optional_caller_ignores_dead_session_rejects_cross_site() {
    let ada = registered_user().await;
    let maybe = async |method: &str, headers: &[(&str, &str)]| {
        OptionalCaller::from_request_parts(&mut request_parts(method, headers), &ada.app)
            .await
            .map(|OptionalCaller(found)| found)
    };
    assert!(maybe("GET", &[]).await.unwrap().is_none());
    assert!(
        maybe("GET", &[("cookie", "__Host-strongroom=old")])
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        maybe("GET", &[("cookie", &ada.cookie)])
            .await
            .unwrap()
            .is_some()
    );
    let forged = maybe(
        "POST",
        &[("cookie", &ada.cookie), ("sec-fetch-site", "cross-site")],
    )
    .await;
    assert!(matches!(
        forged,
        Err(TestRejection(AuthError::Access(AccessError::CrossSite)))
    ));
}

#[tokio::test]
async fn permit_requires_a_role_in_the_requested_realm() {
    let ada = registered_user().await;
    let mut request = request_parts("GET", &[("authorization", &ada.token)]);
    let TestRejection(small) =
        Permitted::<ManageMembers>::from_request_parts(&mut request, &ada.app)
            .await
            .unwrap_err();
    assert!(matches!(
        small,
        AuthError::Access(AccessError::NotAllowed {
            action: "members.manage"
        })
    ));
    let TestRejection(everywhere) =
        Permitted::<ManageAccounts>::from_request_parts(&mut request, &ada.app)
            .await
            .unwrap_err();
    assert!(matches!(
        everywhere,
        AuthError::Access(AccessError::NotAllowed {
            action: "accounts.manage"
        })
    ));
    for path in ["/attic", "/nowhere", "/.."] {
        request.uri = path.parse().unwrap();
        let TestRejection(hidden) =
            Permitted::<ManageMembers>::from_request_parts(&mut request, &ada.app)
                .await
                .unwrap_err();
        assert!(
            matches!(hidden, AuthError::Access(AccessError::RealmNotFound)),
            "{path}"
        );
    }
    let root = ada.app.0.administrator("root").await;
    let mut request = request_parts("GET", &[]);
    request.extensions.insert(root);
    let Permitted(permit) = Permitted::<ManageMembers>::from_request_parts(&mut request, &ada.app)
        .await
        .unwrap();
    assert_eq!(
        (permit.username().as_str(), permit.realm().name.as_str()),
        ("root", "main")
    );
}
