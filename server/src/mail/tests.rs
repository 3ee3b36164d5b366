//! Delivery into a folder and to a small SMTP server.

use std::net::{IpAddr, SocketAddr};

use auth::{DisplayName, EmailAddress, Origin, SecurityNotice, Username};
use jiff::Timestamp;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::config::mail::{MailTls, MailTransport, SmtpConfig};

const SITE: &str = "https://files.example";

fn outgoing_mail(to: &str, name: &str, body: MailBody) -> OutgoingMail {
    OutgoingMail {
        to: EmailAddress::parse(to).unwrap(),
        name: name.to_owned(),
        body,
    }
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn reset_body(link: &str, until: i64) -> MailBody {
    MailBody::Reset {
        link: link.to_owned().into(),
        username: Username::parse("ada").unwrap(),
        expires_at: timestamp(until),
    }
}

fn notice_body() -> MailBody {
    let origin = Origin {
        address: IpAddr::from([192, 0, 2, 7]),
        user_agent: Some("Firefox/140 (X11; Linux)\r\nSee: http://evil.example".to_owned()),
        device: None,
    };
    MailBody::SecurityNotice {
        notice: SecurityNotice::PasswordChanged,
        about: None,
        at: timestamp(0),
        origin,
    }
}

fn test_mailer(way: MailTransport) -> Mailer {
    let mail = MailConfig {
        from: "Strongroom <strongroom@files.example>".parse().unwrap(),
        transport: way,
    };
    let postman = Mailer::new(&mail, SITE.to_owned(), Clock::from_fn(|| timestamp(0))).unwrap();
    Mailer {
        retry_delays: vec![Duration::ZERO; 3],
        ..postman
    }
}

async fn deliver_all(postman: Mailer, mails: Vec<OutgoingMail>) {
    let (post, queue) = mpsc::channel(10);
    for mail in mails {
        post.send(mail).await.unwrap();
    }
    drop(post);
    postman.run(queue).await;
}

#[tokio::test]
async fn folder_mail_is_complete_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("mail");
    let link = format!("https://files.example/reset#sr_rs_{}", "x".repeat(47));
    deliver_all(
        test_mailer(MailTransport::Folder(inside.clone())),
        vec![outgoing_mail(
            "ada@files.example",
            "Ada",
            reset_body(&link, 1_800),
        )],
    )
    .await;
    let path = std::fs::read_dir(&inside)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(path.extension().unwrap(), "eml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("\r\n{link}\r\n")), "{text}");
    for line in [
        "From: Strongroom <strongroom@files.example>\r\n",
        "To: ada@files.example\r\n",
        "Subject: Reset your Strongroom password\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Hello Ada,\r\n",
        "To choose a new password, open this link. It works once, until 08:30 UTC\r\non 15 January 2027:",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o077,
            0
        );
        assert_eq!(
            std::fs::metadata(&inside).unwrap().permissions().mode() & 0o077,
            0
        );
    }
}

#[tokio::test]
async fn mail_recipient_cannot_inject_headers() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "Eve\r\nBcc: everybody@files.example\r\n\r\nPay here";
    assert!(DisplayName::parse(hostile).is_err());
    assert!(EmailAddress::parse("eve@files.example\r\nBcc: a@b").is_err());
    deliver_all(
        test_mailer(MailTransport::Folder(folder.path().to_owned())),
        vec![
            // Simulates a name that bypassed validation.
            outgoing_mail("ada@files.example", hostile, notice_body()),
            outgoing_mail(
                "ada@files.example,eve@files.example"
                    .split(',')
                    .next()
                    .unwrap(),
                "A, B <eve@x.example>",
                notice_body(),
            ),
        ],
    )
    .await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            !headers.contains("Bcc") && !headers.contains("Eve") && !headers.contains("eve"),
            "{headers}"
        );
        assert!(body.starts_with("Hello,\r\n"), "{body}");
        assert!(
            body.contains("  Device: Firefox on Linux\r\n") && !body.contains("evil.example"),
            "{body}"
        );
    }
}

/// A minimal SMTP server (RFC 5321) that records its input. It rejects the first mails with these
/// codes.
async fn mail_server(refusals: Vec<u16>) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut heard, mut refusals) = (String::new(), refusals.into_iter());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            if smtp_session(socket, &mut heard, &mut refusals)
                .await
                .unwrap_or(false)
            {
                return heard;
            }
        }
    });
    (address, task)
}

