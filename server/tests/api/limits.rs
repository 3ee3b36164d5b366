//! Limits on the cost of one request: unbounded forms, deep names, unlimited searches. Also the
//! repetition of a response for a retry.

use reqwest::multipart;
use serde_json::json;

use crate::{
    app::{Client, TestApp, file_url},
    both,
    throttle::trusted_proxy_settings,
};

async fn send_upload(ada: &Client, filename: &str, body: String) -> (u16, String) {
    let kind = "multipart/form-data; boundary=XX";
    let request = ada
        .put_request(&file_url(filename, "/content"))
        .header("content-type", kind)
        .body(body);
    let answer = ada.send(request).await;
    (answer.status(), answer.text)
}

both! {
    async fn unterminated_multipart_header_is_rejected(app: TestApp) {
        let ada = app.editor("ada").await;
        let long = "a".repeat(8 << 20);
        for body in [
            long.clone(),
            format!("--XX\r\nX-Long: {long}"),
            format!("--XX\r\nContent-Disposition: form-data; name=\"{long}"),
            format!("{long}\r\n--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--XX--\r\n"),
        ] {
            let (status, said) = send_upload(&ada, "x.nc", body).await;
            assert_eq!(status, 422, "{said}");
        }
        ada.get(&file_url("x.nc", "")).await.expect_status(404);
        // Content is not a header and may be as long as the upload limit, whatever its bytes.
        for content in [vec![b'a'; 5 << 20], vec![b'\n'; 3 << 20], b"\r\n--X".repeat(700_000)] {
            let name = format!("{}.nc", content.len());
            ada.add(&name, &content).await.expect_status(201);
            assert_eq!(ada.content(&name).await, content);
        }
    }

    async fn multipart_form_in_single_bytes_is_handled(app: TestApp) {
        let ada = app.editor("ada").await;
        let begins = |name: &str| format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
        let send = async |filename: &str, form: String| {
            let pieces = form.into_bytes().into_iter().map(|byte| Ok::<_, std::io::Error>(vec![byte]));
            let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
            let request = ada.put_request(&file_url(filename, "/content")).header("content-type", "multipart/form-data; boundary=XX");
            ada.send(request.body(body)).await.status()
        };
        // The parser rescans a header for every chunk, so headers have a size limit. Content has
        // none.
        assert_eq!(send("a.nc", begins(&"x".repeat(4_000)) + "\r\n--XX--\r\n").await, 422);
        let content = "\r\n--X".repeat(1_000);
        assert_eq!(send("b.nc", begins("file") + &content + "\r\n--XX--\r\n").await, 201);
        assert_eq!(ada.content("b.nc").await, content.as_bytes());
    }

    async fn upload_form_requires_one_file_and_few_fields(app: TestApp) {
        let ada = app.editor("ada").await;
        let field = |about: &str, said: &str| format!("--XX\r\nContent-Disposition: form-data; {about}\r\n\r\n{said}\r\n");
        let many = (0..40).map(|n| field(&format!("name=\"n{n}\""), "x")).collect::<String>();
        let none = "The form has no file.";
        for (form, why) in [
            (many + &field("name=\"file\"; filename=\"f\"", "x"), "This form has too many fields."),
            (field("name=\"comment\"", "no file at all"), none),
            (field("name=\"file\"", ""), none),
            (field("name=\"file\"; filename=\"\"", ""), none),
        ] {
            let (status, said) = send_upload(&ada, "a.nc", form + "--XX--\r\n").await;
            assert!(status == 422 && said.contains(why), "{status} {said}");
        }
        ada.get(&file_url("a.nc", "")).await.expect_status(404);
        for (name, form) in [
            ("empty.nc", field("name=\"file\"; filename=\"f\"", "")),
            ("nameless.nc", field("name=\"file\"; filename=\"\"", "x")),
            ("unnamed.nc", field("name=\"file\"", "x")),
        ] {
            assert_eq!(send_upload(&ada, name, form + "--XX--\r\n").await.0, 201, "{name}");
        }
    }

    async fn static_content_supports_gzip_and_etags(app: TestApp) {
        let page = app.anonymous().get("/sign-in").await.expect_status(200).text;
        let style = &page[page.find("/assets/").unwrap()..];
        let style = &style[..style.find('"').unwrap()];
        let anyone = app.anonymous();
        for path in ["/openapi.json", style] {
            let ask = |name: &'static str, value: String| {
                anyone.send(anyone.get_request(path).header(name, value).header("accept", "*/*"))
            };
            let packed = ask("accept-encoding", "gzip".to_owned()).await.expect_status(200);
            assert_eq!((packed.header("content-encoding"), packed.header("vary")), (Some("gzip"), Some("accept-encoding")), "{path}");
            let tag = packed.header("etag").unwrap().to_owned();
            assert!(ask("if-none-match", tag).await.expect_status(304).text.is_empty());
            let plain = ask("accept-encoding", "identity".to_owned()).await.expect_status(200);
            assert_eq!(plain.header("content-encoding"), None);
            assert!(packed.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap() < plain.text.len(), "{path}");
        }
    }

    async fn search_length_and_folder_depth_are_limited(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add(&("a/".repeat(64) + "b"), b"x").await.expect_status(201);
        ada.add(&("a/".repeat(65) + "b"), b"x").await.expect_status(422).expect_detail("A file can be at most 64 folders deep; this one is 65 folders deep.");
        assert_eq!(ada.get(&format!("/api/files?q={}", "a/".repeat(127))).await.expect_status(200).body, json!([]));
        assert_eq!(ada.get("/api/files?q=A%2FB").await.expect_status(200).body.as_array().unwrap().len(), 1);
        ada.get(&format!("/api/files?q={}", "a".repeat(256))).await.expect_status(422).expect_detail("The search text has at most 255 bytes.");
    }

    async fn retried_check_in_with_if_match_is_replayed(app: TestApp) {
        let ada = app.editor("ada").await;
        let first = ada.add("a.nc", b"one").await.expect_status(201).body["sha256"].as_str().unwrap().to_owned();
        let check_in = |base: &str, key: &str| {
            let part = multipart::Part::bytes(b"two".to_vec()).file_name("f");
            let form = multipart::Form::new().text("comment", "wider").part("file", part);
            let request = ada.post_request(&file_url("a.nc", "/checkin")).header("idempotency-key", key.to_owned());
            ada.send(request.header("if-match", base.to_owned()).multipart(form))
        };
        ada.check_out("a.nc").await.expect_status(200);
        let base = format!("\"{first}\"");
        let answer = check_in(&base, "k1").await.expect_status(200).body;
        assert_eq!(answer["revision"], 2);
        assert_eq!(check_in(&base, "k1").await.expect_status(200).body, answer);
        // The key belongs to that base revision. Another request with this base is still stale.
        check_in("*", "k1").await.expect_status(422);
        ada.check_out("a.nc").await.expect_status(200);
        check_in(&base, "k2").await.expect_status(412);
        check_in("\"nonsense\"", "k3").await.expect_status(412);
        check_in(&format!("\"{}\"", "0".repeat(64)), "k4").await.expect_status(412);
    }

    async fn oauth_endpoint_errors_use_oauth_format(app: TestApp) {
        let anonymous = app.anonymous();
        let bad = Client { token: Some("nonsense".to_owned()), ..app.anonymous() };
        for client in [&anonymous, &bad] {
            let answer = client.send(client.post_request("/auth/introspect").form(&[("token", "x")])).await.expect_status(401);
            assert_eq!(answer.header("content-type").unwrap(), "application/json");
            assert!(answer.body["error"].is_string() && answer.body["error_description"].is_string(), "{}", answer.text);
        }
        for path in ["/auth/token", "/auth/revoke", "/auth/introspect"] {
            let answer = anonymous.get(path).await.expect_status(405);
            assert_eq!(answer.header("content-type").unwrap(), "application/json", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn form_post_redirects_to_sign_in_without_next() {
    let app = TestApp::sqlite().await;
    let anonymous = app.anonymous();
    let leads_to = async |request: reqwest::RequestBuilder| {
        let answer = anonymous
            .send(
                request
                    .header("accept", "text/html")
                    .header("sec-fetch-site", "same-origin"),
            )
            .await;
        answer
            .expect_status(303)
            .header("location")
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        leads_to(anonymous.get_request("/account/tokens")).await,
        "/sign-in?next=%2Faccount%2Ftokens"
    );
    let out = anonymous.post_request("/sign-out").form(&json!({}));
    assert!(
        !leads_to(out).await.contains("next="),
        "sign-in does not return to the target of a form"
    );
}

/// Browsers send `Origin: null` with forms of such a page, and the server rejects it.
#[test]
fn page_templates_do_not_set_no_referrer() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut pages = 0;
    for path in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("no-referrer"), "{}", path.display());
        pages += 1;
    }
    assert!(pages > 20);
}

/// A browser on the proxy's machine reaches the port without the proxy.
#[tokio::test(flavor = "multi_thread")]
async fn host_rule_holds_for_proxies_that_forward_nothing() {
    let app = TestApp::with_settings(trusted_proxy_settings()).await;
    let anonymous = app.anonymous();
    let rebound = || {
        anonymous
            .get_request("/health/live")
            .header("host", "evil.example")
    };
    anonymous.send(rebound()).await.expect_status(421);
    for header in [
        "x-forwarded-for",
        "x-forwarded-host",
        "forwarded",
        "via",
        "x-real-ip",
    ] {
        let forwarded = rebound().header(header, "for=192.0.2.1");
        anonymous.send(forwarded).await.expect_status(200);
    }
    let direct = TestApp::sqlite().await;
    let forged = direct
        .anonymous()
        .get_request("/health/live")
        .header("host", "evil.example");
    let forged = forged.header("x-forwarded-for", "192.0.2.1");
    direct.anonymous().send(forged).await.expect_status(421);
}
