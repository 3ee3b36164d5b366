//! Visual tests: phone size and dark mode.

use serde_json::json;

use crate::{app::PASSWORD, stage::Stage, vault::row, window::Window};

const LONG: &str = "fixtures/a-very-long-name-without-any-place-to-break-it-in-the-middle-of-the-night-0123456789.step";

const COLLEAGUE: &str = "a.colleague.with.a.long.name@example.org";

impl Window {
    /// Sets the viewport size in CSS pixels.
    pub(crate) async fn is_sized(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Sets the preferred color scheme: `light` or `dark`.
    pub(crate) async fn prefers(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.cdp("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// A command of the `DevTools` protocol.
    pub(crate) async fn cdp(&self, command: &str, params: serde_json::Value) {
        let answer = self
            .driver
            .tell(
                &self.browser,
                "goog/cdp/execute",
                json!({"cmd": command, "params": params}),
            )
            .await;
        assert!(answer["error"].is_null(), "{answer}");
    }

    async fn fits_its_width(&self) {
        let over = "[...document.querySelectorAll('body *')].filter((it) => it.checkVisibility() && !it.closest('.sr, \
                    .sprite') && it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 120))";
        let wide = self
            .value("document.scrollingElement.scrollWidth > innerWidth")
            .await;
        assert_eq!(
            wide,
            false,
            "{} is wider than the screen: {}",
            self.value("location.pathname").await,
            self.value(over).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_a_phone_screen() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let program = stage.app.editor(COLLEAGUE).await;
    program.add(LONG, &[7; 4321]).await.is(201);
    program
        .tell(
            &crate::app::file(LONG, "/checkout"),
            json!({"note": "until the mill is free again, on Thursday"}),
        )
        .await
        .is(200);
    ada.is_sized(360, 740).await;
    let pages = [
        "/v/main",
        "/v/main/f/fixtures",
        &format!("/v/main/h/{LONG}"),
        "/nothing",
        "/device",
    ];
    let of_the_account = [
        "/account",
        "/account/factors",
        "/account/security",
        "/account/tokens",
    ];
    let person = format!("/admin/users/{COLLEAGUE}");
    let of_administrators = [
        "/admin/users",
        &person,
        "/admin/groups",
        "/admin/invites",
        "/admin/audit",
        "/admin/throttle",
    ];
    for path in pages
        .into_iter()
        .chain(of_the_account)
        .chain(of_administrators)
    {
        ada.goto(path).await;
        ada.finds("main h1").await;
        ada.fits_its_width().await;
    }
    ada.goto("/v/main/f/fixtures").await;
    ada.is_live().await;
    ada.acts(LONG, "override").await;
    ada.fits_its_width().await;
    ada.finds("#override-dialog [data-submit]").await;
    ada.clicks("#override-dialog [data-close]").await;
    ada.clicks("#user-menu summary").await;
    ada.fits_its_width().await;
    ada.clicks("#sign-out").await;
    for path in [
        "/sign-in",
        "/sign-up",
        "/forgot",
        "/join",
        "/reset",
        "/confirm-email",
    ] {
        ada.goto(path).await;
        ada.finds("main h1").await;
        ada.fits_its_width().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn current_page_is_marked_in_the_tabs() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    for (path, tab) in [
        ("/account", "Account"),
        ("/account/factors", "Sign-in methods"),
        ("/account/security", "Security"),
        ("/account/tokens", "Access tokens"),
        ("/admin/users", "Users and vaults"),
        ("/admin/users/ada", "Users and vaults"),
        ("/admin/groups", "Groups"),
        ("/admin/invites", "Invitations"),
        ("/admin/audit", "Activity"),
        ("/admin/throttle", "Sign-in blocks"),
    ] {
        ada.goto(path).await;
        ada.reads(".tabs a[aria-current=page]", tab).await;
        assert_eq!(
            ada.value("document.querySelectorAll('.tabs [aria-current]').length")
                .await,
            1,
            "{path}"
        );
    }
    // On a phone the tab bar scrolls to the open tab.
    ada.is_sized(360, 740).await;
    ada.reload().await;
    let whole = "(({left, right}) => left >= 0 && right <= innerWidth)(document.querySelector('.tabs [aria-current]').getBoundingClientRect())";
    ada.sees(whole).await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_out_and_check_in_work_on_phone() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    stage
        .app
        .editor("ada")
        .await
        .add("gear.mcam", b"one")
        .await
        .is(201);
    let ada = stage.window("ada").await;
    ada.is_sized(360, 740).await;
    ada.signs_in(PASSWORD).await;
    ada.checks_out("gear.mcam").await;
    ada.checks_in(
        "gear.mcam",
        stage.on_disk("gear.mcam", b"two"),
        "From the shop floor",
    )
    .await;
    ada.has_revision("gear.mcam", 2).await;
    ada.reads(&row("gear.mcam"), "Available").await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_the_preferred_color_scheme() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3";
    ada.prefers("light").await;
    assert!(ada.value(brightness).await.as_f64().unwrap() > 200.0);
    ada.prefers("dark").await;
    assert!(ada.value(brightness).await.as_f64().unwrap() < 60.0);
    let ink = brightness.replace("backgroundColor", "color");
    assert!(ada.value(&ink).await.as_f64().unwrap() > 200.0);
}
