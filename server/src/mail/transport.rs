//! Mail transports: an SMTP server, or a folder.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use auth::{Clock, SecureRandom};
use durable_fs::Mode;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use secrecy::ExposeSecret as _;

use crate::config::mail::{MailTls as Wanted, MailTransport, SmtpConfig};

/// Timeout of each SMTP command.
const SMTP_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) enum MailSender {
    Folder(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

/// Why a mail was not sent.
#[derive(Debug)]
pub(crate) struct SendError {
    /// Whether a retry may succeed.
    pub(crate) is_transient: bool,
    reason: String,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl MailSender {
    pub(crate) fn new(transport: &MailTransport) -> anyhow::Result<Self> {
        match transport {
            MailTransport::Folder(folder) => {
                create_private_folder(folder)?;
                Ok(Self::Folder(folder.clone()))
            }
            MailTransport::Smtp(smtp) => Ok(Self::Smtp(smtp_transport(smtp)?)),
        }
    }

    pub(crate) async fn send(
        &self,
        message: &Message,
        clock: &Clock,
        rng: &SecureRandom,
    ) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => {
                smtp.send(message.clone())
                    .await
                    .map(drop)
                    .map_err(|error| SendError {
                        is_transient: !is_final(&error, message),
                        reason: error_chain(&error),
                    })
            }
            Self::Folder(folder) => {
                let at = clock.now().strftime("%Y%m%dT%H%M%S%6f");
                let name = format!("{at}-{}.eml", hex::encode(rng.bytes::<4>()));
                let written = write_file(folder.join(name), message.formatted()).await;
                written.map_err(|error| SendError {
                    is_transient: true,
                    reason: format!("{}: {error}", folder.display()),
                })
            }
        }
    }
}

/// Whether no retry can succeed: the relay refuses the mail for good (RFC 5321 §4.2.1), or it takes
/// no address outside ASCII (RFC 6531 §3.2) and the mail has one.
fn is_final(error: &smtp::Error, message: &Message) -> bool {
    let envelope = message.envelope();
    let mut addresses = envelope.to().iter().chain(envelope.from());
    let needs_utf8 = addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii());
    error.is_permanent() || (error.is_client() && needs_utf8)
}

/// The error and its sources.
fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn smtp_transport(smtp: &SmtpConfig) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let tls = match smtp.tls {
        Wanted::StartTls => Tls::Required(tls_parameters(smtp)?),
        Wanted::Implicit => Tls::Wrapper(tls_parameters(smtp)?),
        Wanted::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(SMTP_TIMEOUT));
    if let Some((username, password)) = &smtp.credentials {
        builder = builder.credentials(Credentials::new(
            username.clone(),
            password.expose_secret().to_owned(),
        ));
    }
    Ok(builder.build())
}

fn tls_parameters(smtp: &SmtpConfig) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(pem) = &smtp.ca_pem {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).context("mail.ca_file")?);
    }
    Ok(builder.build()?)
}

/// Private to the owner, because mails contain links that grant access.
fn create_private_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("The folder {} cannot be created", folder.display()))
}

/// Another program never reads half a mail.
async fn write_file(path: PathBuf, bytes: Vec<u8>) -> std::io::Result<()> {
    tokio::task::spawn_blocking(move || durable_fs::create(&path, &bytes, Mode::PRIVATE))
        .await
        .map_err(std::io::Error::other)?
}
