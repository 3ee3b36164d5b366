//! Step-up authentication, confirmation of e-mail addresses, and rate limits, in the browser.

use std::time::Duration;

use auth::upstream::UnknownUsers;
use serde_json::json;
use server::{ConfigSource, config::SessionsSection};

use crate::{
    app::PASSWORD,
    browser_test::BrowserTest,
    mock_provider::{MockProvider, uptime},
    window::Window,
};

const PAST_STEP_UP: Duration = Duration::from_mins(11);

async fn submit_new_token(window: &Window) {
    window.click("#new-token").await;
    window
        .fill("#new-token-dialog [name=name]", "nightly backup")
        .await;
    window.click("#new-token-dialog [data-submit]").await;
}

/// A user who signed in through a provider opens the tokens page some time later.
pub(crate) async fn sign_in_with_provider(stage: &BrowserTest, provider: &MockProvider) -> Window {
    let mut ada = stage.new_window("ada").await;
    // The redirect URI of the provider has this origin.
    ada.base = stage.app.url("");
    provider.set_claims(json!({"sub": "17", "preferred_username": "ada"}));
    ada.goto("/sign-in").await;
    ada.expect_text("a.provider", "Continue with Work").await;
    ada.click("a.provider").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    ada.goto("/account/tokens").await;
    stage.app.advance_clock(PAST_STEP_UP);
    let now = uptime() + PAST_STEP_UP.as_secs();
    provider.set_claims(json!({"sub": "17", "auth_time": now, "exp": now + 600}));
    ada
}

