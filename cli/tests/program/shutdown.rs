//! A stopping server finishes running requests.

use std::process::Command;

use bytes::Bytes;
use reqwest::Body;
use tokio::sync::mpsc;

use crate::test_program::{TestProgram, TestServer};

const MULTIPART_HEAD: &str =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nfirst half, ";
const MULTIPART_TAIL: &str = "second half\r\n--b--\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_waits_for_running_upload() {
    let program = TestProgram::with_ada();
    let mut server = program.serve();
    let ada = server.sign_in_as_ada().await;
    let (pieces, body) = streamed_body();
    let request = ada
        .put("/api/files/a.nc/content")
        .header("Content-Type", "multipart/form-data; boundary=b");
    let request = tokio::spawn(request.body(body).send());
    pieces.send(Ok(Bytes::from(MULTIPART_HEAD))).await.unwrap();
    // The server has the first half once it answers a later request on another connection.
    ada.get_json("/auth/me").await;
    server.terminate();
    while ada.get("/health/live").send().await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    pieces.send(Ok(Bytes::from(MULTIPART_TAIL))).await.unwrap();
    drop(pieces);
    assert_eq!(request.await.unwrap().unwrap().status(), 201);
    assert!(server.remaining_output().contains("Stopping"));
    assert!(server.exits_successfully());
    let server = program.serve();
    let content = server
        .sign_in_as_ada()
        .await
        .get("/api/files/a.nc/content")
        .send()
        .await
        .unwrap();
    assert_eq!(content.status(), 200);
    assert_eq!(content.text().await.unwrap(), "first half, second half");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_server_leaves_complete_database_without_journal() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    server.sign_in_as_ada().await.add("a.nc", "G0 X0").await;
    server.stop();
    // A stopped server leaves no data in its journal files.
    let path = program.data_folder().join("strongroom.db-wal");
    assert_eq!(std::fs::metadata(&path).map_or(0, |file| file.len()), 0);
    for journal in ["strongroom.db-wal", "strongroom.db-shm"] {
        std::fs::remove_file(program.data_folder().join(journal)).ok();
    }
    assert!(
        program
            .run(&["user", "list"])
            .expect_success()
            .contains("ada")
    );
    program.run(&["verify"]).expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_terminal_stops_server_in_order() {
    let program = TestProgram::with_ada();
    // The tests themselves may run under nohup, which ignores the signal for their children too.
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_strongroom")]);
    command.args(["--listen", "127.0.0.1:0", "--log", "warn"]);
    command.current_dir(program.folder());
    let mut server = TestServer::start(command);
    server.sign_in_as_ada().await.add("a.nc", "G0 X0").await;
    server.signal("HUP");
    assert!(server.remaining_output().contains("Stopping"));
    assert!(server.exits_successfully());
    let journal = program.data_folder().join("strongroom.db-wal");
    assert_eq!(std::fs::metadata(&journal).map_or(0, |file| file.len()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_under_nohup_survives_its_terminal() {
    let program = TestProgram::with_ada();
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_strongroom"));
    command.args(["--listen", "127.0.0.1:0", "--log", "warn"]);
    command.current_dir(program.folder());
    let mut server = TestServer::start(command);
    server.signal("HUP");
    let health = reqwest::get(server.url("/health/ready")).await.unwrap();
    assert_eq!(health.status(), 200);
    server.terminate();
    assert!(server.remaining_output().contains("Stopping"));
    assert!(server.exits_successfully());
}

type Chunk = Result<Bytes, std::io::Error>;

/// A body that the test sends piece by piece.
fn streamed_body() -> (mpsc::Sender<Chunk>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let pieces = |mut receiver: mpsc::Receiver<Chunk>| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    };
    (
        sender,
        Body::wrap_stream(futures_util::stream::unfold(receiver, pieces)),
    )
}
