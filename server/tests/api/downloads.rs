//! A download under way breaks off when its caller loses access.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, header::RANGE};
use serde_json::{Value, json};

use crate::{
    app::{Client, file_url},
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
