//! Pages show every name as text, never as markup.

use crate::{
    app::{PASSWORD, file_url},
    browser_test::BrowserTest,
    vault::row_selector,
};

const NAMES: [&str; 4] = [
    "a&b 'quote'.nc",
    "100% #1+2;=.nc",
    "größe, größer.nc",
    "&lt;b&gt;&amp;.nc",
];
const MARKUP: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>";

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn filenames_and_descriptions_with_markup_show_as_text() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let program = stage.app.sign_in("ada").await;
    program
        .add(&format!("{MARKUP}.nc"), b"one")
        .await
        .expect_status(422);
    program
        .add("seems \u{202e}cod.exe", b"one")
        .await
        .expect_status(422);
    for name in NAMES {
        program.add(name, b"one").await.expect_status(201);
        ada.wait_for_js(&format!(
            "[...document.querySelectorAll('#rows a.name')].some((it) => it.textContent === {})",
            serde_json::json!(name)
        ))
        .await;
    }
    let name = NAMES[0];
    program
        .send(
            program
                .put_request(&file_url(name, ""))
                .json(&serde_json::json!({"description": MARKUP})),
        )
        .await
        .expect_status(200);
    ada.expect_text(&row_selector(name), MARKUP).await;
    program
        .post(
            &file_url(name, "/checkout"),
            serde_json::json!({"note": MARKUP}),
        )
        .await
        .expect_status(200);
    ada.expect_text(&row_selector(name), MARKUP).await;
    program
        .check_in(name, b"two", MARKUP)
        .await
        .expect_status(200);
    ada.expect_revision(name, 2).await;
    ada.click_file_action(name, "history").await;
    ada.expect_text("h1", name).await;
    ada.expect_text("[data-revision='2']", MARKUP).await;
    ada.expect_text("#description", MARKUP).await;
    ada.click("[data-revision='1'] [data-action=download]")
        .await;
    ada.goto(&format!(
        "/v/main?q={}",
        "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    ))
    .await;
    ada.expect_text("#no-match", "<img src=x onerror=alert(1)>")
        .await;
    assert_eq!(
        ada.evaluate("document.querySelectorAll('img, main script').length")
            .await,
        0
    );
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn display_name_with_markup_shows_as_text() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ben = stage.new_window("ben").await;
    ben.goto("/sign-up").await;
    ben.fill("#username", "ben").await;
    ben.fill("#display_name", MARKUP).await;
    ben.fill("#password", PASSWORD).await;
    ben.click("#sign-up button.primary").await;
    ben.expect_path("/").await;
    let ada = stage.administrator("ada").await;
    ada.goto("/admin/users").await;
    ada.expect_text("[data-user=ben]", "<img src=x").await;
    for window in [&ada, &ben] {
        assert_eq!(
            window
                .evaluate("document.querySelectorAll('img').length")
                .await,
            0
        );
        window.expect_no_console_errors().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_upload_shows_its_error_beside_file() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.click("[data-action=add]").await;
    ada.choose_files(
        "#add-input",
        &[
            stage.local_file("<b>.nc", b"one"),
            stage.local_file("good.nc", b"one"),
        ],
    )
    .await;
    ada.click("#add-submit").await;
    ada.expect_text("#add-summary", "1 added, 1 not added")
        .await;
    ada.expect_text("#uploads .upload[data-state=failed]", "<b>.nc")
        .await;
    ada.expect_visible(&row_selector("good.nc")).await;
    ada.expect_only_console_errors(&["status of 422"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploaded_html_is_downloaded_not_rendered() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let page = b"<script>alert(document.cookie)</script>";
    stage
        .app
        .sign_in("ada")
        .await
        .add("page.html", page)
        .await
        .expect_status(201);
    ada.click(&format!(
        "{} .actions > [data-action=download]",
        row_selector("page.html")
    ))
    .await;
    ada.expect_download("page.html", page).await;
    ada.expect_path("/").await;
}
