//! Screenshots: those of the README, and every page in every size and color scheme. Run `cargo test
//! -p server --test browser -- --ignored` to update them.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{
    app::PASSWORD, browser_test::BrowserTest, fixtures, mock_provider::MockProvider, step_up,
    vault::row_selector, window::Window,
};

const PAGES: [(&str, &str); 16] = [
    ("vault", "/"),
    ("folder", "/v/main/f/fixtures"),
    ("search", "/v/main?q=vise"),
    ("nothing-found", "/v/main?q=unobtainium"),
    ("file", "/v/main/h/gearbox-housing.sldprt"),
    ("account", "/account"),
    ("users", "/admin/users"),
    ("deleted", "/v/main/deleted"),
    ("factors", "/account/factors"),
    ("security", "/account/security"),
    ("tokens", "/account/tokens"),
    ("person", "/admin/users/marco"),
    ("groups", "/admin/groups"),
    ("audit", "/admin/audit"),
    ("throttle", "/admin/throttle"),
    ("not-found", "/v/main/h/nothing"),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/screenshots"]
async fn readme_screenshots_are_taken() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let ada = open_filled_vault(&stage).await;
    ada.send_cdp("Emulation.setScrollbarsHidden", json!({"hidden": true}))
        .await;
    ada.resize(1280, 800).await;
    ada.goto("/").await;
    ada.wait_until_live().await;
    ada.expect_visible(&row_selector("gearbox-housing.sldprt"))
        .await;
    ada.save_screenshot(folder.join("vault.png")).await;
    ada.goto("/v/main/h/gearbox-housing.sldprt").await;
    ada.wait_until_live().await;
    ada.save_screenshot(folder.join("history.png")).await;
    create_account_activity(&stage, &ada).await;
    ada.resize(1000, 760).await;
    ada.goto("/account/security").await;
    ada.expect_visible("#activity").await;
    ada.save_screenshot(folder.join("security.png")).await;
    ada.resize(560, 620).await;
    ada.sign_out().await;
    ada.expect_visible("#passkey-button").await;
    ada.run_script("document.activeElement.blur()").await;
    ada.save_screenshot(folder.join("sign-in.png")).await;
}

