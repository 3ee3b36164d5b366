//! Live events over WebSocket and server-sent events.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    app::{Client, TestApp, file_url},
    both,
};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens `/ws` with these headers; the status on failure.
pub(crate) async fn open_websocket(
    app: &TestApp,
    query: &str,
    headers: &[(&'static str, String)],
) -> Result<Socket, u16> {
    let mut request = format!("ws://{}/ws{query}", app.address())
        .into_client_request()
        .unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

pub(crate) fn bearer_header(client: &Client) -> [(&'static str, String); 1] {
    [(
        "authorization",
        format!("Bearer {}", client.token.as_deref().unwrap()),
    )]
}

async fn next_event(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(10), socket.next())
            .await
            .expect("no message")
            .unwrap()
            .unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// The close code of the server.
pub(crate) async fn wait_for_close(socket: &mut Socket) -> u16 {
    loop {
        match timeout(Duration::from_secs(5), socket.next())
            .await
            .expect("the socket stays open")
        {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

both! {
    async fn check_out_event_shows_status_per_viewer(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        ada.add("a.nc", b"one").await.expect_status(201);
        let mut hers = open_websocket(&app, "", &bearer_header(&ada)).await.unwrap();
        let mut his = open_websocket(&app, "?since=0", &bearer_header(&bob)).await.unwrap();
        let added = next_event(&mut his).await;
        assert_eq!((&added["event"], &added["action"], &added["id"]), (&json!("file_updated"), &json!("add"), &json!(1)));
        ada.check_out("a.nc").await.expect_status(200);
        let (mine, theirs) = (next_event(&mut hers).await, next_event(&mut his).await);
        assert_eq!(mine["data"]["status"], "checked_out_by_user");
        assert_eq!(theirs["data"]["status"], "locked");
        assert_eq!((&theirs["by"], &theirs["vault"], &theirs["id"]), (&json!("ada"), &json!("main"), &json!(2)));
        hers.send(Message::text("{\"anything\": 1}")).await.unwrap();
        ada.check_in("a.nc", b"two", "second").await.expect_status(200);
        assert_eq!(next_event(&mut hers).await["data"]["revision"], 2);
    }

    async fn websocket_closes_within_a_second_of_session_end(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        let mut socket = open_websocket(&app, "", &bearer_header(&ada)).await.unwrap();
        ada.post("/auth/logout", Value::Null).await.expect_status(204);
        assert_eq!(timeout(Duration::from_secs(1), wait_for_close(&mut socket)).await.expect("no close within a second"), 4001);
        assert_eq!(open_websocket(&app, "", &bearer_header(&ada)).await.unwrap_err(), 401);

        let again = app.sign_in("ada").await;
        let mut socket = open_websocket(&app, "", &bearer_header(&again)).await.unwrap();
        root.send(root.request_builder(reqwest::Method::PATCH, "/api/users/ada").json(&json!({"disabled": true}))).await.expect_status(200);
        assert_eq!(wait_for_close(&mut socket).await, 4001);
    }

    async fn websocket_closes_when_read_permission_is_lost(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        let mut socket = open_websocket(&app, "", &bearer_header(&ada)).await.unwrap();
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.expect_status(204);
        root.send(root.delete_request("/api/vaults/main/members/ada")).await.expect_status(204);
        assert_eq!(wait_for_close(&mut socket).await, 4003);
        assert_eq!(open_websocket(&app, "", &bearer_header(&ada)).await.unwrap_err(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_requires_credentials_and_same_origin() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    assert_eq!(open_websocket(&app, "", &[]).await.unwrap_err(), 401);
    assert_eq!(
        open_websocket(&app, "?ticket=sr_tk_forged", &[])
            .await
            .unwrap_err(),
        401
    );
    let anonymous = app.anonymous();
    let form = [("username", "ada"), ("password", crate::app::PASSWORD)];
    let sign_in = anonymous
        .post_request("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&form);
    let cookie = anonymous
        .send(sign_in)
        .await
        .expect_status(303)
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let with = |origin: &str| [("cookie", cookie.clone()), ("origin", origin.to_owned())];
    assert_eq!(
        open_websocket(&app, "", &with("https://evil.example"))
            .await
            .unwrap_err(),
        403
    );
    assert_eq!(
        open_websocket(&app, "", &with("null")).await.unwrap_err(),
        403
    );
    assert_eq!(
        open_websocket(&app, "", &[("cookie", cookie.clone())])
            .await
            .unwrap_err(),
        403
    );
    assert!(open_websocket(&app, "", &with(&app.url(""))).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn ticket_opens_one_websocket_within_thirty_seconds() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let ticket = async || {
        ada.post("/auth/ws-ticket", Value::Null)
            .await
            .expect_status(200)
            .body["ticket"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let query = format!("?ticket={}", ticket().await);
    let _open = open_websocket(&app, &query, &[]).await.unwrap();
    assert_eq!(open_websocket(&app, &query, &[]).await.unwrap_err(), 401);
    let late = format!("?ticket={}", ticket().await);
    app.advance_clock(Duration::from_secs(31));
    assert_eq!(open_websocket(&app, &late, &[]).await.unwrap_err(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_stream_resumes_after_last_event_id() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for name in ["a.nc", "b.nc", "c.nc"] {
        ada.add(name, b"x").await.expect_status(201);
    }
    let stream = ada
        .get_request("/api/events")
        .header("last-event-id", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers()["cache-control"], "no-store");
    let mut bytes = stream.bytes_stream();
    let mut text = String::new();
    while text.matches("data:").count() < 2 {
        let chunk = timeout(Duration::from_secs(10), bytes.next())
            .await
            .expect("no message")
            .unwrap()
            .unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(
        !text.contains("\"filename\":\"a.nc\"") && text.contains("\"filename\":\"c.nc\""),
        "{text}"
    );
    assert!(text.contains("id: 3") || text.contains("id:3"), "{text}");
    ada.get("/api/events?since=x").await.expect_status(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_from_future_position_gets_resync() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"x").await.expect_status(201);
    let mut socket = open_websocket(&app, "?since=999999", &bearer_header(&ada))
        .await
        .unwrap();
    assert_eq!(
        next_event(&mut socket).await,
        json!({"event": "resync", "id": 1})
    );
    ada.post(&file_url("a.nc", "/checkout"), Value::Null)
        .await
        .expect_status(200);
    assert_eq!(next_event(&mut socket).await["id"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_server_closes_the_websocket() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let mut socket = open_websocket(&app, "", &bearer_header(&ada))
        .await
        .unwrap();
    let stopped = tokio::spawn(app.running.stop());
    assert_eq!(wait_for_close(&mut socket).await, 1001);
    timeout(Duration::from_secs(10), stopped)
        .await
        .expect("the server does not stop")
        .unwrap()
        .unwrap();
}
