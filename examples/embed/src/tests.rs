//! A new user registers, signs in, and does what the role allows, and nothing without it.

use super::*;

const PASSWORD: &str = "correct horse battery";

async fn serve() -> String {
    let key = MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa").unwrap();
    let service = service(key).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

#[tokio::test]
async fn embedded_app_registers_signs_in_and_authorizes() {
    let (url, http) = (serve().await, reqwest::Client::new());
    let send = |path: &str, password: &str| {
        http.post(format!("{url}{path}"))
            .form(&[("username", "ada"), ("password", password)])
            .send()
    };
    assert_eq!(send("/register", "short").await.unwrap().status(), 422);
    let nonsense = http
        .post(format!("{url}/register"))
        .form(&[("username", "a b"), ("password", PASSWORD)]);
    assert_eq!(nonsense.send().await.unwrap().status(), 422);
    assert_eq!(send("/register", PASSWORD).await.unwrap().status(), 200);
    assert_eq!(send("/register", PASSWORD).await.unwrap().status(), 409);
    assert_eq!(
        send("/token", "wrong horse battery")
            .await
            .unwrap()
            .status(),
        401
    );
    let token = send("/token", PASSWORD)
        .await
        .unwrap()
        .error_for_status()
        .unwrap()
        .text()
        .await
        .unwrap();
    let water = || http.post(format!("{url}/water"));
    let watered = water().bearer_auth(&token).send().await.unwrap();
    assert_eq!(watered.status(), 200);
    assert_eq!(watered.text().await.unwrap(), "ada waters main.");
    let me = || http.get(format!("{url}/me"));
    assert_eq!(
        me().bearer_auth(&token)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "You are ada."
    );
    assert_eq!(me().send().await.unwrap().status(), 401);
    assert_eq!(water().send().await.unwrap().status(), 401);
    assert_eq!(
        water()
            .bearer_auth(format!("{token}x"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[test]
fn embed_example_has_at_most_110_lines() {
    let lines = include_str!("main.rs")
        .lines()
        .take_while(|line| !line.contains("cfg(test)"));
    assert!(lines.count() <= 110);
}