/// Failed sign-ins occur, then the owner adds a passkey.
async fn create_account_activity(stage: &BrowserTest, ada: &Window) {
    let anonymous = stage.app.anonymous();
    for guess in [
        "a wrong password",
        "another wrong password",
        "the last wrong password",
    ] {
        let form = [
            ("grant_type", "password"),
            ("username", "ada"),
            ("password", guess),
        ];
        let from =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0";
        anonymous
            .send(
                anonymous
                    .post_request("/auth/token")
                    .header("user-agent", from)
                    .form(&form),
            )
            .await
            .expect_status(401);
    }
    let device = ada.add_virtual_authenticator().await;
    ada.register_passkey("My phone").await;
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_visible("[data-kind=passkey]").await;
    device.set_user_verified(json!(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes target/tmp/pages"]
async fn page_screenshots_are_taken_in_each_theme() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let newcomer = stage.new_window("newcomer").await;
    for (name, path) in [
        ("first", "/first#sr_first_x"),
        ("sign-in", "/sign-in"),
        ("sign-up", "/sign-up"),
        ("api", "/docs"),
    ] {
        newcomer.save_all_variants(name, path).await;
    }
    let eve = stage.editor("eve").await;
    eve.save_all_variants("empty", "/").await;
    let ada = open_filled_vault(&stage).await;
    for (name, path) in PAGES {
        ada.save_all_variants(name, path).await;
    }
    for (name, action, filename) in [
        ("check-in", "check-in", "vise-jaws.f3d"),
        ("describe", "describe", "vise-jaws.f3d"),
        ("move", "move", "vise-jaws.f3d"),
        ("override", "override", "gearbox-housing.sldprt"),
        ("delete", "delete", "vise-jaws.f3d"),
    ] {
        ada.goto("/").await;
        ada.wait_until_live().await;
        ada.click_file_action(filename, action).await;
        ada.save_all_variants(name, "").await;
    }
    ada.goto("/").await;
    ada.wait_until_live().await;
    ada.click("[data-action=add]").await;
    ada.choose_files(
        "#add-input",
        &[
            stage.local_file("<b>.nc", b"one"),
            stage.local_file("clamp.step", &vec![1; 54321]),
        ],
    )
    .await;
    ada.save_all_variants("add", "").await;
    ada.click("#add-submit").await;
    ada.expect_text("#add-summary", "not added").await;
    ada.save_all_variants("add-refused", "").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes target/tmp/pages"]
async fn rare_page_screenshots_are_taken_in_each_theme() {
    let provider = MockProvider::start().await;
    let Some(stage) = step_up::test_with_provider(&provider).await else {
        return;
    };
    let first = stage.new_window("first").await;
    let link = stage.app.running.setup_link.clone().unwrap();
    first
        .save_all_variants(
            "first-open",
            &format!("/first#{}", link.split_once('#').unwrap().1),
        )
        .await;
    first
        .save_all_variants("sign-in-provider", "/sign-in")
        .await;
    first.save_all_variants("forgot", "/forgot").await;
    first.save_all_variants("reset", "/reset#sr_rs_x").await;
    let ada = step_up::sign_in_with_provider(&stage, &provider).await;
    ada.click("#new-token").await;
    ada.save_all_variants("new-token", "").await;
    ada.fill("#new-token-dialog [name=name]", "nightly backup")
        .await;
    ada.click("#new-token-dialog [data-submit]").await;
    ada.expect_visible("#step-up-providers a").await;
    ada.save_all_variants("step-up-provider", "").await;
    let grace = stage.administrator("grace").await;
    grace.goto("/admin/users").await;
    grace.click("#end-all-sessions").await;
    grace.save_all_variants("end-all-sessions", "").await;
    stage.app.register_with_email("kim").await;
    let kim = stage.new_window("kim").await;
    kim.sign_in(PASSWORD).await;
    kim.save_all_variants("unconfirmed", "/account").await;
    let Some(stage) = step_up::test_with_rate_limit().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    step_up::exceed_rate_limit(&ada).await;
    ada.save_all_variants("too-much", "").await;
}

/// Ada's window, after the events of [`workshop`](crate::fixtures).
async fn open_filled_vault(stage: &BrowserTest) -> Window {
    let ada = stage.new_window("ada").await;
    fixtures::fill_vault(&stage.app).await;
    ada.advance_page_clock(fixtures::HISTORY_HOURS).await;
    ada.sign_in(PASSWORD).await;
    ada
}

impl Window {
    async fn save_screenshot(&self, path: PathBuf) {
        std::fs::write(path, self.browser.screenshot().await.unwrap()).unwrap();
    }

    /// An empty `path` means the open page.
    async fn save_all_variants(&self, name: &str, path: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        std::fs::create_dir_all(&folder).unwrap();
        for (look, scheme, width, height) in [
            ("light", "light", 1280, 800),
            ("dark", "dark", 1280, 800),
            ("phone", "light", 360, 740),
        ] {
            self.resize(width, height).await;
            self.set_color_scheme(scheme).await;
            if !path.is_empty() {
                self.goto(path).await;
                self.expect_visible("h1").await;
                self.wait_for_js(
                    "!document.querySelector('#live') || document.querySelector('#live').dataset.state === 'live'",
                )
                .await;
            }
            self.save_screenshot(folder.join(format!("{name}-{look}.png")))
                .await;
        }
    }

    /// Advances the page's clock like the server's, so that both show the same times.
    async fn advance_page_clock(&self, hours: u64) {
        let script = format!("const now = Date.now; Date.now = () => now() + {hours} * 3600000;");
        let params = json!({"source": script});
        self.send_cdp("Page.addScriptToEvaluateOnNewDocument", params)
            .await;
    }
}
