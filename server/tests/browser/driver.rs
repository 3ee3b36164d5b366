//! chromedriver, on a port that it chooses. It ends with all its browsers, even if a test panics.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

const CHROMIUM_SWITCHES: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP strongroom.test 127.0.0.1",
    "--disable-component-update",
    "--no-first-run",
    "--lang=en-GB",
    "--window-size=1280,800",
];

pub(crate) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// `None`, with a message on standard error, if Chromium is not installed.
    pub(crate) fn start() -> Option<Self> {
        let missing = ["chromedriver", "chromium"]
            .into_iter()
            .find(|program| find_program(program).is_none());
        if let Some(program) = missing {
            assert!(
                std::env::var_os("CI").is_none(),
                "{program} is missing, and CI must not skip these tests"
            );
            eprintln!(
                "SKIPPED: {program} is not installed, so the pages were not tested in a browser (apt install chromium-driver)"
            );
            return None;
        }
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .find_map(|line| port_in(&line.unwrap()))
            .expect("chromedriver prints its port");
        // chromedriver blocks if its output is not read.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, port })
    }

    /// A new browser with its own profile in `home`. Downloads go to `home/downloads`.
    pub(crate) async fn browser(&self, home: &Path) -> Client {
        let switches = CHROMIUM_SWITCHES.map(str::to_owned).into_iter();
        let profile = format!("--user-data-dir={}", home.join("profile").display());
        let wanted = json!({
            "goog:chromeOptions": {
                "args": switches.chain([profile]).collect::<Vec<_>>(),
                "binary": find_program("chromium"),
                "prefs": {"download.default_directory": home.join("downloads"), "profile.password_manager_leak_detection": false},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(wanted) = wanted else {
            unreachable!()
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder
            .capabilities(wanted)
            .connect(&self.url(""))
            .await
            .unwrap()
    }

    /// Commands that only chromedriver has, outside the `WebDriver` standard: `goog/cdp/execute`
    /// and `se/log`.
    pub(crate) async fn send_command(&self, browser: &Client, command: &str, body: Value) -> Value {
        let session = browser.session_id().await.unwrap().unwrap();
        let url = self.url(&format!("/session/{session}/{command}"));
        let answer = reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.json::<Value>().await.unwrap()["value"].take()
    }

    /// Like [`tell`](Self::tell), with the method `DELETE`.
    pub(crate) async fn delete_resource(&self, browser: &Client, what: &str) {
        let session = browser.session_id().await.unwrap().unwrap();
        let url = self.url(&format!("/session/{session}/{what}"));
        reqwest::Client::new()
            .delete(url)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Ends chromedriver through its own command, which also ends its browsers. A signal would
    /// leave them running.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream
            .write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            drop(self.process.kill());
        }
        drop(self.process.wait());
    }
}

fn find_program(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// From `ChromeDriver was started successfully on port 41733.`
fn port_in(line: &str) -> Option<u16> {
    line.split("successfully on port ")
        .nth(1)?
        .trim_end_matches('.')
        .parse()
        .ok()
}
