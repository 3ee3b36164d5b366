//! Requests as clients in the wild send them: the original's pages, phones, gates, old libraries.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse, file_url},
    both,
    session_end::session_cookie,
};

async fn upload_part(client: &Client, filename: &str, disposition: &[u8]) -> TestResponse {
    let head = [
        b"--b\r\ncontent-disposition: form-data; ",
        disposition,
        b"\r\n\r\n",
    ]
    .concat();
    let body = [&head, &b"content\r\n--b--\r\n"[..]].concat();
    let request = client
        .put_request(&file_url(filename, "/content"))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(body);
    client.send(request).await
}

both! {
    async fn override_without_reason_is_recorded(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        ada.add("a.nc", b"one").await.expect_status(201);
        for body in ["", "null", "{}", r#"{"reason": null}"#, r#"{"reason": "  "}"#] {
            ada.check_out("a.nc").await.expect_status(200);
            let request = root.post_request(&file_url("a.nc", "/override"));
            let request = if body.is_empty() {
                request
            } else {
                request.header("content-type", "application/json").body(body)
            };
            assert_eq!(root.send(request).await.expect_status(200).body["locked_by"], Value::Null, "{body}");
            let entries = root.get("/api/audit?vault=main&action=file.override&limit=1").await.expect_status(200);
            assert_eq!(entries.body[0]["reason"], "No reason was given.", "{body}: {}", entries.text);
        }
        ada.check_out("a.nc").await.expect_status(200);
        root.post(&file_url("a.nc", "/override"), json!({"reason": "Ada is away"})).await.expect_status(200);
        let entries = root.get("/api/audit?vault=main&action=file.override&limit=1").await.expect_status(200);
        assert_eq!(entries.body[0]["reason"], "Ada is away");
    }

    async fn comment_of_check_in_may_be_absent(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"one").await.expect_status(201);
        for (n, comment) in [(2, None), (3, Some("")), (4, Some("wider"))] {
            ada.check_out("a.nc").await.expect_status(200);
            let form = Form::new().part("file", Part::bytes(vec![n]).file_name("f"));
            let form = match comment {
                Some(comment) => form.text("comment", comment),
                None => form,
            };
            let request = ada.post_request(&file_url("a.nc", "/checkin")).multipart(form);
            assert_eq!(ada.send(request).await.expect_status(200).body["revision"], n);
        }
        let history = ada.get(&file_url("a.nc", "/history")).await.expect_status(200).body;
        let comments: Vec<_> = history.as_array().unwrap().iter().map(|revision| revision["comment"].clone()).collect();
        assert_eq!(comments, ["wider", "", "", ""]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn booleans_of_forms_are_those_of_pydantic() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"one").await.expect_status(201);
    ada.check_out("a.nc").await.expect_status(200);
    let check_in = async |keep: &'static str, content: u8| {
        let form = Form::new()
            .text("keep_checked_out", keep)
            .part("file", Part::bytes(vec![content]).file_name("f"));
        let request = ada
            .post_request(&file_url("a.nc", "/checkin"))
            .multipart(form);
        ada.send(request).await
    };
    let kept = [
        "True", "true", "TRUE", "1", "yes", "Yes", "y", "on", "ON", "t",
    ];
    for (n, keep) in (0..).zip(kept) {
        let answer = check_in(keep, n).await.expect_status(200);
        assert_eq!(answer.body["locked_by"], "ada", "{keep}");
    }
    for wrong in ["2", "maybe", "truee", "t r"] {
        check_in(wrong, 0).await.expect_status(422);
    }
    for (n, released) in (100..).zip(["False", "0", "no", "Off", "N", "f", ""]) {
        let answer = check_in(released, n).await.expect_status(200);
        assert_eq!(answer.body["locked_by"], Value::Null, "{released}");
        ada.check_out("a.nc").await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn multipart_token_form_and_trailing_slash_are_accepted() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    let anonymous = app.anonymous();
    let form = || {
        Form::new()
            .text("username", "ada")
            .text("password", PASSWORD)
    };
    for path in ["/auth/token", "/auth/token/"] {
        let request = anonymous.post_request(path).multipart(form());
        let answer = anonymous.send(request).await.expect_status(200);
        assert_eq!(answer.body["token_type"], "bearer");
        let request = anonymous
            .post_request(path)
            .form(&[("username", "ada"), ("password", PASSWORD)]);
        anonymous.send(request).await.expect_status(200);
    }
    let twice = form().text("username", "eve");
    let refused = anonymous
        .send(anonymous.post_request("/auth/token").multipart(twice))
        .await
        .expect_status(400);
    assert_eq!(refused.body["error"], "invalid_request");
    let oversized = form().text("scope", "x".repeat(70_000));
    anonymous
        .send(anonymous.post_request("/auth/token/").multipart(oversized))
        .await
        .expect_status(413);
    let wrong = Form::new().text("username", "ada").text("password", "no");
    let refused = anonymous
        .send(anonymous.post_request("/auth/token/").multipart(wrong))
        .await
        .expect_status(401)
        .expect_detail("Incorrect username or password");
    assert_eq!(refused.body["error"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_usernames_are_trimmed() {
    let app = TestApp::sqlite().await;
    let anonymous = app.anonymous();
    let body = json!({"username": " ada ", "password": PASSWORD});
    let registered = anonymous
        .post("/auth/register", body)
        .await
        .expect_status(201);
    assert_eq!(registered.body["username"], "ada");
    for name in ["ada ", " ada", "Ada\t"] {
        let request = anonymous
            .post_request("/auth/token")
            .form(&[("username", name), ("password", PASSWORD)]);
        anonymous.send(request).await.expect_status(200);
        let page = anonymous
            .post_request("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .form(&[("username", name), ("password", PASSWORD)]);
        anonymous.send(page).await.expect_status(303);
    }
    // A password is taken as it is.
    let spaced = format!("{PASSWORD} ");
    let request = anonymous
        .post_request("/auth/token")
        .form(&[("username", "ada"), ("password", &spaced)]);
    anonymous.send(request).await.expect_status(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_credentials_of_gate_beside_cookie_are_ignored() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    let cookie = session_cookie(&app, "ada", None).await;
    let anonymous = app.anonymous();
    let get = |secret: &str| {
        anonymous
            .get_request("/auth/me")
            .header("cookie", &cookie)
            .basic_auth("gate", Some(secret))
    };
    let answer = anonymous
        .send(get("password of the gate"))
        .await
        .expect_status(200);
    assert_eq!(answer.body["username"], "ada");
    anonymous.send(get("sr_pat_abc")).await.expect_status(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_other_than_browsers_are_offered_basic() {
    let app = TestApp::sqlite().await;
    let anonymous = app.anonymous();
    let challenges = async |name: &'static str, value: &'static str| {
        let request = anonymous.get_request("/api/files").header(name, value);
        let answer = anonymous.send(request).await.expect_status(401);
        let sent = answer.headers.get_all("www-authenticate").iter();
        sent.map(|challenge| challenge.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let both = ["Bearer", "Basic realm=\"Strongroom\", charset=\"UTF-8\""];
    for agent in [
        "Wget/1.21.3",
        "curl/8.5.0",
        "Java/17",
        "Mozilla/5.0 (Windows NT 10.0) WindowsPowerShell/5.1",
    ] {
        assert_eq!(challenges("user-agent", agent).await, both, "{agent}");
    }
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("origin", "http://strongroom.test"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("accept", "text/html"),
    ] {
        assert_eq!(challenges(name, value).await, ["Bearer"], "{name}");
    }
    let request = anonymous
        .post_request("/auth/token")
        .form(&[("username", "ada"), ("password", "no")]);
    let refused = anonymous.send(request).await.expect_status(401);
    assert_eq!(
        refused.headers.get_all("www-authenticate").iter().count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploaded_part_is_known_by_its_name_alone() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for (filename, disposition) in [
        (
            "latin.step",
            &b"name=\"file\"; filename=\"m\xfcller.step\""[..],
        ),
        ("none.step", b"name=\"file\""),
        (
            "utf8.step",
            "name=\"file\"; filename=\"müller.step\"".as_bytes(),
        ),
        (
            "traversal.step",
            b"name=\"file\"; filename=\"../../etc/passwd\"",
        ),
    ] {
        let added = upload_part(&ada, filename, disposition)
            .await
            .expect_status(201);
        assert_eq!(added.body["filename"], filename);
        assert_eq!(ada.content(filename).await, b"content");
    }
    let other = upload_part(&ada, "other.step", b"name=\"other\"; filename=\"file\"").await;
    other.expect_status(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn download_names_have_ascii_fallback_and_revision() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for (filename, query, expected) in [
        (
            "jobs/r.bin",
            "",
            r#"attachment; filename="r.bin"; filename*=UTF-8''r%2Ebin"#,
        ),
        (
            "jobs/r.bin",
            "?revision=1",
            r#"attachment; filename="r.r1.bin"; filename*=UTF-8''r%2Er1%2Ebin"#,
        ),
        (
            "Makefile",
            "?revision=1",
            r#"attachment; filename="Makefile.r1"; filename*=UTF-8''Makefile%2Er1"#,
        ),
        (
            "ü 50%.nc",
            "",
            r#"attachment; filename="_ 50_.nc"; filename*=UTF-8''%C3%BC%2050%25%2Enc"#,
        ),
    ] {
        let added = ada.add(filename, b"one").await;
        assert!(matches!(added.status(), 201 | 409), "{filename}");
        let path = format!("{}{query}", file_url(filename, "/content"));
        let answer = ada.get(&path).await.expect_status(200);
        assert_eq!(answer.header("content-disposition"), Some(expected));
    }
}
