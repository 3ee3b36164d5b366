//! axe-core finds no violation on any page, in both color schemes and on a phone.
//!
//! `AXE_CORE_PATH` is the path of `axe.min.js`. Without it the test prints a message and passes,
//! except on CI.

use serde_json::json;

use crate::{browser_test::BrowserTest, window::Window};

const LOOKS: [(&str, u32); 4] = [
    ("light", 1280),
    ("dark", 1280),
    ("light", 390),
    ("dark", 390),
];

/// The violations in short: rule, explanation, first elements.
const RUN: &str = "window.violations = undefined; axe.run({rules: {'label-content-name-mismatch': {enabled: true}}}).then(({violations}) => { window.violations = \
    violations.map((it) => [it.id, it.help, it.nodes.slice(0, 4).map((node) => [node.html.slice(0, 160), node.failureSummary])]) })";

/// The source of axe-core, or `None` with a message.
fn axe_source() -> Option<String> {
    let Some(path) = std::env::var_os("AXE_CORE_PATH") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "AXE_CORE_PATH is not set, and CI must not skip this test"
        );
        eprintln!(
            "SKIPPED: AXE_CORE_PATH is not set, so axe-core did not check the pages (npm ci in ci/axe)"
        );
        return None;
    };
    Some(std::fs::read_to_string(path).unwrap())
}

impl Window {
    async fn expect_no_violations(&self, axe: &str, path: &str) {
        self.goto(path).await;
        self.expect_visible("main h1").await;
        self.wait_for_js("!document.querySelector('main [aria-busy=true]')")
            .await;
        self.run_script(axe).await;
        for (scheme, width) in LOOKS {
            self.set_color_scheme(scheme).await;
            self.resize(width, 800).await;
            self.run_script(RUN).await;
            self.wait_for_js("window.violations").await;
            let found = self.evaluate("window.violations").await;
            assert_eq!(found, json!([]), "{path}, {scheme}, {width} px:\n{found:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_no_axe_violations() {
    let Some(axe) = axe_source() else { return };
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    fill(&stage).await;
    for path in [
        "/v/main",
        "/v/main?q=gear",
        "/v/main?q=nothing",
        "/v/main/f/fixtures",
        "/v/main/h/fixtures/gear.mcam",
        "/v/main/h/mine.nc",
        "/v/main/h/gone.nc",
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
        "/docs",
        "/docs#check_in_file",
        "/nothing",
    ] {
        ada.expect_no_violations(&axe, path).await;
    }
    let anonymous = stage.new_window("nobody").await;
    for path in [
        "/sign-in",
        "/sign-up",
        "/forgot",
        "/join",
        "/reset",
        "/confirm-email",
        "/first",
        "/docs",
    ] {
        anonymous.expect_no_violations(&axe, path).await;
    }
}

/// Files in every state, a group, an invitation and a token.
async fn fill(stage: &BrowserTest) {
    let ben = stage.app.editor("ben").await;
    let ada = stage.app.sign_in("ada").await;
    for name in ["fixtures/gear.mcam", "mine.nc", "free.nc", "gone.nc"] {
        ben.add(name, b"one").await.expect_status(201);
    }
    ben.check_out("fixtures/gear.mcam").await.expect_status(200);
    ben.check_in("fixtures/gear.mcam", b"two", "Second")
        .await
        .expect_status(200);
    ben.check_out("fixtures/gear.mcam").await.expect_status(200);
    ada.check_out("mine.nc").await.expect_status(200);
    let gone = ada.delete_request(&crate::app::file_url("gone.nc", ""));
    ada.send(gone).await.expect_status(204);
    ada.post("/api/groups", json!({"name": "welders"}))
        .await
        .expect_status(201);
    ada.post(
        "/auth/tokens",
        json!({"name": "backup", "scopes": ["files:read"]}),
    )
    .await
    .expect_status(201);
}
