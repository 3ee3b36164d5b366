//! Step-up authentication, confirmation of e-mail addresses, and rate limits, in the browser.

use std::time::Duration;

use auth::upstream::UnknownUsers;
use serde_json::json;
use server::{ConfigSource, config::SessionsSection};

use crate::{
    app::PASSWORD,
    provider::{Provider, uptime},
    stage::Stage,
    window::Window,
};

const LATER: Duration = Duration::from_mins(11);

async fn asks_for_a_token(window: &Window) {
    window.clicks("#new-token").await;
    window
        .writes("#new-token-dialog [name=name]", "nightly backup")
        .await;
    window.clicks("#new-token-dialog [data-submit]").await;
}

/// A user who signed in through a provider opens the tokens page some time later.
pub(crate) async fn came_by_a_provider(stage: &Stage, provider: &Provider) -> Window {
    let mut ada = stage.window("ada").await;
    // The redirect URI of the provider has this origin.
    ada.base = stage.app.url("");
    provider.says(json!({"sub": "17", "preferred_username": "ada"}));
    ada.goto("/sign-in").await;
    ada.reads("a.provider", "Continue with Work").await;
    ada.clicks("a.provider").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    ada.goto("/account/tokens").await;
    stage.app.later(LATER);
    provider.says(json!({"sub": "17", "auth_time": uptime() + LATER.as_secs()}));
    ada
}

