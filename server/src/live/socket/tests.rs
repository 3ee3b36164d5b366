//! WebSocket streams end to end, over in-memory connections and a paused clock.

use futures_util::{SinkExt, StreamExt};
use tokio::{io::AsyncReadExt, time::sleep};
use tokio_tungstenite::tungstenite::Message as Said;

use super::*;
use crate::live::{
    StreamAccess,
    testing::{LiveTestServer, MockEventLog, WebSocketClient, username},
};

async fn next_message(client: &mut WebSocketClient) -> serde_json::Value {
    loop {
        if let Said::Text(text) = client.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

async fn next_event_id(client: &mut WebSocketClient) -> i64 {
    next_message(client).await["id"].as_i64().unwrap()
}

/// Answers pings until the server closes. `None` if the connection ends without a close frame.
async fn wait_for_close_code(client: &mut WebSocketClient) -> Option<u16> {
    while let Some(Ok(said)) = client.next().await {
        if let Said::Close(Some(close)) = said {
            return Some(close.code.into());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn socket_resumes_from_position_and_streams_live() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("since=3").await;
    assert_eq!(
        (
            next_event_id(&mut client).await,
            next_event_id(&mut client).await
        ),
        (4, 5)
    );
    desk.log.append(1);
    let event = next_message(&mut client).await;
    assert_eq!(
        (&event["event"], &event["id"]),
        (&"file_updated".into(), &6.into())
    );
    assert_eq!(
        (&event["vault"], &event["action"], &event["by"]),
        (&"main".into(), &"checkin".into(), &"ada".into())
    );
    assert_eq!(event["data"]["filename"], "vise.step");
}

#[tokio::test(start_paused = true)]
async fn socket_shows_check_out_status_per_viewer() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let (mut ada, mut bob) = (
        desk.open_websocket("user=ada").await,
        desk.open_websocket("user=bob").await,
    );
    desk.log.append_with(|event| {
        event.file.lock = Some(vault::Lock {
            id: 1,
            holder: username("bob"),
            holder_name: None,
            at: event.at,
            note: None,
        });
    });
    assert_eq!(next_message(&mut ada).await["data"]["status"], "locked");
    assert_eq!(
        next_message(&mut bob).await["data"]["status"],
        "checked_out_by_user"
    );
}

#[tokio::test(start_paused = true)]
async fn ended_session_closes_socket_within_a_second() {
    for (verdict, code) in [
        (StreamAccess::SignedOut, 4001),
        (StreamAccess::Forbidden, 4003),
    ] {
        let desk = LiveTestServer::start(MockEventLog::with_events(5));
        let mut client = desk.open_websocket("").await;
        sleep(Duration::from_secs(5)).await;
        let at = Instant::now();
        desk.set_access(verdict);
        assert_eq!(wait_for_close_code(&mut client).await, Some(code));
        assert!(at.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn socket_sends_no_event_after_session_end() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("").await;
    sleep(Duration::from_secs(5)).await;
    desk.set_access(StreamAccess::SignedOut);
    desk.log.append(1);
    assert!(matches!(
        client.next().await,
        Some(Ok(Said::Close(Some(_))))
    ));
}

#[tokio::test(start_paused = true)]
async fn permission_lost_before_streaming_closes_the_socket() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    desk.set_access_silently(StreamAccess::Forbidden);
    let mut client = desk.open_websocket("since=1").await;
    assert!(
        matches!(client.next().await, Some(Ok(Said::Close(Some(close)))) if u16::from(close.code) == 4003)
    );
}

#[tokio::test(start_paused = true)]
async fn silently_expired_session_closes_socket_at_next_ping() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("").await;
    sleep(Duration::from_secs(5)).await;
    let at = Instant::now();
    desk.set_access_silently(StreamAccess::SignedOut);
    assert_eq!(wait_for_close_code(&mut client).await, Some(4001));
    assert!(at.elapsed() <= PING_INTERVAL);
}

#[tokio::test(start_paused = true)]
async fn socket_survives_short_but_not_long_store_outage() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("").await;
    sleep(Duration::from_secs(1)).await;
    desk.set_access(StreamAccess::Unavailable);
    sleep(Duration::from_secs(9)).await;
    desk.set_access_silently(StreamAccess::Allowed);
    sleep(Duration::from_mins(1)).await;
    desk.log.append(1);
    assert_eq!(next_event_id(&mut client).await, 6);
    desk.set_access(StreamAccess::Unavailable);
    assert_eq!(wait_for_close_code(&mut client).await, Some(1013));
}

#[tokio::test(start_paused = true)]
async fn stopping_server_closes_sockets_with_going_away() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let (mut one, mut two) = (
        desk.open_websocket("").await,
        desk.open_websocket("since=5").await,
    );
    desk.stop();
    assert_eq!(
        (
            wait_for_close_code(&mut one).await,
            wait_for_close_code(&mut two).await
        ),
        (Some(1001), Some(1001))
    );
}

#[tokio::test(start_paused = true)]
async fn client_without_pong_is_closed_after_timeout() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let (mut alive, dead) = (desk.open_websocket("").await, desk.open_websocket("").await);
    let alive = tokio::spawn(async move { wait_for_close_code(&mut alive).await });
    let at = Instant::now();
    let mut said = Vec::new();
    dead.into_inner().read_to_end(&mut said).await.unwrap();
    assert!(
        (SILENCE_TIMEOUT..=SILENCE_TIMEOUT + CLOSE_TIMEOUT + Duration::from_secs(1))
            .contains(&at.elapsed()),
        "{:?}",
        at.elapsed()
    );
    // RFC 6455 5.2: pings are 0x89, the closing frame is 0x88 with its code.
    let pings = said.windows(2).filter(|bytes| *bytes == [0x89, 0]).count();
    assert!((2..=3).contains(&pings), "{pings} pings");
    let [0x88, _, code @ ..] = &said[pings * 2..] else {
        panic!("no closing frame in {said:?}")
    };
    assert_eq!(code[..2], 4000_u16.to_be_bytes());
    sleep(Duration::from_mins(10)).await;
    assert!(!alive.is_finished());
}

