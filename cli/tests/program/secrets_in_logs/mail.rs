//! Mail: reset links, confirmation links and invitations, to a folder or an SMTP server.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{SECOND_PASSWORD, THIRD_PASSWORD, WRONG_PASSWORD, recording_client::RecordingClient};

pub(super) const MAIL_PASSWORD: &str = "a password of the mail server";

/// The mailbox that receives all mail.
pub(super) enum Mailbox {
    Folder(PathBuf),
    Server(Arc<Mutex<Vec<String>>>),
}

impl Mailbox {
    /// An SMTP server that requires the password, and its section of the settings.
    pub(super) async fn server() -> (Self, String) {
        let messages = Arc::<Mutex<Vec<String>>>::default();
        let address = mail_server(messages.clone()).await;
        let section = format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"Strongroom <strongroom@files.example>\"\n\
             username = \"strongroom\"\npassword = \"{MAIL_PASSWORD}\"\n",
            address.port()
        );
        (Self::Server(messages), section)
    }

    pub(super) fn folder(folder: PathBuf) -> (Self, String) {
        let section = format!("[mail]\nfolder = \"{}\"\n", folder.display());
        (Self::Folder(folder), section)
    }

    fn messages(&self) -> Vec<String> {
        match self {
            Self::Server(messages) => messages.lock().unwrap().clone(),
            Self::Folder(folder) => {
                let entries = std::fs::read_dir(folder)
                    .into_iter()
                    .flatten()
                    .map(|entry| entry.unwrap().path());
                let messages =
                    entries.filter(|path| path.extension().is_some_and(|end| end == "eml"));
                messages
                    .map(|path| std::fs::read_to_string(path).unwrap())
                    .collect()
            }
        }
    }

    /// The token of the link to `page` in a message to `address`. Waits up to 10 s, because mail is
    /// sent after the response.
    async fn wait_for_token(&self, address: &str, page: &str) -> String {
        for _ in 0..500 {
            let messages = self.messages();
            let own = messages
                .iter()
                .filter(|message| message.lines().any(|line| line == format!("To: {address}")));
            let mut links = own
                .flat_map(|message| message.lines())
                .filter_map(|line| line.split_once(&format!("{page}#")));
            if let Some((_, token)) = links.next_back() {
                return token.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "no link to {page} came to {address}; there are {:?}",
            self.messages()
        );
    }
}

/// Implements the subset of RFC 5321 and RFC 4954 that the test needs.
async fn mail_server(messages: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve_smtp(socket, messages.clone()));
        }
    });
    address
}

async fn serve_smtp(socket: TcpStream, messages: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let (from, mut to) = socket.into_split();
    let mut lines = BufReader::new(from).lines();
    to.write_all(b"220 mail.example\r\n").await?;
    let mut message: Option<String> = None;
    while let Some(line) = lines.next_line().await? {
        if let Some(text) = &mut message {
            if line != "." {
                text.extend([line.as_str(), "\n"]);
                continue;
            }
            messages.lock().unwrap().extend(message.take());
        }
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => b"250-mail.example\r\n250 AUTH PLAIN\r\n",
            "AUTH" if line.split(' ').nth(2) == Some(&auth_plain_response()) => b"235 ok\r\n",
            "AUTH" => b"535 authentication failed\r\n",
            "DATA" => {
                message = Some(String::new());
                b"354 go on\r\n"
            }
            "QUIT" => return to.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        to.write_all(answer).await?;
    }
    Ok(())
}

/// The credentials in SASL PLAIN (RFC 4616), base64.
fn auth_plain_response() -> String {
    STANDARD.encode(format!("\0strongroom\0{MAIL_PASSWORD}"))
}

