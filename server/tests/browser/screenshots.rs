//! Screenshots: those of the README, and every page in every size and color scheme. Run `cargo test
//! -p server --test browser -- --ignored` to update them.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{
    app::PASSWORD, confirming, provider::Provider, stage::Stage, vault::row, window::Window,
    workshop,
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
    let Some(stage) = Stage::at_localhost().await else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let ada = a_busy_workshop(&stage).await;
    ada.cdp("Emulation.setScrollbarsHidden", json!({"hidden": true}))
        .await;
    ada.is_sized(1280, 800).await;
    ada.goto("/").await;
    ada.is_live().await;
    ada.finds(&row("gearbox-housing.sldprt")).await;
    ada.is_pictured(folder.join("vault.png")).await;
    ada.goto("/v/main/h/gearbox-housing.sldprt").await;
    ada.is_live().await;
    ada.is_pictured(folder.join("history.png")).await;
    something_happens_to_the_account(&stage, &ada).await;
    ada.is_sized(1000, 760).await;
    ada.goto("/account/security").await;
    ada.finds("#activity").await;
    ada.is_pictured(folder.join("security.png")).await;
    ada.is_sized(560, 620).await;
    ada.signs_out().await;
    ada.finds("#passkey-button").await;
    ada.run("document.activeElement.blur()").await;
    ada.is_pictured(folder.join("sign-in.png")).await;
}

/// Failed sign-ins occur, then the owner adds a passkey.
async fn something_happens_to_the_account(stage: &Stage, ada: &Window) {
    let stranger = stage.app.anonymous();
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
        stranger
            .ask(
                stranger
                    .post("/auth/token")
                    .header("user-agent", from)
                    .form(&form),
            )
            .await
            .is(401);
    }
    let device = ada.has_a_device().await;
    ada.adds_a_passkey("My phone").await;
    ada.clicks("#codes-dialog [data-submit]").await;
    ada.finds("[data-kind=passkey]").await;
    device.knows_its_user(json!(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes target/tmp/pages"]
async fn page_screenshots_are_taken_in_each_theme() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let newcomer = stage.window("newcomer").await;
    for (name, path) in [
        ("first", "/first#sr_first_x"),
        ("sign-in", "/sign-in"),
        ("sign-up", "/sign-up"),
        ("api", "/docs"),
    ] {
        newcomer.in_every_look(name, path).await;
    }
    let eve = stage.editor("eve").await;
    eve.in_every_look("empty", "/").await;
    let ada = a_busy_workshop(&stage).await;
    for (name, path) in PAGES {
        ada.in_every_look(name, path).await;
    }
    for (name, action, filename) in [
        ("check-in", "check-in", "vise-jaws.f3d"),
        ("describe", "describe", "vise-jaws.f3d"),
        ("move", "move", "vise-jaws.f3d"),
        ("override", "override", "gearbox-housing.sldprt"),
        ("delete", "delete", "vise-jaws.f3d"),
    ] {
        ada.goto("/").await;
        ada.is_live().await;
        ada.acts(filename, action).await;
        ada.in_every_look(name, "").await;
    }
    ada.goto("/").await;
    ada.is_live().await;
    ada.clicks("[data-action=add]").await;
    ada.chooses(
        "#add-input",
        &[
            stage.on_disk("<b>.nc", b"one"),
            stage.on_disk("clamp.step", &vec![1; 54321]),
        ],
    )
    .await;
    ada.in_every_look("add", "").await;
    ada.clicks("#add-submit").await;
    ada.reads("#add-summary", "not added").await;
    ada.in_every_look("add-refused", "").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes target/tmp/pages"]
async fn rare_page_screenshots_are_taken_in_each_theme() {
    let provider = Provider::start().await;
    let Some(stage) = confirming::beside(&provider).await else {
        return;
    };
    let first = stage.window("first").await;
    let link = stage.app.running.setup_link.clone().unwrap();
    first
        .in_every_look(
            "first-open",
            &format!("/first#{}", link.split_once('#').unwrap().1),
        )
        .await;
    first.in_every_look("sign-in-provider", "/sign-in").await;
    first.in_every_look("forgot", "/forgot").await;
    first.in_every_look("reset", "/reset#sr_rs_x").await;
    let ada = confirming::came_by_a_provider(&stage, &provider).await;
    ada.clicks("#new-token").await;
    ada.in_every_look("new-token", "").await;
    ada.writes("#new-token-dialog [name=name]", "nightly backup")
        .await;
    ada.clicks("#new-token-dialog [data-submit]").await;
    ada.finds("#step-up-providers a").await;
    ada.in_every_look("step-up-provider", "").await;
    let grace = stage.administrator("grace").await;
    grace.goto("/admin/users").await;
    grace.clicks("#end-all-sessions").await;
    grace.in_every_look("end-all-sessions", "").await;
    stage.app.register_with_address("kim").await;
    let kim = stage.window("kim").await;
    kim.signs_in(PASSWORD).await;
    kim.in_every_look("unconfirmed", "/account").await;
    let Some(stage) = confirming::with_a_limit().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    confirming::asks_too_much(&ada).await;
    ada.in_every_look("too-much", "").await;
}

/// Ada's window, after the events of [`workshop`](crate::workshop).
async fn a_busy_workshop(stage: &Stage) -> Window {
    let ada = stage.window("ada").await;
    workshop::fill(&stage.app).await;
    ada.comes_later(workshop::HOURS).await;
    ada.signs_in(PASSWORD).await;
    ada
}

impl Window {
    async fn is_pictured(&self, path: PathBuf) {
        std::fs::write(path, self.browser.screenshot().await.unwrap()).unwrap();
    }

    /// An empty `path` means the open page.
    async fn in_every_look(&self, name: &str, path: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        std::fs::create_dir_all(&folder).unwrap();
        for (look, scheme, width, height) in [
            ("light", "light", 1280, 800),
            ("dark", "dark", 1280, 800),
            ("phone", "light", 360, 740),
        ] {
            self.is_sized(width, height).await;
            self.prefers(scheme).await;
            if !path.is_empty() {
                self.goto(path).await;
                self.finds("h1, .swagger-ui .opblock").await;
                self.sees(
                    "!document.querySelector('#live') || document.querySelector('#live').dataset.state === 'live'",
                )
                .await;
            }
            self.is_pictured(folder.join(format!("{name}-{look}.png")))
                .await;
        }
    }

    /// Advances the page's clock like the server's, so that both show the same times.
    async fn comes_later(&self, hours: u64) {
        let script = format!("const now = Date.now; Date.now = () => now() + {hours} * 3600000;");
        let params = json!({"source": script});
        self.cdp("Page.addScriptToEvaluateOnNewDocument", params)
            .await;
    }
}
