//! Slow request bodies that complete after their credentials have ended, and requests with a
//! foreign host name.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    app::{Client, TestApp},
    both,
};

/// Number of bytes held back: more than the end of a form, which parses without its last byte.
const WITHHELD_BYTES: usize = 12;

/// A request that has been sent except for its end.
struct SlowRequest {
    stream: TcpStream,
    rest: String,
}

impl SlowRequest {
    async fn start(app: &TestApp, client: &Client, line: &str, kind: &str, body: &str) -> Self {
        let token = client.token.as_deref().unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let (most, end) = body.split_at(body.len() - WITHHELD_BYTES);
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream
            .write_all(&[head.as_bytes(), most.as_bytes()].concat())
            .await
            .unwrap();
        Self {
            stream,
            rest: end.to_owned(),
        }
    }

    async fn finish(mut self) -> String {
        self.stream.write_all(self.rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        answer.get(9..12).unwrap_or_default().to_owned()
    }
}

both! {
    async fn request_body_delayed_past_session_end_is_rejected(app: TestApp) {
        let root = app.administrator("root").await;
        let (eve, json) = (app.administrator("eve").await, "application/json");
        app.editor("mallory").await;
        let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nplanted\r\n--b--\r\n";
        // The handler must have the upload: it sends 100 (Continue) once it reads the body.
        let held = [
            SlowRequest::start(&app, &eve, "PATCH /api/users/mallory", json, r#"{"is_admin":true}"#).await,
            SlowRequest::start(&app, &eve, "PUT /api/vaults/main/members/mallory", json, r#"{"role":"manager"}"#).await,
            SlowRequest::start(&app, &eve, "POST /api/vaults", json, r#"{"name":"hers"}"#).await,
            SlowRequest::start(&app, &eve, "PATCH /auth/me", json, r#"{"email":"thief@evil.example"}"#).await,
            SlowRequest::start(&app, &eve, "PUT /api/files/planted.nc/content", "multipart/form-data; boundary=b", form).await,
        ];
        let change = root.request_builder(reqwest::Method::PATCH, "/api/users/eve").json(&json!({"disabled": true}));
        root.send(change).await.expect_status(200);
        for request in held {
            assert_eq!(request.finish().await, "401");
        }
        assert_eq!(root.get("/api/users/mallory").await.expect_status(200).body["is_admin"], false);
        root.get("/api/files/planted.nc").await.expect_status(404);
        root.get("/api/vaults/hers").await.expect_status(404);
    }

    async fn unexpected_multipart_body_is_not_awaited(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("vise.step", b"steel").await.expect_status(201);
        let form = "--b\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\nmine\r\n--b--\r\n";
        let kind = "multipart/form-data; boundary=b";
        for (line, expected) in [("POST /api/files/vise.step/checkout", "415"), ("POST /auth/ws-ticket", "200"), ("POST /auth/sessions/end-others", "200")] {
            let mut held = SlowRequest::start(&app, &ada, line, kind, form).await;
            let mut answer = [0; 12];
            // The rest of the body is never sent.
            held.stream.read_exact(&mut answer).await.unwrap();
            let status = std::str::from_utf8(&answer[9..]).unwrap();
            assert_eq!(status, expected, "{line}");
        }
        assert_eq!(ada.get("/api/files/vise.step").await.expect_status(200).body["status"], "unlocked");
    }

    async fn unknown_host_header_returns_421(app: TestApp) {
        let ada = app.editor("ada").await;
        for path in ["/", "/api/files", "/auth/me", "/sign-in", "/metrics", "/health/live", "/nowhere"] {
            for host in ["evil.example", "strongroom.test.evil.example:80", "127.0.0.1.evil.example"] {
                ada.send(ada.get_request(path).header("host", host)).await.expect_status(421);
            }
            for host in ["strongroom.test", "STRONGROOM.TEST:80", "localhost:8000", "192.0.2.1", "[::1]:80"] {
                let answer = ada.send(ada.get_request(path).header("host", host)).await;
                assert_ne!(answer.status(), 421, "{path} {host}");
            }
        }
        let answer = ada.send(ada.post_request("/auth/ws-ticket").header("host", "evil.example")).await.expect_status(421);
        assert!(answer.body["detail"].as_str().unwrap().contains("http://strongroom.test"), "{}", answer.text);
    }
}
