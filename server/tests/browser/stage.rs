//! A server, a chromedriver, and a desk with files on it.

use std::{path::PathBuf, sync::Arc};

use server::Partial;
use tempfile::TempDir;

use crate::{
    app::{PASSWORD, TestApp},
    driver::Driver,
    window::Window,
};

pub(crate) struct Stage {
    // Ends before the server, so that no browser asks a server that is gone.
    pub(crate) driver: Arc<Driver>,
    pub(crate) app: TestApp,
    desk: TempDir,
}

impl Stage {
    /// None where there is no browser.
    pub(crate) async fn open() -> Option<Self> {
        Self::with(Partial::default()).await
    }

    pub(crate) async fn with(settings: Partial) -> Option<Self> {
        let driver = Arc::new(Driver::start()?);
        Some(Self {
            driver,
            app: TestApp::with(settings).await,
            desk: tempfile::tempdir().unwrap(),
        })
    }

    /// At `localhost`, where browsers make passkeys.
    pub(crate) async fn at_localhost() -> Option<Self> {
        // Whatever port it will be.
        Self::with(Partial {
            public_url: Some("http://127.0.0.1:0".to_owned()),
            ..Partial::default()
        })
        .await
    }

    /// Somebody's browser, at no page yet.
    pub(crate) async fn window(&self, name: &'static str) -> Window {
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

    /// An editor with an account, signed in, looking at the vault.
    pub(crate) async fn editor(&self, name: &'static str) -> Window {
        self.app.editor(name).await;
        self.entered(name).await
    }

    /// An administrator, signed in, looking at the vault.
    pub(crate) async fn administrator(&self, name: &'static str) -> Window {
        self.app.administrator(name).await;
        self.entered(name).await
    }

    async fn entered(&self, name: &'static str) -> Window {
        let window = self.window(name).await;
        window.signs_in(PASSWORD).await;
        window
    }

    /// A file on somebody's own disk; `name` may have folders.
    pub(crate) fn on_disk(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.desk.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A folder on somebody's own disk.
    pub(crate) fn folder_on_disk(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }
}
