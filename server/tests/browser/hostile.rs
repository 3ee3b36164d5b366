//! Pages show every name as text, never as markup.

use crate::{
    app::{PASSWORD, file},
    stage::Stage,
    vault::row,
};

const NAMES: [&str; 4] = [
    "a&b 'quote'.nc",
    "100% #1+2;=.nc",
    "größe, größer.nc",
    "&lt;b&gt;&amp;.nc",
];
const MARKUP: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>";

#[tokio::test(flavor = "multi_thread")]
async fn filenames_and_descriptions_with_markup_show_as_text() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let program = stage.app.sign_in("ada").await;
    program.add(&format!("{MARKUP}.nc"), b"one").await.is(422);
    program.add("seems \u{202e}cod.exe", b"one").await.is(422);
    for name in NAMES {
        program.add(name, b"one").await.is(201);
        ada.sees(&format!(
            "[...document.querySelectorAll('#rows a.name')].some((it) => it.textContent === {})",
            serde_json::json!(name)
        ))
        .await;
    }
    let name = NAMES[0];
    program
        .ask(
            program
                .put(&file(name, ""))
                .json(&serde_json::json!({"description": MARKUP})),
        )
        .await
        .is(200);
    ada.reads(&row(name), MARKUP).await;
    program
        .tell(
            &file(name, "/checkout"),
            serde_json::json!({"note": MARKUP}),
        )
        .await
        .is(200);
    ada.reads(&row(name), MARKUP).await;
    program.check_in(name, b"two", MARKUP).await.is(200);
    ada.has_revision(name, 2).await;
    ada.acts(name, "history").await;
    ada.reads("h1", name).await;
    ada.reads("[data-revision='2']", MARKUP).await;
    ada.reads("#description", MARKUP).await;
    ada.clicks("[data-revision='1'] [data-action=download]")
        .await;
    ada.goto(&format!(
        "/v/main?q={}",
        "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    ))
    .await;
    ada.reads("#no-match", "<img src=x onerror=alert(1)>").await;
    assert_eq!(
        ada.value("document.querySelectorAll('img, main script').length")
            .await,
        0
    );
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn display_name_with_markup_shows_as_text() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ben = stage.window("ben").await;
    ben.goto("/sign-up").await;
    ben.writes("#username", "ben").await;
    ben.writes("#display_name", MARKUP).await;
    ben.writes("#password", PASSWORD).await;
    ben.clicks("#sign-up button.primary").await;
    ben.arrives_at("/").await;
    let ada = stage.administrator("ada").await;
    ada.goto("/admin/users").await;
    ada.reads("[data-user=ben]", "<img src=x").await;
    for window in [&ada, &ben] {
        assert_eq!(
            window
                .value("document.querySelectorAll('img').length")
                .await,
            0
        );
        window.has_no_complaints().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_upload_shows_its_error_beside_file() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    ada.clicks("[data-action=add]").await;
    ada.chooses(
        "#add-input",
        &[
            stage.on_disk("<b>.nc", b"one"),
            stage.on_disk("good.nc", b"one"),
        ],
    )
    .await;
    ada.clicks("#add-submit").await;
    ada.reads("#add-summary", "1 added, 1 not added").await;
    ada.reads("#uploads .upload[data-state=failed]", "<b>.nc")
        .await;
    ada.finds(&row("good.nc")).await;
    ada.complains_only_of(&["status of 422"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploaded_html_is_downloaded_not_rendered() {
    let Some(stage) = Stage::open().await else {
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
        .is(201);
    ada.clicks(&format!(
        "{} .actions > [data-action=download]",
        row("page.html")
    ))
    .await;
    ada.has_downloaded("page.html", page).await;
    ada.arrives_at("/").await;
}
