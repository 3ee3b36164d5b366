//! Access tokens, and consent for devices and OAuth clients.

use crate::browser_test::BrowserTest;

#[tokio::test(flavor = "multi_thread")]
async fn token_page_creates_and_ends_a_token() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.goto("/account/tokens").await;
    ada.expect_text("#no-tokens", "No tokens").await;
    ada.click("#new-token").await;
    ada.click("#new-token-dialog [data-submit]").await;
    ada.expect_text("#new-token-dialog [data-error]", "Enter a name")
        .await;
    ada.fill("#new-token-dialog [name=name]", "nightly <b>backup</b>")
        .await;
    ada.click("#new-token-dialog [data-submit]").await;
    ada.expect_text("#tokens", "nightly <b>backup</b>").await;
    ada.expect_focused("#copy").await;
    let secret = ada
        .evaluate("document.querySelector('#secret').value")
        .await;
    let script = stage.app.anonymous();
    let script = crate::app::Client {
        token: secret.as_str().map(str::to_owned),
        ..script
    };
    script.get("/api/files").await.expect_status(200);
    script.add("a.nc", b"x").await.expect_status(403);
    // The page shows the secret once.
    ada.reload().await;
    ada.expect_text("#tokens", "last used").await;
    ada.expect_hidden("#made:not([hidden])").await;
    ada.click("[data-action=end-token]").await;
    ada.expect_text("#notices", "is revoked").await;
    script.get("/api/files").await.expect_status(401);
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn device_page_shows_and_approves_the_request() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = stage.app.anonymous();
    let codes = device
        .send(
            device
                .post_request("/auth/device")
                .form(&[("scope", "files:read")]),
        )
        .await
        .expect_status(200)
        .body;
    let code = codes["user_code"].as_str().unwrap();
    ada.goto(&format!("/device?user_code={code}")).await;
    ada.click("#code-form [data-submit]").await;
    ada.expect_text("#request", code).await;
    ada.expect_text("#request", "Strongroom on the command line")
        .await;
    ada.expect_text("#request", "files:read").await;
    assert_eq!(
        ada.evaluate(
            "[...document.querySelectorAll('[data-scope]')].filter((l) => !l.hidden).length"
        )
        .await,
        1
    );
    ada.click("#approve").await;
    ada.expect_text("#done", "Device connected").await;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", codes["device_code"].as_str().unwrap()),
    ];
    device
        .send(device.post_request("/auth/token").form(&form))
        .await
        .expect_status(200);
    ada.goto("/device").await;
    ada.fill("#code-form [name=user_code]", code).await;
    ada.click("#code-form [data-submit]").await;
    ada.expect_text("#code-form [data-error]", "No device is waiting")
        .await;
    ada.expect_only_console_errors(&["status of 404"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_page_denies_and_approves_a_client() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    // A redirect URI on the server itself, which has no such page.
    let back = format!("{}/callback", stage.app.url(""));
    let mut query = form_urlencoded::Serializer::new(String::new());
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (name, value) in [
        ("client_id", "strongroom-cli"),
        ("redirect_uri", back.as_str()),
        ("response_type", "code"),
        ("state", "s"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ] {
        query.append_pair(name, value);
    }
    let page = format!("/auth/authorize?{}", query.finish());
    for (button, outcome) in [
        ("#deny", "error=access_denied"),
        ("#approve", "code=sr_ac_"),
    ] {
        ada.goto(&page).await;
        ada.expect_text("#request", "requests access as ada").await;
        ada.click(button).await;
        ada.wait_for_js(&format!(
            "location.pathname === '/callback' && location.search.includes('{outcome}')"
        ))
        .await;
    }
}
