//! What one request may cost: forms without an end, names without a bottom, searches without a limit; and answers that
//! are due again.

use reqwest::multipart;
use serde_json::json;

use crate::{
    app::{Client, TestApp, file},
    both,
};

async fn sends(ada: &Client, filename: &str, body: String) -> (u16, String) {
    let kind = "multipart/form-data; boundary=XX";
    let request = ada.put(&file(filename, "/content")).header("content-type", kind).body(body);
    let answer = ada.ask(request).await;
    (answer.status, answer.text)
}

both! {
    async fn a_form_whose_boundary_or_header_has_no_end_is_refused_before_it_fills_the_memory(app: TestApp) {
        let ada = app.editor("ada").await;
        let long = "a".repeat(8 << 20);
        for body in [
            long.clone(),
            format!("--XX\r\nX-Long: {long}"),
            format!("--XX\r\nContent-Disposition: form-data; name=\"{long}"),
            format!("{long}\r\n--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--XX--\r\n"),
        ] {
            let (status, said) = sends(&ada, "x.nc", body).await;
            assert_eq!(status, 422, "{said}");
        }
        ada.see(&file("x.nc", "")).await.is(404);
        // Content is no header: of that there may be as much as the limit lets in, whatever it looks like.
        for content in [vec![b'a'; 5 << 20], vec![b'\n'; 3 << 20], b"\r\n--X".repeat(700_000)] {
            let name = format!("{}.nc", content.len());
            ada.add(&name, &content).await.is(201);
            assert_eq!(ada.content(&name).await, content);
        }
    }

    async fn a_search_and_a_path_have_an_end(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add(&("a/".repeat(64) + "b"), b"x").await.is(201);
        ada.add(&("a/".repeat(65) + "b"), b"x").await.is(422).says("A file lies in at most 64 folders, one in the other; this one in 65.");
        assert_eq!(ada.see(&format!("/api/files?q={}", "a/".repeat(127))).await.is(200).body, json!([]));
        assert_eq!(ada.see("/api/files?q=A%2FB").await.is(200).body.as_array().unwrap().len(), 1);
        ada.see(&format!("/api/files?q={}", "a".repeat(256))).await.is(422).says("A search has at most 255 bytes.");
    }

    async fn a_check_in_that_is_sent_again_is_answered_again_also_with_what_it_was_made_from(app: TestApp) {
        let ada = app.editor("ada").await;
        let first = ada.add("a.nc", b"one").await.is(201).body["sha256"].as_str().unwrap().to_owned();
        let check_in = |base: &str, key: &str| {
            let part = multipart::Part::bytes(b"two".to_vec()).file_name("f");
            let form = multipart::Form::new().text("comment", "wider").part("file", part);
            let request = ada.post(&file("a.nc", "/checkin")).header("idempotency-key", key.to_owned());
            ada.ask(request.header("if-match", base.to_owned()).multipart(form))
        };
        ada.check_out("a.nc").await.is(200);
        let base = format!("\"{first}\"");
        let answer = check_in(&base, "k1").await.is(200).body;
        assert_eq!(answer["revision"], 2);
        assert_eq!(check_in(&base, "k1").await.is(200).body, answer);
        // That key belongs to that base; and another request from there is as stale as ever.
        check_in("*", "k1").await.is(422);
        ada.check_out("a.nc").await.is(200);
        check_in(&base, "k2").await.is(412);
        check_in("\"nonsense\"", "k3").await.is(412);
        check_in(&format!("\"{}\"", "0".repeat(64)), "k4").await.is(412);
    }

    async fn what_oauth_clients_are_refused_is_in_their_own_words(app: TestApp) {
        let nobody = app.anonymous();
        let bad = Client { token: Some("nonsense".to_owned()), ..app.anonymous() };
        for client in [&nobody, &bad] {
            let answer = client.ask(client.post("/auth/introspect").form(&[("token", "x")])).await.is(401);
            assert_eq!(answer.header("content-type").unwrap(), "application/json");
            assert!(answer.body["error"].is_string() && answer.body["error_description"].is_string(), "{}", answer.text);
        }
        for path in ["/auth/token", "/auth/revoke", "/auth/introspect"] {
            let answer = nobody.see(path).await.is(405);
            assert_eq!(answer.header("content-type").unwrap(), "application/json", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_a_form_without_a_session_comes_back_to_a_page_and_not_to_the_form() {
    let app = TestApp::sqlite().await;
    let nobody = app.anonymous();
    let leads_to = async |request: reqwest::RequestBuilder| {
        let answer = nobody.ask(request.header("accept", "text/html").header("sec-fetch-site", "same-origin")).await;
        answer.is(303).header("location").unwrap().to_owned()
    };
    assert_eq!(leads_to(nobody.get("/account/tokens")).await, "/sign-in?next=%2Faccount%2Ftokens");
    let out = nobody.post("/sign-out").form(&json!({}));
    assert!(!leads_to(out).await.contains("next="), "nobody can go back to a form");
}

/// Browsers send `Origin: null` with the forms of such a page, which no form of ours takes.
#[test]
fn no_page_keeps_its_own_origin_from_its_own_forms() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut pages = 0;
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("no-referrer"), "{}", path.display());
        pages += 1;
    }
    assert!(pages > 20);
}
