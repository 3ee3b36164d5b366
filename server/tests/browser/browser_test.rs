//! A server, a chromedriver, and a folder with local files.

use std::{path::PathBuf, sync::Arc};

use server::ConfigSource;
use tempfile::TempDir;

use crate::{
    app::{PASSWORD, TestApp},
    driver::Driver,
    window::Window,
};

pub(crate) struct BrowserTest {
    // Dropped before the server, so that browsers do not send requests to a stopped server.
    pub(crate) driver: Arc<Driver>,
    pub(crate) app: TestApp,
    local_files: TempDir,
}

impl BrowserTest {
    /// `None` if there is no browser.
    pub(crate) async fn start() -> Option<Self> {
        Self::with_settings(ConfigSource::default()).await
    }

    pub(crate) async fn with_settings(settings: ConfigSource) -> Option<Self> {
        let driver = Arc::new(Driver::start()?);
        Some(Self {
            driver,
            app: TestApp::with_settings(settings).await,
            local_files: tempfile::tempdir().unwrap(),
        })
    }

    /// At `localhost`, where browsers allow passkeys.
    pub(crate) async fn at_localhost() -> Option<Self> {
        // The system chooses the port.
        Self::with_settings(ConfigSource {
            public_url: Some("http://127.0.0.1:0".to_owned()),
            ..ConfigSource::default()
        })
        .await
    }

    /// A new browser window without a page.
    pub(crate) async fn new_window(&self, name: &'static str) -> Window {
        let home = tempfile::tempdir().unwrap();
        let browser = self.driver.browser(home.path()).await;
        let passkeys = auth::factor::passkey::webauthn_origin(&self.app.running.public_url);
        let base = passkeys.unwrap_or_else(|| self.app.url(""));
        Window {
            name,
            browser,
            driver: self.driver.clone(),
            base,
            home,
        }
    }

    /// The window of a signed-in editor, at the vault page.
    pub(crate) async fn editor(&self, name: &'static str) -> Window {
        self.app.editor(name).await;
        self.signed_in_window(name).await
    }

    /// The window of a signed-in administrator, at the vault page.
    pub(crate) async fn administrator(&self, name: &'static str) -> Window {
        self.app.administrator(name).await;
        self.signed_in_window(name).await
    }

    async fn signed_in_window(&self, name: &'static str) -> Window {
        let window = self.new_window(name).await;
        window.sign_in(PASSWORD).await;
        window
    }

    /// A local file; `name` may contain folders.
    pub(crate) fn local_file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.local_files.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A local folder.
    pub(crate) fn local_folder(&self, name: &str) -> PathBuf {
        self.local_files.path().join(name)
    }
}