pub(crate) async fn test_with_provider(provider: &MockProvider) -> Option<BrowserTest> {
    let providers = Some(vec![provider.section(UnknownUsers::Provision)]);
    let public_url = Some("http://127.0.0.1:0".to_owned());
    BrowserTest::with_settings(ConfigSource {
        providers,
        public_url,
        ..ConfigSource::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn passwordless_account_steps_up_at_provider_in_browser() {
    let provider = MockProvider::start().await;
    let Some(stage) = test_with_provider(&provider).await else {
        return;
    };
    let ada = sign_in_with_provider(&stage, &provider).await;
    submit_new_token(&ada).await;
    ada.expect_text("#step-up-providers a", "Sign in with Work again")
        .await;
    ada.click("#step-up-providers a").await;
    // The user returns to the page where the step-up began and repeats the action.
    ada.expect_hidden("#new-token-dialog").await;
    ada.expect_path("/account/tokens").await;
    submit_new_token(&ada).await;
    ada.wait_for_js("document.querySelector('#secret').value.startsWith('sr_pat_')")
        .await;
    ada.expect_hidden("#step-up-dialog").await;
    ada.expect_only_console_errors(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_all_sessions_in_browser_keeps_the_administrator() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let (ada, ben) = (stage.administrator("ada").await, stage.editor("ben").await);
    ada.goto("/admin/users").await;
    stage.app.advance_clock(PAST_STEP_UP);
    ada.click("#end-all-sessions").await;
    ada.click("#end-all-sessions-dialog [data-submit]").await;
    ada.expect_text("#end-all-sessions-dialog", "Enter a reason")
        .await;
    ada.fill(
        "#end-all-sessions-dialog [name=reason]",
        "A laptop was stolen",
    )
    .await;
    ada.click("#end-all-sessions-dialog [data-submit]").await;
    ada.fill("#step-up-dialog [name=password]", PASSWORD).await;
    ada.click("#step-up-dialog [data-submit]").await;
    ben.expect_path("/sign-in").await;
    ada.expect_visible("#notices [data-kind]").await;
    ada.goto("/admin/audit").await;
    ada.expect_path("/admin/audit").await;
    ada.expect_text("main", "A laptop was stolen").await;
    ada.expect_only_console_errors(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resent_mail_confirms_the_email_address() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let address = stage.app.register_with_email("ada").await;
    let first = stage.app.wait_for_mail(&address, 1).await;
    let ada = stage.new_window("ada").await;
    ada.sign_in(PASSWORD).await;
    ada.goto("/account").await;
    ada.expect_text("#unconfirmed", "not confirmed").await;
    stage.app.advance_clock(PAST_STEP_UP);
    ada.click("#send-link").await;
    ada.expect_text("#notices", "on its way").await;
    let second = stage.app.wait_for_mail(&address, 2).await;
    assert_ne!(first.token(), second.token());
    ada.goto(&format!("/confirm-email#{}", second.token()))
        .await;
    ada.click("#confirm button.primary").await;
    ada.expect_text("main", "E-mail address confirmed").await;
    ada.goto("/account").await;
    ada.expect_visible("#profile-form").await;
    ada.expect_hidden("#unconfirmed").await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_page_creates_the_first_administrator() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let link = stage.app.running.setup_link.clone().unwrap();
    let (_, token) = link.split_once('#').unwrap();
    let ada = stage.new_window("ada").await;
    ada.goto(&format!("/first#{token}")).await;
    ada.expect_hidden("#token-field").await;
    assert_eq!(
        ada.evaluate("location.hash").await,
        json!(""),
        "the history has no token"
    );
    ada.fill("#username", "ada").await;
    ada.fill("#password", "too short").await;
    ada.run_script("document.querySelector('#first').noValidate = true")
        .await;
    ada.click("#first button.primary").await;
    ada.expect_text("#message", "characters").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#first button.primary").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    ada.click("#user-menu summary").await;
    ada.expect_visible("#user-menu a[href='/admin/users']")
        .await;
    // The link is used up.
    let eve = stage.new_window("eve").await;
    eve.goto(&format!("/first#{token}")).await;
    eve.expect_text("main", "An administrator exists already")
        .await;
    eve.expect_hidden("form").await;
    ada.expect_only_console_errors(&["status of 422"]).await;
}

/// Browsers send no `Sec-Fetch-Site` to such an origin, so `Origin` alone identifies forms of this
/// site.
#[tokio::test(flavor = "multi_thread")]
async fn mailed_links_work_over_plain_http() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let base = format!("http://strongroom.test:{}", stage.app.address().port());
    let mut ada = stage.new_window("ada").await;
    ada.base.clone_from(&base);
    let link = stage.app.running.setup_link.clone().unwrap();
    ada.goto(&format!("/first#{}", link.split_once('#').unwrap().1))
        .await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#first button.primary").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    let address = stage.app.register_with_email("ben").await;
    let mail = stage.app.wait_for_mail(&address, 1).await;
    let mut ben = stage.new_window("ben").await;
    ben.base = base;
    ben.goto(&format!("/confirm-email#{}", mail.token())).await;
    ben.click("#confirm button.primary").await;
    ben.expect_text("main", "E-mail address confirmed").await;
    stage
        .app
        .anonymous()
        .post("/auth/reset", json!({"account": "ben"}))
        .await
        .expect_status(202);
    let mail = stage.app.wait_for_mail(&address, 2).await;
    ben.goto(&format!("/reset#{}", mail.token())).await;
    ben.fill("#password", "four quiet lathes hum").await;
    ben.click("#reset button.primary").await;
    ben.expect_hidden("#reset").await;
    ben.sign_in("four quiet lathes hum").await;
}

/// A page whose session has used up its request rate.
pub(crate) async fn exceed_rate_limit(ada: &Window) {
    ada.goto("/account").await;
    // Immediately: one second later the limit allows another request.
    ada.run_script(
        "for (let n = 0; n < 80; n++) await fetch('/auth/me'); setTimeout(() => location.assign('/account?again'))",
    )
    .await;
    ada.wait_for_js("location.search === '?again'").await;
}

pub(crate) async fn test_with_rate_limit() -> Option<BrowserTest> {
    let sessions = SessionsSection {
        requests_per_minute: Some(60),
        ..SessionsSection::default()
    };
    BrowserTest::with_settings(ConfigSource {
        sessions: Some(sessions),
        ..ConfigSource::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_page_shows_an_error() {
    let Some(stage) = test_with_rate_limit().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    exceed_rate_limit(&ada).await;
    ada.expect_text("main h1", "Too many requests").await;
    ada.expect_text("main", "Too many requests in this session. Try again in")
        .await;
    stage.app.advance_clock(Duration::from_mins(1));
    ada.reload().await;
    ada.expect_visible("#profile-form").await;
    ada.expect_only_console_errors(&["status of 429"]).await;
}
