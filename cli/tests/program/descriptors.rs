//! A server with few file descriptors, and clients that take them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::test_program::{Client, PASSWORD, TestProgram, TestServer, upload_form};

/// A server that may have this many files open, with the users ada and bob.
fn serve_with_open_files(program: &TestProgram, limit: u32) -> TestServer {
    program.add_user("bob", &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_strongroom"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--public-url",
            "http://strongroom.test",
            "--log",
            "warn",
        ])
        .env_clear()
        .env("STRONGROOM_REGISTRATION", "open")
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .current_dir(program.folder())
        .stdin(Stdio::null());
    TestServer::start(command)
}

fn connect(server: &TestServer) -> TcpStream {
    let address = server.url("").replace("http://", "");
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// Sends the head of a request; returns the connection.
fn begin(server: &TestServer, head: &str) -> TcpStream {
    let mut stream = connect(server);
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The status of the response.
fn status(stream: &mut TcpStream) -> String {
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    String::from_utf8_lossy(&line[9..]).into_owned()
}

fn socket_request(token: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: strongroom.test\r\nAuthorization: Bearer {token}\r\n\
        Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

async fn is_live(server: &TestServer) -> bool {
    let client = reqwest::Client::new();
    let request = client
        .get(server.url("/health/live"))
        .timeout(Duration::from_secs(5));
    request
        .send()
        .await
        .is_ok_and(|response| response.status() == 200)
}

async fn wait_until_live(server: &TestServer) {
    let since = Instant::now();
    while !is_live(server).await {
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "the server cannot be reached"
        );
    }
}

async fn upload(client: &Client, name: &str) -> u16 {
    let request = client.put(&format!("/api/files/{name}/content"));
    let content = "G0 X0\n".repeat(50_000);
    let response = request
        .multipart(upload_form(&content, "added"))
        .send()
        .await
        .unwrap();
    response.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_way_for_new_clients() {
    let program = TestProgram::with_ada();
    let server = serve_with_open_files(&program, 64);
    let idle: Vec<TcpStream> = (0..100).map(|_| connect(&server)).collect();
    wait_until_live(&server).await;
    let ada = server.sign_in_as_ada().await;
    assert_eq!(upload(&ada, "a.nc").await, 201);
    assert!(is_live(&server).await);
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_sockets_of_one_viewer_leave_connections() {
    let program = TestProgram::with_ada();
    let server = serve_with_open_files(&program, 256);
    let bob = server.sign_in("bob", PASSWORD).await.unwrap();
    let mut sockets = Vec::new();
    let mut refused = 0;
    for _ in 0..238 {
        let mut socket = begin(&server, &socket_request(&bob));
        match status(&mut socket).as_str() {
            "101" => sockets.push(socket),
            "429" => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(
        sockets.len() >= 30 && refused >= 100,
        "{} and {refused}",
        sockets.len()
    );
    assert!(is_live(&server).await);
    let ada = server.sign_in_as_ada().await;
    assert_eq!(upload(&ada, "a.nc").await, 201);
    let mut adas = begin(&server, &socket_request(&ada.token));
    assert_eq!(status(&mut adas), "101", "others have their own share");
    drop(sockets);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_of_one_session_are_limited() {
    let program = TestProgram::with_ada();
    let server = serve_with_open_files(&program, 128);
    let bob = server.sign_in("bob", PASSWORD).await.unwrap();
    let head = |name: &str| {
        format!(
            "PUT /api/files/{name}/content HTTP/1.1\r\nHost: strongroom.test\r\n\
            Authorization: Bearer {bob}\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\
            Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
    };
    let mut stalled = Vec::new();
    let refused = loop {
        let mut upload = begin(&server, &head(&format!("{}.nc", stalled.len())));
        match status(&mut upload).as_str() {
            "100" => stalled.push(upload),
            other => break other.to_owned(),
        }
        assert!(stalled.len() < 100, "no limit");
    };
    assert_eq!(refused, "429");
    assert!(stalled.len() >= 5, "{}", stalled.len());
    let ada = server.sign_in_as_ada().await;
    assert_eq!(upload(&ada, "a.nc").await, 201);
    drop(stalled);
}
