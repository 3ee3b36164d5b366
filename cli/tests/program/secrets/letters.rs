//! What goes by mail: reset links, links that confirm an address, invitations; into a folder, or to a mail server.

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

use super::{SECOND, THIRD, WRONG, drive::Drive};

pub(super) const MAIL_PASSWORD: &str = "letters leave by the back door";

/// Where letters arrive.
pub(super) enum Post {
    Folder(PathBuf),
    Server(Arc<Mutex<Vec<String>>>),
}

impl Post {
    /// A server that takes letters from whoever knows the password, and its section in the settings.
    pub(super) async fn server() -> (Self, String) {
        let letters = Arc::<Mutex<Vec<String>>>::default();
        let address = mail_server(letters.clone()).await;
        let section = format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"Strongroom <strongroom@files.example>\"\n\
             username = \"strongroom\"\npassword = \"{MAIL_PASSWORD}\"\n",
            address.port()
        );
        (Self::Server(letters), section)
    }

    pub(super) fn folder(folder: PathBuf) -> (Self, String) {
        let section = format!("[mail]\nfolder = \"{}\"\n", folder.display());
        (Self::Folder(folder), section)
    }

    fn letters(&self) -> Vec<String> {
        match self {
            Self::Server(letters) => letters.lock().unwrap().clone(),
            Self::Folder(folder) => {
                let entries = std::fs::read_dir(folder)
                    .into_iter()
                    .flatten()
                    .map(|entry| entry.unwrap().path());
                let letters =
                    entries.filter(|path| path.extension().is_some_and(|end| end == "eml"));
                letters
                    .map(|path| std::fs::read_to_string(path).unwrap())
                    .collect()
            }
        }
    }

    /// The token in the link to that page in a letter to that address; letters follow the answer, so this waits.
    async fn token(&self, address: &str, page: &str) -> String {
        for _ in 0..500 {
            let letters = self.letters();
            let own = letters
                .iter()
                .filter(|letter| letter.lines().any(|line| line == format!("To: {address}")));
            let mut links = own
                .flat_map(|letter| letter.lines())
                .filter_map(|line| line.split_once(&format!("{page}#")));
            if let Some((_, token)) = links.next_back() {
                return token.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "no link to {page} came to {address}; there are {:?}",
            self.letters()
        );
    }
}

/// Speaks just enough of RFC 5321 and RFC 4954.
async fn mail_server(letters: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(converse(socket, letters.clone()));
        }
    });
    address
}

async fn converse(socket: TcpStream, letters: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let (from, mut to) = socket.into_split();
    let mut lines = BufReader::new(from).lines();
    to.write_all(b"220 mail.example\r\n").await?;
    let mut letter: Option<String> = None;
    while let Some(line) = lines.next_line().await? {
        if let Some(text) = &mut letter {
            if line != "." {
                text.extend([line.as_str(), "\n"]);
                continue;
            }
            letters.lock().unwrap().extend(letter.take());
        }
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => b"250-mail.example\r\n250 AUTH PLAIN\r\n",
            "AUTH" if line.split(' ').nth(2) == Some(&credentials()) => b"235 come in\r\n",
            "AUTH" => b"535 who are you?\r\n",
            "DATA" => {
                letter = Some(String::new());
                b"354 go on\r\n"
            }
            "QUIT" => return to.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        to.write_all(answer).await?;
    }
    Ok(())
}

/// As they travel (RFC 4616).
fn credentials() -> String {
    STANDARD.encode(format!("\0strongroom\0{MAIL_PASSWORD}"))
}

/// Bob is invited by link, carol by mail; bob confirms an address, and forgets his password.
pub(super) async fn letters(drive: &Drive, access: &str) {
    drive.keep("the mail server's password", MAIL_PASSWORD);
    drive.keep("what the mail server is told", &credentials());
    invite(drive, access).await;
    let bob = drive.sign_in("bob", SECOND).await;
    let address = json!({"email": "bob@example.org"});
    drive
        .well(
            drive
                .ask(Method::PATCH, "/auth/me")
                .bearer_auth(&bob)
                .json(&address),
        )
        .await;
    let token = drive.keep(
        "a link that confirms",
        &drive
            .letters
            .token("bob@example.org", "/confirm-email")
            .await,
    );
    drive
        .refused(
            drive
                .post("/confirm-email")
                .form(&[("token", &format!("{}AAAA", &token[..token.len() - 4]))]),
        )
        .await;
    drive
        .well(drive.post("/confirm-email").form(&[("token", &token)]))
        .await;
    drive
        .refused(
            drive
                .post("/auth/me/email/confirm")
                .json(&json!({"token": token})),
        )
        .await;
    reset(drive, access).await;
}

async fn invite(drive: &Drive, access: &str) {
    let by_link = json!({"roles": {"main": "editor"}});
    let invited = drive
        .well(
            drive
                .post("/auth/invites")
                .bearer_auth(access)
                .json(&by_link),
        )
        .await;
    let token = drive.keep(
        "an invitation",
        invited.text_of("link").split_once('#').unwrap().1,
    );
    drive
        .well(
            drive
                .post("/auth/invites/preview")
                .json(&json!({"invite": token})),
        )
        .await;
    let body = json!({"username": "bob", "password": SECOND, "invite": token});
    drive.well(drive.post("/auth/register").json(&body)).await;
    let again = json!({"username": "eve", "password": SECOND, "invite": token});
    drive
        .refused(drive.post("/auth/register").json(&again))
        .await;
    let by_mail =
        json!({"roles": {"main": "viewer"}, "email": "carol@example.org", "delivery": "mail"});
    drive
        .well(
            drive
                .post("/auth/invites")
                .bearer_auth(access)
                .json(&by_mail),
        )
        .await;
    let token = drive.keep(
        "an invitation by mail",
        &drive.letters.token("carol@example.org", "/join").await,
    );
    let form = |password| {
        [
            ("username", "carol"),
            ("password", password),
            ("invite", token.as_str()),
        ]
    };
    drive
        .refused(drive.post("/join").form(&form("short")))
        .await;
    let joined = drive.well(drive.post("/join").form(&form(SECOND))).await;
    drive.keep_cookies(&joined);
    drive.refused(drive.post("/join").form(&form(WRONG))).await;
}

async fn reset(drive: &Drive, access: &str) {
    drive
        .well(drive.post("/auth/reset").json(&json!({"account": "bob"})))
        .await;
    let token = drive.keep(
        "a reset link",
        &drive.letters.token("bob@example.org", "/reset").await,
    );
    drive
        .refused(
            drive
                .post("/reset")
                .form(&[("token", token.as_str()), ("password", "short")]),
        )
        .await;
    let new = json!({"token": token, "new_password": THIRD});
    drive
        .well(drive.post("/auth/reset/confirm").json(&new))
        .await;
    drive
        .refused(drive.post("/auth/reset/confirm").json(&new))
        .await;
    let link = drive
        .well(drive.post("/api/users/carol/reset").bearer_auth(access))
        .await;
    let token = drive.keep(
        "a link that is handed over",
        link.text_of("link").split_once('#').unwrap().1,
    );
    drive
        .well(
            drive
                .post("/reset")
                .form(&[("token", token.as_str()), ("password", THIRD)]),
        )
        .await;
    drive
        .well(
            drive
                .post("/forgot")
                .form(&[("account", "carol@example.org")]),
        )
        .await;
    drive.keep(
        "a reset link",
        &drive.letters.token("carol@example.org", "/reset").await,
    );
}
