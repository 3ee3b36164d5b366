//! The mails of a test's server. Every test has its own mail folder.

use std::{path::PathBuf, time::Duration};

use crate::app::{PASSWORD, TestApp};

/// A mail as its recipient sees it. ASCII text, as in all tests, is unencoded.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Arrived {
    /// The link, on its own line.
    pub(crate) fn link(&self) -> &str {
        self.text
            .lines()
            .find(|line| line.starts_with("http") && line.contains('#'))
            .unwrap()
    }

    /// The fragment of the link.
    pub(crate) fn secret(&self) -> &str {
        self.link().split_once('#').unwrap().1
    }
}

impl TestApp {
    pub(crate) fn mail_folder(&self) -> PathBuf {
        self.data.path().join("mail")
    }

    /// All mails so far, oldest first.
    pub(crate) fn letters(&self) -> Vec<Arrived> {
        let entries = std::fs::read_dir(self.mail_folder()).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "eml"));
        paths.sort();
        paths
            .into_iter()
            .map(|path| read(&std::fs::read_to_string(path).unwrap()))
            .collect()
    }

    /// Registers a user with the confirmed address `NAME@example.org`, and deletes the confirmation
    /// mail.
    pub(crate) async fn register_reader(&self, name: &str) {
        let address = self.register_with_address(name).await;
        let letter = self.letter_to(&address, 1).await;
        let token = serde_json::json!({"token": letter.secret()});
        self.anonymous()
            .tell("/auth/me/email/confirm", token)
            .await
            .is(204);
        self.burn_letters();
    }

    /// Like [`register_reader`](Self::register_reader), without confirming the address.
    pub(crate) async fn register_with_address(&self, name: &str) -> String {
        let address = format!("{name}@example.org");
        let body = serde_json::json!({"username": name, "password": PASSWORD, "email": address});
        self.anonymous().tell("/auth/register", body).await.is(201);
        address
    }

    /// Deletes all mails, so that the next one is the first.
    pub(crate) fn burn_letters(&self) {
        for entry in std::fs::read_dir(self.mail_folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "eml") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// Waits for the `n`th mail (from 1) to an address, because mails are sent after the response.
    pub(crate) async fn letter_to(&self, address: &str, n: usize) -> Arrived {
        for _ in 0..500 {
            if let Some(letter) = self
                .letters()
                .into_iter()
                .filter(|letter| letter.to == address)
                .nth(n - 1)
            {
                return letter;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "letter {n} to {address} did not arrive; there are {:?}",
            self.letters()
        );
    }
}

fn read(raw: &str) -> Arrived {
    let (headers, text) = raw.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        headers
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .to_owned()
    };
    Arrived {
        to: header("To: "),
        subject: header("Subject: "),
        text: text.replace("\r\n", "\n"),
    }
}
