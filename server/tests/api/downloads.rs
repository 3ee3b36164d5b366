//! A download under way breaks off when its caller loses access. The name of a download.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, header::RANGE};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, TestResponse, file_url},
    both, personal_tokens,
};

const SIZE: usize = 60 << 20;
/// More than the buffers of both ends of a connection hold.
const MAX_BUFFERED_BYTES: usize = 20 << 20;

/// A download of which the head and one chunk were read.
struct Download {
    response: Response,
    received: usize,
}

impl Download {
    async fn start(client: &Client, range: Option<&str>) -> Self {
        let mut request = client.get_request(&file_url("big.step", "/content"));
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), if range.is_some() { 206 } else { 200 });
        let received = response.chunk().await.unwrap().unwrap().len();
        Self { response, received }
    }

    /// Reads on to the end. `Err` has the number of bytes received before the connection broke off.
    async fn finish(mut self) -> Result<usize, usize> {
        loop {
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.received += chunk.len(),
                Ok(None) => return Ok(self.received),
                Err(_) => return Err(self.received),
            }
        }
    }

    async fn expect_broken_off(self, cause: &str) {
        let began = Instant::now();
        let received = self.finish().await.expect_err(cause);
        assert!(received < MAX_BUFFERED_BYTES, "{cause}: {received}");
        assert!(began.elapsed() < Duration::from_secs(5), "{cause}");
    }
}

both! {
    async fn downloads_break_off_when_access_ends(app: TestApp) {
        let root = app.administrator("root").await;
        root.add("big.step", &vec![7; SIZE]).await.expect_status(201);
        let ada = app.editor("ada").await;
        let token = personal_tokens::token_client(&ada, json!(["files:read"]), Value::Null).await;
        let (bob, eve) = (app.editor("bob").await, app.editor("eve").await);

        let unharmed = Download::start(&root, None).await;
        let by_token = Download::start(&token, None).await;
        let by_session = Download::start(&ada, None).await;
        let of_range = Download::start(&ada, Some("bytes=1-")).await;
        let disabled = Download::start(&bob, None).await;
        let without_role = Download::start(&eve, None).await;

        let id = token_id(&ada).await;
        ada.send(ada.delete_request(&format!("/auth/tokens/{id}"))).await.expect_status(204);
        by_token.expect_broken_off("personal token ended").await;
        ada.post("/auth/logout", Value::Null).await.expect_status(204);
        by_session.expect_broken_off("signed out").await;
        of_range.expect_broken_off("signed out, range").await;
        let disable = root.request_builder(Method::PATCH, "/api/users/bob").json(&json!({"disabled": true}));
        root.send(disable).await.expect_status(200);
        disabled.expect_broken_off("account disabled").await;
        root.send(root.delete_request("/api/vaults/main/members/eve")).await.expect_status(204);
        without_role.expect_broken_off("role removed").await;

        assert_eq!(unharmed.finish().await, Ok(SIZE));
    }
}

async fn token_id(client: &Client) -> String {
    let tokens = client.get("/auth/tokens").await.expect_status(200).body;
    tokens[0]["id"].as_str().unwrap().to_owned()
}

async fn upload_with_other_filename(ada: &Client, name: &str) {
    let form = reqwest::multipart::Form::new().part(
        "file",
        reqwest::multipart::Part::bytes(b"<svg onload=alert(1)>".to_vec())
            .file_name("../../evil.exe"),
    );
    ada.send(ada.put_request(&file_url(name, "/content")).multipart(form))
        .await
        .expect_status(201);
}

/// The response is a sandboxed download with this name.
fn assert_attachment(answer: &TestResponse, name: &str) {
    let disposition = answer.header("content-disposition").unwrap();
    let (fallback, encoded) = disposition.split_once("; filename*=UTF-8''").unwrap();
    let fallback = fallback
        .strip_prefix("attachment; filename=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap();
    assert!(
        fallback.is_ascii() && !fallback.contains(['"', '\\', '%']),
        "{disposition}"
    );
    assert!(
        encoded
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'%'),
        "{disposition}"
    );
    let leaf = percent_encoding::percent_decode_str(encoded)
        .decode_utf8()
        .unwrap();
    assert_eq!(leaf, name.rsplit('/').next().unwrap());
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert!(
        answer
            .header("content-security-policy")
            .unwrap()
            .starts_with("sandbox")
    );
    assert_eq!(answer.text, "<svg onload=alert(1)>");
}

/// RFC 6266, RFC 8187: for any filename the header has one parameter that contains the name.
#[tokio::test(flavor = "multi_thread")]
async fn download_filename_matches_the_stored_filename() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for name in [
        "plain.nc",
        "a'b;c=d,e.nc",
        "größe & 百.nc",
        "100%25.svg",
        "deep/down/a b.html",
        "filename=evil.exe",
    ] {
        upload_with_other_filename(&ada, name).await;
        let answer = ada
            .get(&file_url(
                name,
                "/content?filename=evil.exe&download=evil.exe",
            ))
            .await
            .expect_status(200);
        assert_attachment(&answer, name);
        let head = ada
            .request_builder(reqwest::Method::HEAD, &file_url(name, "/content"))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-length"]),
            (200, &"21".parse().unwrap()),
            "{name}"
        );
    }
    assert_eq!(
        ada.get("/api/files?q=evil")
            .await
            .expect_status(200)
            .body
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let anonymous: Client = app.anonymous();
    anonymous
        .get(&file_url("plain.nc", "/content"))
        .await
        .expect_status(401);
}
