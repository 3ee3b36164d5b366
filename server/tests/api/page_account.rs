//! Two tabs share one cookie: a page that was drawn for one account does not act as another.

use std::path::{Path, PathBuf};

use reqwest::RequestBuilder;
use serde_json::json;

use crate::{
    app::{Client, file_url},
    both,
    session_end::session_cookie,
};

const HEADER: &str = "x-strongroom-account";

fn in_browser(cookie: &str, request: RequestBuilder) -> RequestBuilder {
    request
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin")
}

/// The account that the page at `/account` names, in its head and in each form that is sent without
/// a script.
async fn page_account(anonymous: &Client, cookie: &str) -> String {
    let page = anonymous.get_request("/account");
    let page = anonymous.send(in_browser(cookie, page)).await;
    let page = page.expect_status(200).text;
    let (_, meta) = page
        .split_once("name=\"strongroom-account\" content=\"")
        .unwrap();
    let id = meta.split_once('"').unwrap().0.to_owned();
    let forms = page.matches("action=\"/sign-out\"").count();
    let field = format!("value=\"{id}\"");
    assert_eq!((forms, page.matches(&field).count()), (2, 2), "{page}");
    id
}

both! {
    async fn request_of_another_users_page_is_refused(app: TestApp) {
        let ada = app.editor("ada").await;
        app.editor("bob").await;
        ada.add("vise.step", b"gears").await.expect_status(201);
        let anonymous = app.anonymous();
        let (adas, bobs) = (session_cookie(&app, "ada", None).await, session_cookie(&app, "bob", None).await);
        let page = page_account(&anonymous, &adas).await;
        assert!(!page.contains("ada") && page != page_account(&anonymous, &bobs).await);
        let send = async |cookie: &str, request: RequestBuilder| {
            anonymous.send(in_browser(cookie, request).header(HEADER, &page)).await
        };
        let check_out = || anonymous.post_request(&file_url("vise.step", "/checkout"));
        let upload = || {
            let form = reqwest::multipart::Form::new().part("file", reqwest::multipart::Part::bytes(&b"x"[..]).file_name("x"));
            anonymous.put_request(&file_url("new.step", "/content")).multipart(form)
        };
        // The other tab has signed in as bob meanwhile.
        for request in [check_out(), upload(), anonymous.get_request("/auth/me"), anonymous.post_request("/auth/logout")] {
            let refused = send(&bobs, request).await.expect_status(409);
            assert_eq!(refused.body["type"], "/problems/account-changed");
            assert!(refused.body["detail"].as_str().unwrap().contains("bob is signed in"), "{}", refused.text);
        }
        let stream = anonymous.get_request(&format!("/api/events?account={page}"));
        anonymous.send(in_browser(&bobs, stream)).await.expect_status(409);
        let file = ada.get(&file_url("vise.step", "")).await.expect_status(200);
        assert_eq!(file.body["status"], "unlocked");
        ada.get(&file_url("new.step", "")).await.expect_status(404);
        send(&adas, check_out()).await.expect_status(200);
        // A program sends no page's account, and a token belongs to one account.
        anonymous.send(in_browser(&bobs, anonymous.get_request("/auth/me"))).await.expect_status(200);
    }

    async fn sign_out_of_another_users_page_is_refused(app: TestApp) {
        app.editor("ada").await;
        app.editor("bob").await;
        let anonymous = app.anonymous();
        let (adas, bobs) = (session_cookie(&app, "ada", None).await, session_cookie(&app, "bob", None).await);
        let account = page_account(&anonymous, &adas).await;
        let sign_out = || anonymous.post_request("/sign-out").header("accept", "text/html").form(&json!({"account": account}));
        let refused = anonymous.send(in_browser(&bobs, sign_out())).await.expect_status(409);
        assert!(refused.text.contains("bob is signed in to this browser now"), "{}", refused.text);
        assert!(refused.header("set-cookie").is_none());
        anonymous.send(in_browser(&bobs, anonymous.get_request("/auth/me"))).await.expect_status(200);
        anonymous.send(in_browser(&adas, sign_out())).await.expect_status(303);
        anonymous.send(in_browser(&adas, anonymous.get_request("/auth/me"))).await.expect_status(401);
    }
}

fn scripts_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                scripts_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// A module that sends a request with the cookie by itself would miss the account.
#[test]
fn modules_of_pages_send_their_account() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/js");
    let mut senders = 0;
    for path in scripts_below(&folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        let sends = [
            "await fetch(",
            "void fetch(",
            "new XMLHttpRequest",
            "new EventSource",
            "new WebSocket",
            "sendBeacon",
        ];
        let without_cookie = text.matches("credentials: 'omit'").count();
        if sends
            .iter()
            .map(|way| text.matches(way).count())
            .sum::<usize>()
            > without_cookie
        {
            senders += 1;
            assert!(
                text.contains("pageHeaders(") || text.contains("pageAccount"),
                "{}",
                path.display()
            );
        }
    }
    assert!(senders >= 6, "{senders}");
}
