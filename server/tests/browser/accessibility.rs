//! Accessibility for screen readers: names of controls, headings, landmarks.

use crate::{browser_test::BrowserTest, vault::row_selector};

/// Returns each accessibility error on the page as a sentence.
const ACCESSIBILITY_PROBLEMS: &str = r"(() => {
    const found = [], shown = (it) => it.checkVisibility({visibilityProperty: true}) && it.getClientRects().length > 0;
    const all = (css) => [...document.querySelectorAll(css)].filter(shown);
    let level = 0;
    for (const heading of all('h1, h2, h3, h4')) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) found.push(`${heading.tagName} after H${level}: ${heading.textContent}`);
        level = next;
    }
    if (all('h1').length !== 1) found.push(`${all('h1').length} first headings`);
    if (all('main').length !== 1) found.push('no main part');
    const ids = [...document.querySelectorAll('[id]')].map((it) => it.id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push(`two of #${id}`);
    for (const list of ['aria-describedby', 'aria-labelledby']) for (const it of document.querySelectorAll(`[${list}]`)) {
        for (const id of it.getAttribute(list).split(' ')) if (!ids.includes(id)) found.push(`${list} of nothing: ${id}`);
    }
    for (const field of all('input, select, textarea')) {
        if (!field.labels?.length && !field.ariaLabel && field.ariaHidden !== 'true') found.push(field.outerHTML);
    }
    for (const it of all('button, a[href], summary')) if (!(it.ariaLabel ?? it.textContent).trim()) found.push(it.outerHTML);
    return found;
})()";

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_accessible_names_for_screen_readers() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    stage
        .app
        .editor("ben")
        .await
        .add("fixtures/gear.mcam", b"one")
        .await
        .expect_status(201);
    for path in [
        "/v/main",
        "/v/main/f/fixtures",
        "/v/main/h/fixtures/gear.mcam",
        "/v/main/deleted",
        "/v/main/audit",
        "/account",
        "/account/factors",
        "/account/security",
        "/account/tokens",
        "/admin/users",
        "/admin/users/ben",
        "/admin/groups",
        "/admin/invites",
        "/admin/audit",
        "/admin/throttle",
        "/device",
        "/nothing",
    ] {
        ada.goto(path).await;
        ada.expect_visible("main h1").await;
        assert_eq!(
            ada.evaluate(ACCESSIBILITY_PROBLEMS).await,
            serde_json::json!([]),
            "{path}"
        );
    }
    let anonymous = stage.new_window("nobody").await;
    for path in [
        "/sign-in",
        "/sign-up",
        "/forgot",
        "/join",
        "/reset",
        "/confirm-email",
    ] {
        anonymous.goto(path).await;
        anonymous.expect_visible("main h1").await;
        assert_eq!(
            anonymous.evaluate(ACCESSIBILITY_PROBLEMS).await,
            serde_json::json!([]),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn button_labels_follow_a_moved_file() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let program = stage.app.sign_in("ada").await;
    program.add("gear.mcam", b"one").await.expect_status(201);
    ada.expect_visible(&format!(
        "{} [aria-label='Check out gear.mcam']",
        row_selector("gear.mcam")
    ))
    .await;
    ada.check_out("gear.mcam").await;
    ada.expect_visible(&format!(
        "{} [aria-label='Check in gear.mcam']",
        row_selector("gear.mcam")
    ))
    .await;
    program
        .post(
            &crate::app::file_url("gear.mcam", "/move"),
            serde_json::json!({"to": "wheel.mcam"}),
        )
        .await
        .expect_status(200);
    ada.expect_visible(&format!(
        "{} [aria-label='Check in wheel.mcam']",
        row_selector("wheel.mcam")
    ))
    .await;
    ada.reload().await;
    ada.expect_visible(&format!(
        "{} summary[aria-label='More actions for wheel.mcam']",
        row_selector("wheel.mcam")
    ))
    .await;
    ada.expect_no_console_errors().await;
}