/// Bob is invited by link, carol by mail. Bob confirms an address and resets his password.
pub(super) async fn run(client: &RecordingClient, access: &str) {
    client.record("the mail server's password", MAIL_PASSWORD);
    client.record("the SASL credentials", &auth_plain_response());
    invitation_by_link(client, access).await;
    invitation_by_mail(client, access).await;
    let bob = client.sign_in("bob", SECOND_PASSWORD).await;
    let address = json!({"email": "bob@example.org"});
    client
        .expect(
            200,
            client
                .request(Method::PATCH, "/auth/me")
                .bearer_auth(&bob)
                .json(&address),
        )
        .await;
    let token = client.record(
        "a confirmation link",
        &client
            .mailbox
            .wait_for_token("bob@example.org", "/confirm-email")
            .await,
    );
    client
        .expect(
            403,
            client
                .post("/confirm-email")
                .form(&[("token", &format!("{}AAAA", &token[..token.len() - 4]))]),
        )
        .await;
    client
        .expect(
            200,
            client.post("/confirm-email").form(&[("token", &token)]),
        )
        .await;
    client
        .expect(
            403,
            client
                .post("/auth/me/email/confirm")
                .json(&json!({"token": token})),
        )
        .await;
    password_reset(client, access).await;
}

async fn invitation_by_link(client: &RecordingClient, access: &str) {
    let by_link = json!({"roles": {"main": "editor"}});
    let invited = client
        .expect(
            201,
            client
                .post("/auth/invites")
                .bearer_auth(access)
                .json(&by_link),
        )
        .await;
    let token = client.record(
        "an invitation",
        invited.member("link").split_once('#').unwrap().1,
    );
    client
        .expect(
            200,
            client
                .post("/auth/invites/preview")
                .json(&json!({"invite": token})),
        )
        .await;
    let body = json!({"username": "bob", "password": SECOND_PASSWORD, "invite": token});
    client
        .expect(201, client.post("/auth/register").json(&body))
        .await;
    let again = json!({"username": "eve", "password": SECOND_PASSWORD, "invite": token});
    client
        .expect(403, client.post("/auth/register").json(&again))
        .await;
}

async fn invitation_by_mail(client: &RecordingClient, access: &str) {
    let by_mail =
        json!({"roles": {"main": "viewer"}, "email": "carol@example.org", "delivery": "mail"});
    client
        .expect(
            201,
            client
                .post("/auth/invites")
                .bearer_auth(access)
                .json(&by_mail),
        )
        .await;
    let token = client.record(
        "an invitation by mail",
        &client
            .mailbox
            .wait_for_token("carol@example.org", "/join")
            .await,
    );
    let form = |password| {
        [
            ("username", "carol"),
            ("password", password),
            ("invite", token.as_str()),
        ]
    };
    client
        .expect(422, client.post("/join").form(&form("short")))
        .await;
    let joined = client
        .expect(303, client.post("/join").form(&form(SECOND_PASSWORD)))
        .await;
    client.record_cookies(&joined);
    client
        .expect(403, client.post("/join").form(&form(WRONG_PASSWORD)))
        .await;
}

async fn password_reset(client: &RecordingClient, access: &str) {
    client
        .expect(
            202,
            client.post("/auth/reset").json(&json!({"account": "bob"})),
        )
        .await;
    let token = client.record(
        "a reset link",
        &client
            .mailbox
            .wait_for_token("bob@example.org", "/reset")
            .await,
    );
    client
        .expect(
            422,
            client
                .post("/reset")
                .form(&[("token", token.as_str()), ("password", "short")]),
        )
        .await;
    let new = json!({"token": token, "new_password": THIRD_PASSWORD});
    client
        .expect(204, client.post("/auth/reset/confirm").json(&new))
        .await;
    client
        .expect(403, client.post("/auth/reset/confirm").json(&new))
        .await;
    reset_by_administrator(client, access).await;
}

async fn reset_by_administrator(client: &RecordingClient, access: &str) {
    let link = client
        .expect(
            200,
            client.post("/api/users/carol/reset").bearer_auth(access),
        )
        .await;
    let token = client.record(
        "a reset link of an administrator",
        link.member("link").split_once('#').unwrap().1,
    );
    client
        .expect(
            200,
            client
                .post("/reset")
                .form(&[("token", token.as_str()), ("password", THIRD_PASSWORD)]),
        )
        .await;
    client
        .expect(
            200,
            client
                .post("/forgot")
                .form(&[("account", "carol@example.org")]),
        )
        .await;
    client.record(
        "a reset link",
        &client
            .mailbox
            .wait_for_token("carol@example.org", "/reset")
            .await,
    );
}
