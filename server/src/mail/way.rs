//! Mail transports: an SMTP server, or a folder.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use auth::{Clock, SecureRandom};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use secrecy::ExposeSecret as _;
use tokio::io::AsyncWriteExt as _;

use crate::config::mail::{Smtp, Tls as Wanted, Way};

/// Timeout of each SMTP command.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) enum Sender {
    Folder(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

/// Why a mail was not sent.
#[derive(Debug)]
pub(super) struct Refused {
    /// Whether a retry may succeed.
    pub(super) may_pass: bool,
    why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Sender {
    pub(super) fn new(way: &Way) -> anyhow::Result<Self> {
        match way {
            Way::Folder(folder) => {
                make_private(folder)?;
                Ok(Self::Folder(folder.clone()))
            }
            Way::Smtp(smtp) => Ok(Self::Smtp(connection(smtp)?)),
        }
    }

    pub(super) async fn send(
        &self,
        message: &Message,
        clock: &Clock,
        chance: &SecureRandom,
    ) -> Result<(), Refused> {
        match self {
            Self::Smtp(smtp) => {
                smtp.send(message.clone())
                    .await
                    .map(drop)
                    .map_err(|error| Refused {
                        may_pass: !error.is_permanent(),
                        why: chain(&error),
                    })
            }
            Self::Folder(folder) => {
                let at = clock.now().strftime("%Y%m%dT%H%M%S%6f");
                let name = format!("{at}-{}.eml", hex::encode(chance.bytes::<4>()));
                let written = write(&folder.join(name), &message.formatted()).await;
                written.map_err(|error| Refused {
                    may_pass: true,
                    why: format!("{}: {error}", folder.display()),
                })
            }
        }
    }
}

/// The error and its sources.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

fn connection(smtp: &Smtp) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let tls = match smtp.tls {
        Wanted::StartTls => Tls::Required(parameters(smtp)?),
        Wanted::Implicit => Tls::Wrapper(parameters(smtp)?),
        Wanted::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(PATIENCE));
    if let Some((username, password)) = &smtp.credentials {
        builder = builder.credentials(Credentials::new(
            username.clone(),
            password.expose_secret().to_owned(),
        ));
    }
    Ok(builder.build())
}

fn parameters(smtp: &Smtp) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(pem) = &smtp.ca {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).context("mail.ca_file")?);
    }
    Ok(builder.build()?)
}

/// Private to the owner, because mails contain links that grant access.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("The folder {} cannot be made", folder.display()))
}

/// Writes under a temporary name, then renames.
async fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let part = path.with_extension("part");
    let mut file = options.open(&part).await?;
    file.write_all(bytes).await?;
    file.flush().await?;
    tokio::fs::rename(&part, path).await
}