#[tokio::test(start_paused = true)]
async fn socket_drops_slow_consumer_without_delaying_reader() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let line = desk.dial(512).await;
    let (mut stuck, _) = tokio_tungstenite::client_async("ws://strongroom/ws", line)
        .await
        .unwrap();
    let mut reader = desk.open_websocket("").await;
    let at = Instant::now();
    desk.log.append(1000);
    for id in 6..=1005 {
        assert_eq!(next_event_id(&mut reader).await, id);
    }
    assert!(at.elapsed() < Duration::from_secs(1), "{:?}", at.elapsed());
    sleep(SEND_TIMEOUT + Duration::from_secs(1)).await;
    assert_eq!(wait_for_close_code(&mut stuck).await, None);
}

#[tokio::test(start_paused = true)]
async fn ended_session_drops_slow_consumer_immediately() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let line = desk.dial(512).await;
    let (mut stuck, _) = tokio_tungstenite::client_async("ws://strongroom/ws", line)
        .await
        .unwrap();
    desk.log.append(1000);
    sleep(Duration::from_secs(1)).await;
    desk.set_access(StreamAccess::SignedOut);
    sleep(CLOSE_TIMEOUT + Duration::from_millis(100)).await;
    let mut taken = 0;
    while let Some(Ok(said)) = stuck.next().await {
        taken += usize::from(said.is_text());
    }
    assert!(taken < 5, "{taken} events after the end");
}

#[tokio::test(start_paused = true)]
async fn socket_closes_after_too_many_client_messages() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("").await;
    for _ in 0..50 {
        client
            .send(Said::text(r#"{"event":"file_deleted"}"#))
            .await
            .unwrap();
    }
    desk.log.append(1);
    assert_eq!(next_event_id(&mut client).await, 6);
    for _ in 0..MAX_CLIENT_FRAMES {
        client.send(Said::text("x")).await.unwrap();
    }
    assert_eq!(wait_for_close_code(&mut client).await, Some(1008));
}

#[tokio::test(start_paused = true)]
async fn socket_closes_on_oversized_client_message() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("").await;
    client
        .send(Said::text("x".repeat(MAX_MESSAGE_BYTES + 1)))
        .await
        .unwrap();
    assert_eq!(wait_for_close_code(&mut client).await, Some(1008));
}

#[tokio::test(start_paused = true)]
async fn socket_answers_client_close_frame() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let mut client = desk.open_websocket("").await;
    client.close(None).await.unwrap();
    assert!(matches!(client.next().await, Some(Ok(Said::Close(_)))));
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn socket_works_over_tcp() {
    let desk = LiveTestServer::start(MockEventLog::with_events(5));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws?since=4", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, desk.router()).into_future());
    let (mut client, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        desk.log.append(1);
        let text = client.next().await.unwrap().unwrap().into_text().unwrap();
        ids.push(
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["id"]
                .as_i64()
                .unwrap(),
        );
    }
    assert_eq!(ids, [5, 6, 7]);
}
