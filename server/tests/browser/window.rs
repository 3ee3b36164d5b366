//! A browser window. Every method waits for its condition up to a deadline and never sleeps.

use std::{fmt::Debug, future::Future, path::PathBuf, sync::Arc, time::Duration};

use fantoccini::{
    Client, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    error::CmdError,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::driver::Driver;

/// Generous for slow machines: a passing wait ends much earlier.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Window {
    pub(crate) name: &'static str,
    pub(crate) browser: Client,
    pub(crate) driver: Arc<Driver>,
    /// The origin of the server, such as `http://127.0.0.1:41000`.
    pub(crate) base: String,
    /// The browser's profile and downloads.
    pub(crate) home: TempDir,
}

impl Window {
    pub(crate) async fn goto(&self, path: &str) {
        self.browser
            .goto(&format!("{}{path}", self.base))
            .await
            .unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.browser.refresh().await.unwrap();
    }

    /// Waits until the window is at this path.
    pub(crate) async fn expect_path(&self, path: &str) {
        self.wait_for_js(&format!("location.pathname === {}", json!(path)))
            .await;
    }

    /// Signs in through the form with an existing account.
    pub(crate) async fn sign_in(&self, password: &str) {
        self.goto("/sign-in").await;
        self.fill("#username", self.name).await;
        self.fill("#password", password).await;
        self.click("#sign-in button.primary").await;
        self.expect_path("/").await;
        self.wait_until_live().await;
    }

    /// Waits until the page receives live events.
    pub(crate) async fn wait_until_live(&self) {
        self.wait_for_js("document.querySelector('#live').dataset.state === 'live'")
            .await;
    }

    // Actions

    pub(crate) async fn click(&self, css: &str) {
        self.retry(&format!("click {css}"), || async move {
            self.first_visible(css).await?.click().await
        })
        .await;
    }

    /// Replaces the content of a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.retry(&format!("write into {css}"), || async move {
            let field = self.first_visible(css).await?;
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    /// Selects files or a folder, as the file dialog does.
    pub(crate) async fn choose_files(&self, css: &str, paths: &[PathBuf]) {
        let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        let field = self.browser.find(Locator::Css(css)).await.unwrap();
        field.send_keys(&paths.join("\n")).await.unwrap();
    }

    /// Sends keys to the focused element.
    pub(crate) async fn press_keys(&self, keys: &str) {
        let both = |value| [KeyAction::Down { value }, KeyAction::Up { value }];
        let presses = keys
            .chars()
            .flat_map(both)
            .fold(KeyActions::new("keyboard".to_owned()), KeyActions::then);
        self.browser.perform_actions(presses).await.unwrap();
    }

    pub(crate) async fn select_option(&self, css: &str, value: &str) {
        self.retry(&format!("pick {value} in {css}"), || async move {
            self.first_visible(css).await?.select_by_value(value).await
        })
        .await;
    }

    /// Runs a script and returns its result.
    pub(crate) async fn run_script(&self, script: &str) -> Value {
        self.browser.execute(script, vec![]).await.unwrap()
    }

    // Expectations

    /// Waits until an expression is true in the page.
    pub(crate) async fn wait_for_js(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        self.retry(expression, || async {
            match self.browser.execute(&script, vec![]).await? {
                Value::Bool(true) => Ok(()),
                _ => Err(CmdError::NotJson("not yet".into())),
            }
        })
        .await;
    }

    /// Waits until the element `css` visibly contains `text`.
    pub(crate) async fn expect_text(&self, css: &str, text: &str) {
        let (css, text) = (json!(css), json!(text));
        self.wait_for_js(&format!(
            "document.querySelector({css})?.innerText.includes({text})"
        ))
        .await;
    }

    /// Waits until a matching element is visible.
    pub(crate) async fn expect_visible(&self, css: &str) {
        self.retry(&format!("find {css}"), || async move {
            self.first_visible(css).await.map(drop)
        })
        .await;
    }

    /// Waits until no matching element is visible.
    pub(crate) async fn expect_hidden(&self, css: &str) {
        let css = json!(css);
        self.wait_for_js(&format!(
            "[...document.querySelectorAll({css})].every((it) => !it.checkVisibility({{visibilityProperty: true}}))"
        ))
        .await;
    }

    /// The present value of an expression.
    pub(crate) async fn evaluate(&self, expression: &str) -> Value {
        self.run_script(&format!("return {expression}")).await
    }

    pub(crate) async fn expect_focused(&self, css: &str) {
        let css = json!(css);
        self.wait_for_js(&format!("document.activeElement.matches({css})"))
            .await;
    }

    /// Waits until a download is complete.
    pub(crate) async fn expect_download(&self, name: &str, content: &[u8]) {
        let path = self.home.path().join("downloads").join(name);
        self.retry(&format!("{name} to be downloaded"), || async {
            match std::fs::read(&path) {
                Ok(read) if read == content => Ok(()),
                other => Err(CmdError::NotJson(format!(
                    "{:?}",
                    other.map(|read| read.len())
                ))),
            }
        })
        .await;
        std::fs::remove_file(path).unwrap();
    }

    /// The first visible element that matches.
    async fn first_visible(&self, css: &str) -> Result<fantoccini::elements::Element, CmdError> {
        for element in self.browser.find_all(Locator::Css(css)).await? {
            if element.is_displayed().await? {
                return Ok(element);
            }
        }
        Err(CmdError::NotJson(format!("nothing that shows is {css}")))
    }

    async fn retry<T: Debug, F: Future<Output = Result<T, CmdError>>>(
        &self,
        what: &str,
        mut act: impl FnMut() -> F,
    ) {
        let until = Instant::now() + WAIT_TIMEOUT;
        let mut often = interval(Duration::from_millis(30));
        often.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            often.tick().await;
            match act().await {
                Ok(_) => return,
                Err(problem) if Instant::now() > until => {
                    self.fail_with_diagnostics(what, &problem).await;
                }
                Err(_) => {}
            }
        }
    }

    async fn fail_with_diagnostics(&self, what: &str, problem: &CmdError) -> ! {
        let picture =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-gave-up.png", self.name));
        if let Ok(png) = self.browser.screenshot().await {
            std::fs::write(&picture, png).unwrap();
        }
        let page = self
            .evaluate("[location.href, document.activeElement.outerHTML.slice(0, 200), document.body.innerText]")
            .await;
        let log = self
            .driver
            .send_command(&self.browser, "se/log", json!({"type": "browser"}))
            .await;
        panic!(
            "{} waited for: {what}\n{problem}\n{}\n{page:#}\n{log:#}",
            self.name,
            picture.display()
        );
    }
}
