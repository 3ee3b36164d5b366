//! Sends the mails that [`auth`] queues: by SMTP, or into a folder for development. A request never
//! waits for it.

mod templates;
mod way;

use std::{sync::Arc, time::Duration};

use auth::{Clock, MailBody, OutgoingMail, SecureRandom};
use lettre::{
    Address, Message,
    message::{Body, Mailbox, header, header::ContentTransferEncoding as Encoding},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use crate::config::mail::Mail;
use templates::{Rendered, render};
use way::{Refused, Sender};

/// Delays before each retry. After the last one the mail is dropped.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_mins(1),
    Duration::from_mins(5),
];
/// Parallel connections to the mail server.
const LINES: usize = 4;
/// Mails in delivery at once, including those that wait for a retry.
const MOST: usize = 1_000;

/// Renders and delivers mails.
pub(crate) struct Postman {
    from: Mailbox,
    sender: Sender,
    /// The public URL of the installation.
    site: String,
    clock: Clock,
    chance: SecureRandom,
    pauses: Vec<Duration>,
    lines: Semaphore,
}

impl Postman {
    /// # Errors
    /// A message for the operator: the folder cannot be created, or the certificate is invalid.
    pub(crate) fn new(mail: &Mail, site: String, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            from: mail.from.clone(),
            sender: Sender::new(&mail.way)?,
            site,
            clock,
            chance: SecureRandom::system(),
            pauses: PAUSES.to_vec(),
            lines: Semaphore::new(LINES),
        })
    }

    /// Delivers mails until the queue is closed. Run it as a task.
    pub(crate) async fn deliver(self, mut letters: mpsc::Receiver<OutgoingMail>) {
        let postman = Arc::new(self);
        let mut under_way = JoinSet::new();
        while let Some(letter) = letters.recv().await {
            while under_way.try_join_next().is_some() {}
            if under_way.len() >= MOST {
                tracing::warn!("mail dropped: the delivery queue is full");
                continue;
            }
            let postman = Arc::clone(&postman);
            under_way.spawn(async move { postman.carry(letter).await });
        }
        // The queue is closed. Deliveries in progress still finish.
        while under_way.join_next().await.is_some() {}
    }

    async fn carry(&self, letter: OutgoingMail) {
        let message = match self.written(&letter) {
            Ok(message) => message,
            Err(error) => return tracing::warn!(%error, "mail could not be rendered"),
        };
        let mut pauses = self.pauses.iter();
        loop {
            let refused = match self.try_once(&message).await {
                Ok(()) => return count("sent"),
                Err(refused) => refused,
            };
            match pauses.next() {
                Some(pause) if refused.may_pass && !self.is_late(&letter.body) => {
                    tracing::info!(error = %refused, "mail delivery will be retried");
                    tokio::time::sleep(*pause).await;
                }
                _ => {
                    count("lost");
                    return tracing::warn!(error = %refused, "mail was not sent");
                }
            }
        }
    }

    async fn try_once(&self, message: &Message) -> Result<(), Refused> {
        let _line = self.lines.acquire().await;
        self.sender.send(message, &self.clock, &self.chance).await
    }

    /// Whether the link of the mail has expired.
    fn is_late(&self, body: &MailBody) -> bool {
        match body {
            MailBody::Reset {
                expires_at: until, ..
            }
            | MailBody::Invitation {
                expires_at: until, ..
            }
            | MailBody::ConfirmEmail {
                expires_at: until, ..
            } => *until <= self.clock.now(),
            MailBody::SecurityNotice { .. } | MailBody::TokenExpiring { .. } => false,
        }
    }

    fn written(&self, letter: &OutgoingMail) -> anyhow::Result<Message> {
        let Rendered { subject, text } = render(letter, &self.site)?;
        let to: Address = letter.to.as_str().parse()?;
        let id = hex::encode(self.chance.bytes::<16>());
        let mut message = Message::builder()
            .from(self.from.clone())
            // The address alone: display names are user input and stay out of headers.
            .to(Mailbox::new(None, to))
            .date(self.clock.now().into())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .subject(subject)
            .header(header::ContentType::TEXT_PLAIN)
            .body(encoded(text)?)?;
        // RFC 3834 §5: asks auto-responders not to reply.
        let robot = header::HeaderName::new_from_ascii_str("Auto-Submitted");
        message
            .headers_mut()
            .insert_raw(header::HeaderValue::new(robot, "auto-generated".to_owned()));
        Ok(message)
    }
}

/// Sends ASCII text unencoded, so that long links stay in one piece. Other text becomes
/// quoted-printable (RFC 2045 §6.7), because not every server accepts 8-bit mail.
fn encoded(text: String) -> anyhow::Result<Body> {
    // RFC 5322 §2.1.1.
    let plain =
        |line: &str| line.len() <= 990 && line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if text.lines().all(plain) {
        let lines = text.replace('\n', "\r\n").into_bytes();
        return Ok(Body::dangerous_pre_encoded(lines, Encoding::SevenBit));
    }
    Body::new_with_encoding(text, Encoding::QuotedPrintable)
        .map_err(|_| anyhow::anyhow!("mail cannot be encoded"))
}

fn count(outcome: &'static str) {
    metrics::counter!("strongroom_letters_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