/// True if a mail was accepted, or the client left without sending one.
async fn smtp_session(
    socket: TcpStream,
    heard: &mut String,
    refusals: &mut impl Iterator<Item = u16>,
) -> std::io::Result<bool> {
    let (from, mut to) = socket.into_split();
    let mut lines = BufReader::new(from).lines();
    to.write_all(b"220 mail.example\r\n").await?;
    let mut in_data = false;
    while let Some(line) = lines.next_line().await? {
        heard.push_str(&line);
        heard.push('\n');
        let answer = match (in_data, line.split(' ').next().unwrap_or_default()) {
            (true, ".") => {
                to.write_all(b"250 taken\r\n").await?;
                return Ok(true);
            }
            (true, _) => continue,
            (_, "EHLO") => "250 mail.example\r\n".to_owned(),
            (_, "MAIL") => match refusals.next() {
                Some(code) => format!("{code} not now\r\n"),
                None => "250 ok\r\n".to_owned(),
            },
            (_, "DATA") => {
                in_data = true;
                "354 go on\r\n".to_owned()
            }
            (_, "QUIT") => {
                to.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            _ => "250 ok\r\n".to_owned(),
        };
        to.write_all(answer.as_bytes()).await?;
    }
    Ok(true)
}

fn smtp_transport(address: SocketAddr, tls: MailTls) -> MailTransport {
    let host = address.ip().to_string();
    MailTransport::Smtp(SmtpConfig {
        host,
        port: address.port(),
        tls,
        credentials: None,
        ca_pem: None,
    })
}

#[tokio::test]
async fn mail_is_retried_after_temporary_smtp_failure() {
    let (address, server) = mail_server(vec![451, 421]).await;
    deliver_all(
        test_mailer(smtp_transport(address, MailTls::None)),
        vec![outgoing_mail("ada@files.example", "Žofie", notice_body())],
    )
    .await;
    let heard = server.await.unwrap();
    assert_eq!(
        heard
            .matches("MAIL FROM:<strongroom@files.example>")
            .count(),
        3,
        "{heard}"
    );
    assert!(heard.contains("RCPT TO:<ada@files.example>"), "{heard}");
    assert!(
        heard.contains("Subject: Your password was changed"),
        "{heard}"
    );
}

#[tokio::test]
async fn mail_is_not_retried_after_permanent_smtp_failure() {
    let (address, server) = mail_server(vec![550]).await;
    deliver_all(
        test_mailer(smtp_transport(address, MailTls::None)),
        vec![outgoing_mail("ada@files.example", "Ada", notice_body())],
    )
    .await;
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn mail_beyond_the_relays_alphabet_is_given_up() {
    let (address, server) = mail_server(Vec::new()).await;
    let relay = smtp_transport(address, MailTls::None);
    // A retry would wait for an hour.
    let mailer = Mailer {
        retry_delays: vec![Duration::from_hours(1)],
        ..test_mailer(relay.clone())
    };
    let mail = outgoing_mail("müller@files.example", "Müller", notice_body());
    deliver_all(mailer, vec![mail]).await;
    let mail = outgoing_mail("ada@bücher.example", "Ada", notice_body());
    deliver_all(test_mailer(relay), vec![mail]).await;
    let heard = server.await.unwrap();
    assert!(
        heard.contains("RCPT TO:<ada@xn--bcher-kva.example>"),
        "{heard}"
    );
    assert!(!heard.contains("ller@files.example"), "{heard}");
}

#[tokio::test]
async fn mail_is_not_sent_without_required_tls() {
    let (address, server) = mail_server(Vec::new()).await;
    let postman = Mailer {
        retry_delays: Vec::new(),
        ..test_mailer(smtp_transport(address, MailTls::StartTls))
    };
    deliver_all(
        postman,
        vec![outgoing_mail(
            "ada@files.example",
            "Ada",
            reset_body("https://files.example/reset#secret", 60),
        )],
    )
    .await;
    // It accepts mail without TLS, so the server was listening.
    deliver_all(
        self::test_mailer(smtp_transport(address, MailTls::None)),
        vec![outgoing_mail("bob@files.example", "Bob", notice_body())],
    )
    .await;
    let heard = server.await.unwrap();
    assert!(
        !heard.contains("ada@files.example") && !heard.contains("secret"),
        "{heard}"
    );
}

#[tokio::test]
async fn mail_with_expired_link_is_not_retried() {
    let (address, server) = mail_server(vec![451]).await;
    deliver_all(
        test_mailer(smtp_transport(address, MailTls::None)),
        vec![outgoing_mail(
            "ada@files.example",
            "Ada",
            reset_body("https://x/#y", -1),
        )],
    )
    .await;
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
}
