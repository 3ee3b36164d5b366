//! Sends the mails that [`auth`] queues: by SMTP, or into a folder for development. A request never
//! waits for it.

mod templates;
mod transport;

use std::{sync::Arc, time::Duration};

use auth::{Clock, MailBody, OutgoingMail, SecureRandom};
use lettre::{
    Address, Message,
    message::{
        Body, Mailbox,
        header::{self, ContentTransferEncoding as Encoding},
    },
};
use templates::{Rendered, render};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use transport::{MailSender, SendError};

use crate::config::mail::MailConfig;

/// Delays before each retry. After the last one the mail is dropped.
const RETRY_DELAYS: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_mins(1),
    Duration::from_mins(5),
];
/// Parallel connections to the mail server.
const MAX_CONNECTIONS: usize = 4;
/// Mails in delivery at once, including those that wait for a retry.
const MAX_QUEUED: usize = 1_000;

/// Renders and delivers mails.
pub(crate) struct Mailer {
    from: Mailbox,
    sender: MailSender,
    /// The public URL of the installation.
    site_url: String,
    clock: Clock,
    rng: SecureRandom,
    retry_delays: Vec<Duration>,
    connections: Semaphore,
}

impl Mailer {
    /// # Errors
    /// A message for the operator: the folder cannot be created, or the certificate is invalid.
    pub(crate) fn new(mail: &MailConfig, site: String, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            from: Mailbox::new(mail.from.name.clone(), in_ascii_domain(&mail.from.email)?),
            sender: MailSender::new(&mail.transport)?,
            site_url: site,
            clock,
            rng: SecureRandom::system(),
            retry_delays: RETRY_DELAYS.to_vec(),
            connections: Semaphore::new(MAX_CONNECTIONS),
        })
    }

    /// Delivers mails until the queue is closed. Run it as a task.
    pub(crate) async fn run(self, mut queue: mpsc::Receiver<OutgoingMail>) {
        let mailer = Arc::new(self);
        let mut deliveries = JoinSet::new();
        while let Some(mail) = queue.recv().await {
            while deliveries.try_join_next().is_some() {}
            if deliveries.len() >= MAX_QUEUED {
                tracing::warn!("mail dropped: the delivery queue is full");
                continue;
            }
            let mailer = Arc::clone(&mailer);
            deliveries.spawn(async move { mailer.deliver_one(mail).await });
        }
        // The queue is closed. Deliveries in progress still finish.
        while deliveries.join_next().await.is_some() {}
    }

    async fn deliver_one(&self, mail: OutgoingMail) {
        let message = match self.to_message(&mail) {
            Ok(message) => message,
            Err(error) => return tracing::warn!(%error, "mail could not be rendered"),
        };
        let mut delays = self.retry_delays.iter();
        loop {
            let failure = match self.send_once(&message).await {
                Ok(()) => return record_outcome("sent"),
                Err(failure) => failure,
            };
            match delays.next() {
                Some(delay) if failure.is_transient && !self.is_expired(&mail.body) => {
                    tracing::info!(error = %failure, "mail delivery will be retried");
                    tokio::time::sleep(*delay).await;
                }
                _ => {
                    record_outcome("lost");
                    return tracing::warn!(error = %failure, "mail was not sent");
                }
            }
        }
    }

    async fn send_once(&self, message: &Message) -> Result<(), SendError> {
        let _connection = self.connections.acquire().await;
        self.sender.send(message, &self.clock, &self.rng).await
    }

    /// Whether the link of the mail has expired.
    fn is_expired(&self, body: &MailBody) -> bool {
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
            MailBody::SecurityNotice { .. }
            | MailBody::HostNotice(_)
            | MailBody::TokenExpiring { .. } => false,
        }
    }

    fn to_message(&self, mail: &OutgoingMail) -> anyhow::Result<Message> {
        let Rendered { subject, text } = render(mail, &self.site_url)?;
        let to = in_ascii_domain(&mail.to.as_str().parse()?)?;
        let id = hex::encode(self.rng.bytes::<16>());
        let mut message = Message::builder()
            .from(self.from.clone())
            // The address alone: display names are user input and stay out of headers.
            .to(Mailbox::new(None, to))
            .date(self.clock.now().into())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .subject(subject)
            .header(header::ContentType::TEXT_PLAIN)
            .body(encode_body(text)?)?;
        // RFC 3834 §5: asks auto-responders not to reply.
        let auto_submitted = header::HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(header::HeaderValue::new(
            auto_submitted,
            "auto-generated".to_owned(),
        ));
        Ok(message)
    }
}

/// The address with the ASCII form of its domain (RFC 5891 §4), which every relay takes.
fn in_ascii_domain(address: &Address) -> anyhow::Result<Address> {
    let domain = match url::Host::parse(address.domain()) {
        Ok(url::Host::Domain(domain)) => domain,
        _ => address.domain().to_owned(),
    };
    Ok(Address::new(address.user(), domain)?)
}

/// Sends ASCII text unencoded, so that long links stay in one piece. Other text becomes
/// quoted-printable (RFC 2045 §6.7), because not every server accepts 8-bit mail.
fn encode_body(text: String) -> anyhow::Result<Body> {
    // RFC 5322 §2.1.1.
    let is_plain =
        |line: &str| line.len() <= 990 && line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if text.lines().all(is_plain) {
        let lines = text.replace('\n', "\r\n").into_bytes();
        return Ok(Body::dangerous_pre_encoded(lines, Encoding::SevenBit));
    }
    Body::new_with_encoding(text, Encoding::QuotedPrintable)
        .map_err(|_| anyhow::anyhow!("mail cannot be encoded"))
}

fn record_outcome(outcome: &'static str) {
    metrics::counter!("strongroom_letters_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
