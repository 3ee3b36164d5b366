//! `strongroom key`, with and without a running server.

use std::time::{Duration, Instant};

use base64::Engine as _;

use crate::test_program::{Client, PASSWORD, TestProgram};

fn kid(token: &str) -> String {
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn console_key_rotation_reaches_running_server() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let before = server.sign_in_as_ada().await;
    let printed = program.run(&["key", "rotate"]).expect_success();
    let new = printed.split(' ').next().unwrap().to_owned();
    let rotated = Instant::now();
    loop {
        let token = server.sign_in("ada", PASSWORD).await.unwrap();
        if kid(&token) == new {
            Client::new(&server, &token).get_json("/auth/me").await;
            break;
        }
        assert!(
            rotated.elapsed() < Duration::from_secs(5),
            "the old key still signs"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    before.get_json("/auth/me").await;
    let list = program.run(&["key", "list"]).expect_success();
    let lines: Vec<&str> = list.lines().collect();
    assert!(
        lines[0].starts_with(&new) && lines[0].contains("HS256  signs since"),
        "{list}"
    );
    assert!(
        lines[1].starts_with(&kid(&before.token)) && lines[1].contains("verifies only"),
        "{list}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn access_token_ended_at_console_is_rejected() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let ada = server.sign_in_as_ada().await;
    program
        .run(&["key", "rotate", "--end-tokens"])
        .expect_success();
    ada.wait_for_end_of_session("/auth/me", Duration::from_secs(5))
        .await;
    server.kill();
    let server = program.serve();
    let again = Client::new(&server, &ada.token);
    assert_eq!(again.get("/auth/me").send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_signing_algorithm_is_kept_by_console_rotation() {
    let program = TestProgram::with_ada();
    program.write_file("strongroom.toml", "[keys]\nalgorithm = \"EdDSA\"\n");
    let server = program.serve_with(&["--config", "strongroom.toml"]);
    let ada = server.sign_in_as_ada().await;
    let jwks = ada.get_json("/.well-known/jwks.json").await;
    assert_eq!(jwks["keys"][0]["kid"], kid(&ada.token));
    assert_eq!(
        (&jwks["keys"][0]["crv"], &jwks["keys"][0]["alg"]),
        (&"Ed25519".into(), &"EdDSA".into())
    );
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    assert!(jwks["keys"][0].get("d").is_none());
    program.run(&["key", "rotate"]).expect_success();
    assert!(
        program
            .run(&["key", "list"])
            .expect_success()
            .lines()
            .next()
            .unwrap()
            .contains("EdDSA")
    );
}

#[test]
fn wrong_master_key_fails_startup_with_instructions() {
    let program = TestProgram::with_ada();
    std::fs::remove_file(program.data_folder().join("keys/master.key")).unwrap();
    program
        .run(&["user", "list"])
        .expect_failure("strongroom key rotate --end-tokens");
    program
        .run(&["key", "rotate", "--end-tokens"])
        .expect_success();
    program.run(&["user", "list"]).expect_success();
}
