//! WebSocket input, and resume positions.

use futures_util::{SinkExt as _, StreamExt as _};
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

use super::{assert_alive, cases, shuffled_fragments};
use crate::app::TestApp;

#[derive(Clone, Debug)]
enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    /// Raw bytes, mostly not a valid frame.
    Raw(Vec<u8>),
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        ".{0,60}".prop_map(Frame::Text),
        bytes().prop_map(Frame::Binary),
        prop::collection::vec(any::<u8>(), 0..120).prop_map(Frame::Ping),
        bytes().prop_map(Frame::Raw),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_websocket_messages_do_not_break_server() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    for said in cases(&prop::collection::vec(any_frame(), 1..6), 120) {
        let mut request = app
            .url("/ws")
            .replace("http:", "ws:")
            .into_client_request()
            .unwrap();
        let token = format!("Bearer {}", ada.token.as_deref().unwrap());
        request
            .headers_mut()
            .insert("authorization", token.parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        for said in said {
            let sent = match said {
                Frame::Text(text) => socket.send(Message::text(text)).await,
                Frame::Binary(bytes) => socket.send(Message::binary(bytes)).await,
                Frame::Ping(bytes) => socket.send(Message::Ping(bytes.into())).await,
                Frame::Raw(bytes) => {
                    let stream = socket.get_mut();
                    tokio::io::AsyncWriteExt::write_all(stream, &bytes)
                        .await
                        .ok();
                    Ok(())
                }
            };
            if sent.is_err() {
                break;
            }
        }
        drop(socket.close(None).await);
        // Until the server closes, which may have happened before.
        while let Ok(Some(Ok(_))) =
            tokio::time::timeout(std::time::Duration::from_millis(20), socket.next()).await
        {
        }
    }
    assert_alive(&ada).await;
    ada.add("a.nc", b"x").await.expect_status(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_stream_positions_are_accepted_or_rejected() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"x").await.expect_status(201);
    let known = &[
        "0",
        "1",
        "9",
        "-",
        "+",
        "9223372036854775807",
        "9223372036854775808",
        ".",
        "e",
        " ",
        "%20",
        "%00",
        "x",
    ];
    for since in cases(&shuffled_fragments(known, 4), 200) {
        let since: String = since
            .into_iter()
            .filter(u8::is_ascii_graphic)
            .map(char::from)
            .collect();
        let encoded = since.replace(['&', '#', '?'], "");
        for path in ["/api/events", "/api/vaults/main/events", "/ws"] {
            let stream = ada
                .get_request(&format!("{path}?since={encoded}"))
                .header("last-event-id", since.clone());
            let stream = stream
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            // The body is not read, because a stream has no end.
            let status = stream.send().await.unwrap().status().as_u16();
            assert!(status < 500, "{path}?since={encoded}: {status}");
        }
    }
    assert_alive(&ada).await;
}