pub(crate) async fn beside(provider: &Provider) -> Option<Stage> {
    let providers = Some(vec![provider.section(UnknownUsers::Provision)]);
    let public_url = Some("http://127.0.0.1:0".to_owned());
    Stage::with(ConfigSource {
        providers,
        public_url,
        ..ConfigSource::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn passwordless_account_steps_up_at_provider_in_browser() {
    let provider = Provider::start().await;
    let Some(stage) = beside(&provider).await else {
        return;
    };
    let ada = came_by_a_provider(&stage, &provider).await;
    asks_for_a_token(&ada).await;
    ada.reads("#step-up-providers a", "Sign in with Work again")
        .await;
    ada.clicks("#step-up-providers a").await;
    // The user returns to the page where the step-up began and repeats the action.
    ada.misses("#new-token-dialog").await;
    ada.arrives_at("/account/tokens").await;
    asks_for_a_token(&ada).await;
    ada.sees("document.querySelector('#secret').value.startsWith('sr_pat_')")
        .await;
    ada.misses("#step-up-dialog").await;
    ada.complains_only_of(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_all_sessions_in_browser_keeps_the_administrator() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let (ada, ben) = (stage.administrator("ada").await, stage.editor("ben").await);
    ada.goto("/admin/users").await;
    stage.app.later(LATER);
    ada.clicks("#end-all-sessions").await;
    ada.clicks("#end-all-sessions-dialog [data-submit]").await;
    ada.reads("#end-all-sessions-dialog", "Enter a reason")
        .await;
    ada.writes(
        "#end-all-sessions-dialog [name=reason]",
        "A laptop was stolen",
    )
    .await;
    ada.clicks("#end-all-sessions-dialog [data-submit]").await;
    ada.writes("#step-up-dialog [name=password]", PASSWORD)
        .await;
    ada.clicks("#step-up-dialog [data-submit]").await;
    ben.arrives_at("/sign-in").await;
    ada.finds("#notices [data-kind]").await;
    ada.goto("/admin/audit").await;
    ada.arrives_at("/admin/audit").await;
    ada.reads("main", "A laptop was stolen").await;
    ada.complains_only_of(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resent_mail_confirms_the_email_address() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let address = stage.app.register_with_address("ada").await;
    let first = stage.app.letter_to(&address, 1).await;
    let ada = stage.window("ada").await;
    ada.signs_in(PASSWORD).await;
    ada.goto("/account").await;
    ada.reads("#unconfirmed", "not confirmed").await;
    stage.app.later(LATER);
    ada.clicks("#send-link").await;
    ada.reads("#notices", "on its way").await;
    let second = stage.app.letter_to(&address, 2).await;
    assert_ne!(first.secret(), second.secret());
    ada.goto(&format!("/confirm-email#{}", second.secret()))
        .await;
    ada.clicks("#confirm button.primary").await;
    ada.reads("main", "E-mail address confirmed").await;
    ada.goto("/account").await;
    ada.finds("#profile-form").await;
    ada.misses("#unconfirmed").await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_page_creates_the_first_administrator() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let link = stage.app.running.setup_link.clone().unwrap();
    let (_, token) = link.split_once('#').unwrap();
    let ada = stage.window("ada").await;
    ada.goto(&format!("/first#{token}")).await;
    ada.misses("#token-field").await;
    assert_eq!(
        ada.value("location.hash").await,
        json!(""),
        "the token stays in no history"
    );
    ada.writes("#username", "ada").await;
    ada.writes("#password", "too short").await;
    ada.run("document.querySelector('#first').noValidate = true")
        .await;
    ada.clicks("#first button.primary").await;
    ada.reads("#message", "characters").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#first button.primary").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    ada.clicks("#user-menu summary").await;
    ada.finds("#user-menu a[href='/admin/users']").await;
    // The link is used up.
    let eve = stage.window("eve").await;
    eve.goto(&format!("/first#{token}")).await;
    eve.reads("main", "An administrator exists already").await;
    eve.misses("form").await;
    ada.complains_only_of(&["status of 422"]).await;
}

/// Browsers send no `Sec-Fetch-Site` to such an origin, so `Origin` alone identifies forms of this
/// site.
#[tokio::test(flavor = "multi_thread")]
async fn mailed_links_work_over_plain_http() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let base = format!("http://strongroom.test:{}", stage.app.address().port());
    let mut ada = stage.window("ada").await;
    ada.base.clone_from(&base);
    let link = stage.app.running.setup_link.clone().unwrap();
    ada.goto(&format!("/first#{}", link.split_once('#').unwrap().1))
        .await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#first button.primary").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    let address = stage.app.register_with_address("ben").await;
    let letter = stage.app.letter_to(&address, 1).await;
    let mut ben = stage.window("ben").await;
    ben.base = base;
    ben.goto(&format!("/confirm-email#{}", letter.secret()))
        .await;
    ben.clicks("#confirm button.primary").await;
    ben.reads("main", "E-mail address confirmed").await;
    stage
        .app
        .anonymous()
        .tell("/auth/reset", json!({"account": "ben"}))
        .await
        .is(202);
    let letter = stage.app.letter_to(&address, 2).await;
    ben.goto(&format!("/reset#{}", letter.secret())).await;
    ben.writes("#password", "four quiet lathes hum").await;
    ben.clicks("#reset button.primary").await;
    ben.misses("#reset").await;
    ben.signs_in("four quiet lathes hum").await;
}

/// A page whose session has used up its request rate.
pub(crate) async fn asks_too_much(ada: &Window) {
    ada.goto("/account").await;
    // Immediately: one second later the limit allows another request.
    ada.run(
        "for (let n = 0; n < 80; n++) await fetch('/auth/me'); setTimeout(() => location.assign('/account?again'))",
    )
    .await;
    ada.sees("location.search === '?again'").await;
}

pub(crate) async fn with_a_limit() -> Option<Stage> {
    let sessions = SessionsSection {
        requests_per_minute: Some(60),
        ..SessionsSection::default()
    };
    Stage::with(ConfigSource {
        sessions: Some(sessions),
        ..ConfigSource::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_page_shows_an_error() {
    let Some(stage) = with_a_limit().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    asks_too_much(&ada).await;
    ada.reads("main h1", "Too many requests").await;
    ada.reads("main", "Too many requests in this session. Try again in")
        .await;
    stage.app.later(Duration::from_mins(1));
    ada.reload().await;
    ada.finds("#profile-form").await;
    ada.complains_only_of(&["status of 429"]).await;
}
