//! The mails of a test's server. Every test has its own mail folder.

use std::{path::PathBuf, time::Duration};

use crate::app::{PASSWORD, TestApp};

/// A mail as its recipient sees it. ASCII text, as in all tests, is unencoded.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedMail {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl ReceivedMail {
    /// The link, on its own line.
    pub(crate) fn link(&self) -> &str {
        self.text
            .lines()
            .find(|line| line.starts_with("http") && line.contains('#'))
            .unwrap()
    }

    /// The fragment of the link.
    pub(crate) fn token(&self) -> &str {
        self.link().split_once('#').unwrap().1
    }
}

impl TestApp {
    pub(crate) fn mail_folder(&self) -> PathBuf {
        self.data.path().join("mail")
    }

    /// All mails so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<ReceivedMail> {
        let entries = std::fs::read_dir(self.mail_folder()).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "eml"));
        paths.sort();
        paths
            .into_iter()
            .map(|path| parse_mail(&std::fs::read_to_string(path).unwrap()))
            .collect()
    }

    /// Registers a user with the confirmed address `NAME@example.org`, and deletes the confirmation
    /// mail.
    pub(crate) async fn register_with_verified_email(&self, name: &str) {
        let address = self.register_with_email(name).await;
        let mail = self.wait_for_mail(&address, 1).await;
        let token = serde_json::json!({"token": mail.token()});
        self.anonymous()
            .post("/auth/me/email/confirm", token)
            .await
            .expect_status(204);
        self.clear_mails();
    }

    /// Like [`register_reader`](Self::register_reader), without confirming the address.
    pub(crate) async fn register_with_email(&self, name: &str) -> String {
        let address = format!("{name}@example.org");
        let body = serde_json::json!({"username": name, "password": PASSWORD, "email": address});
        self.anonymous()
            .post("/auth/register", body)
            .await
            .expect_status(201);
        address
    }

    /// Deletes all mails, so that the next one is the first.
    pub(crate) fn clear_mails(&self) {
        for entry in std::fs::read_dir(self.mail_folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "eml") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// Waits for the `n`th mail (from 1) to an address, because mails are sent after the response.
    pub(crate) async fn wait_for_mail(&self, address: &str, n: usize) -> ReceivedMail {
        for _ in 0..500 {
            if let Some(mail) = self
                .mails()
                .into_iter()
                .filter(|mail| mail.to == address)
                .nth(n - 1)
            {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "mail {n} to {address} did not arrive; the folder has {:?}",
            self.mails()
        );
    }
}

fn parse_mail(raw: &str) -> ReceivedMail {
    let (headers, text) = raw.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        headers
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .to_owned()
    };
    ReceivedMail {
        to: header("To: "),
        subject: header("Subject: "),
        text: text.replace("\r\n", "\n"),
    }
}
