//! Layout: every page fits every screen, in one column, and columns of tables stay where they are.

use serde_json::{Value, json};

use crate::{app::file_url, browser_test::BrowserTest, vault::row_selector, window::Window};

const WIDTHS: [u32; 7] = [320, 390, 740, 800, 912, 1280, 1920];

const LONG_NAME: &str = "fixtures/a-very-long-name-without-any-place-to-break-it-in-the-middle-of-the-night-0123456789.step";

const LONG_USERNAME: &str = "a.colleague.with.a.long.name@example.org";

/// Elements that end right of the window, or are cut by a scrolling ancestor without being meant to.
const TOO_WIDE: &str = "[...document.querySelectorAll('body *')].filter((it) => it.checkVisibility() && \
    !it.closest('.sr, .sprite, .tabs, thead') && it.getBoundingClientRect().right > innerWidth + 1)\
    .map((it) => it.outerHTML.slice(0, 120))";

/// Pairs of visible cells of one row that cover each other.
const OVERLAPS: &str = r"(() => {
    const found = [];
    for (const row of document.querySelectorAll('main tbody tr')) {
        const parts = [...row.querySelectorAll('td, td a, td button, td time, td summary, td .prose, td .tag')]
            .filter((it) => it.checkVisibility() && getComputedStyle(it).display !== 'contents' && !it.closest('.sheet'));
        for (const [n, one] of parts.entries()) for (const other of parts.slice(n + 1)) {
            if (one.contains(other) || other.contains(one)) continue;
            const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
            const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (width > 1 && height > 1) found.push(`${one.outerHTML.slice(0, 90)} covers ${other.outerHTML.slice(0, 90)}`);
        }
    }
    return found;
})()";

/// Where the content of the page starts and the brand of the bar: the same column.
const LEFT_EDGES: &str = "[document.querySelector('main').getBoundingClientRect().left + \
    parseFloat(getComputedStyle(document.querySelector('main')).paddingLeft), \
    document.querySelector('.brand').getBoundingClientRect().left].map(Math.round)";

const COLUMN_EDGES: &str = "[...document.querySelectorAll('#files th')].map((it) => \
    [it.getBoundingClientRect().left, it.getBoundingClientRect().right].map(Math.round))";

impl Window {
    pub(crate) async fn expect_no_horizontal_overflow(&self) {
        let root = "document.documentElement";
        let wide = self
            .evaluate(&format!("{root}.scrollWidth > {root}.clientWidth"))
            .await;
        let (path, beyond) = (
            self.evaluate("location.pathname").await,
            self.evaluate(TOO_WIDE).await,
        );
        let width = self.evaluate("innerWidth").await;
        assert_eq!(wide, false, "{path} is wider than {width}: {beyond}");
        assert_eq!(beyond, json!([]), "{path} at {width}");
        assert_eq!(
            self.evaluate(OVERLAPS).await,
            json!([]),
            "{path} at {width}"
        );
    }

    /// Measures the open page at every width. Returns the left edge of its content at each.
    async fn measure_at_every_width(&self) -> Vec<Value> {
        let mut edges = Vec::new();
        for width in WIDTHS {
            self.resize(width, 800).await;
            self.expect_no_horizontal_overflow().await;
            edges.push(
                self.evaluate(&format!(
                    "document.querySelector('.bar') ? {LEFT_EDGES} : null"
                ))
                .await,
            );
        }
        edges
    }
}

/// A vault with files in every state, long names, revisions and a deleted file. The editor with the
/// long name holds one of the files.
async fn fill(stage: &BrowserTest) {
    let editor = stage.app.editor(LONG_USERNAME).await;
    let ada = stage.app.sign_in("ada").await;
    for name in [LONG_NAME, "gear.mcam", "mine.nc", "gone.nc"] {
        editor.add(name, &[b'7'; 4321]).await.expect_status(201);
    }
    let note = json!({"note": "until the mill is free again, on Thursday"});
    for comment in ["Bearing seats to 62 H7, as the drawing says", "Second"] {
        editor.check_out(LONG_NAME).await.expect_status(200);
        editor
            .check_in(LONG_NAME, comment.as_bytes(), comment)
            .await
            .expect_status(200);
    }
    editor
        .post(&file_url(LONG_NAME, "/checkout"), note.clone())
        .await
        .expect_status(200);
    editor
        .post(&file_url("gear.mcam", "/checkout"), note)
        .await
        .expect_status(200);
    ada.check_out("mine.nc").await.expect_status(200);
    let gone = ada.delete_request(&file_url("gone.nc", ""));
    ada.send(gone).await.expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_screens_in_one_column() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    fill(&stage).await;
    let file = format!("/v/main/h/{LONG_NAME}");
    let person = format!("/admin/users/{LONG_USERNAME}");
    let mut first = None;
    for path in [
        "/v/main",
        "/v/main/f/fixtures",
        "/v/main?q=a",
        &file,
        "/v/main/h/mine.nc",
        "/v/main/deleted",
        "/v/main/audit",
        "/nothing",
        "/device",
        "/account",
        "/account/factors",
        "/account/security",
        "/account/tokens",
        "/admin/users",
        &person,
        "/admin/groups",
        "/admin/invites",
        "/admin/audit",
        "/admin/throttle",
    ] {
        ada.goto(path).await;
        ada.expect_visible("main h1").await;
        let edges = ada.measure_at_every_width().await;
        let expected = first.get_or_insert_with(|| edges.clone());
        assert_eq!(&edges, expected, "{path} starts elsewhere");
        for edge in &edges {
            assert_eq!(edge[0], edge[1], "{path}: content and bar");
        }
    }
    ada.sign_out().await;
    for path in [
        "/sign-in",
        "/sign-up",
        "/forgot",
        "/join",
        "/reset",
        "/confirm-email",
        "/first",
    ] {
        ada.goto(path).await;
        ada.expect_visible("main h1").await;
        ada.measure_at_every_width().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_and_menus_fit_a_phone() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    fill(&stage).await;
    ada.resize(320, 700).await;
    ada.goto("/v/main/f/fixtures").await;
    ada.wait_until_live().await;
    ada.click_file_action(LONG_NAME, "override").await;
    ada.expect_no_horizontal_overflow().await;
    ada.expect_visible("#override-dialog [data-submit]").await;
    ada.click("#override-dialog [data-close]").await;
    ada.click("#user-menu summary").await;
    ada.expect_no_horizontal_overflow().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_stay_when_files_change() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let program = stage.app.sign_in("ada").await;
    program.add("gear.mcam", b"one").await.expect_status(201);
    for width in [1000, 1280, 1920] {
        ada.resize(width, 800).await;
        ada.goto("/v/main").await;
        ada.wait_until_live().await;
        ada.expect_visible(&row_selector("gear.mcam")).await;
        let before = ada.evaluate(COLUMN_EDGES).await;
        assert_eq!(before.as_array().unwrap().len(), 6);
        ada.check_out("gear.mcam").await;
        assert_eq!(ada.evaluate(COLUMN_EDGES).await, before, "at {width}");
        ada.expect_no_horizontal_overflow().await;
        program
            .post(&file_url("gear.mcam", "/cancel"), Value::Null)
            .await
            .expect_status(200);
        ada.expect_text(&row_selector("gear.mcam"), "Available")
            .await;
        assert_eq!(ada.evaluate(COLUMN_EDGES).await, before, "at {width}");
    }
}
