//! Strongroom, the original and nginx, started on loopback, with users signed in.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tokio::process::Command as AsyncCommand;

use crate::{
    client::{self, Client},
    options::{Options, TargetName},
    process::{Server, free_address},
    progress, request,
};

const ORIGINAL: &str = "bench/original";

/// A running service with the original's API, and the access tokens of its users.
#[derive(Debug)]
pub(crate) struct ApiServer {
    pub(crate) server: Server,
    pub(crate) tokens: Vec<String>,
}

impl ApiServer {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The token of the `nth` client; clients share tokens if there are more clients than users.
    pub(crate) fn token(&self, nth: usize) -> &str {
        &self.tokens[nth % self.tokens.len()]
    }

    async fn with_accounts(server: Server, accounts: usize) -> Result<Self> {
        for nth in 0..accounts {
            client::send_once(
                server.address,
                &request::post_json("/auth/register", &registration(nth)),
            )
            .await?;
        }
        let mut tokens = Vec::new();
        for nth in 0..accounts {
            let response = client::send_once(server.address, &sign_in(nth))
                .await?
                .json()?;
            tokens.push(
                response["access_token"]
                    .as_str()
                    .context("no access token")?
                    .to_owned(),
            );
        }
        Ok(Self { server, tokens })
    }

    /// Uploads `count` small files: `part-0.step` and on.
    pub(crate) async fn add_files(&self, count: usize) -> Result<()> {
        let mut client = Client::connect(self.address()).await?;
        for nth in 0..count {
            let path = format!("/api/files/part-{nth}.step/content");
            client
                .send(&request::send_file(
                    "PUT",
                    &path,
                    self.token(nth),
                    path.as_bytes(),
                ))
                .await?
                .ensure_success()?;
        }
        Ok(())
    }
}

fn registration(nth: usize) -> String {
    format!(r#"{{"username":"machinist{nth}","password":"seven lathes hum at dawn {nth}"}}"#)
}

/// The sign-in request of the `nth` user.
pub(crate) fn sign_in(nth: usize) -> Vec<u8> {
    let form = format!(
        "grant_type=password&username=machinist{nth}&password=seven+lathes+hum+at+dawn+{nth}"
    );
    request::post_form("/auth/token", &form)
}

/// Strongroom on an empty or used data folder `name`, without users.
pub(crate) async fn start_strongroom(plan: &Options, name: &str) -> Result<Server> {
    let address = free_address()?;
    let data = plan.folder(name)?;
    let mut command = Command::new(&plan.server);
    command
        .args(["serve", "--listen", &address.to_string(), "--data"])
        .arg(&data);
    Server::start(
        &mut command,
        address,
        "/health/live",
        &plan.scratch.path().join(format!("{name}.log")),
    )
    .await
}

/// Strongroom on a new folder with `people` users signed in; `None` if it is excluded.
pub(crate) async fn strongroom_with_accounts(
    plan: &Options,
    scenario: &str,
    accounts: usize,
) -> Result<Option<ApiServer>> {
    if !plan.includes_target(TargetName::Strongroom) {
        return Ok(None);
    }
    let server = start_strongroom(plan, &format!("strongroom-{scenario}")).await?;
    Ok(Some(ApiServer::with_accounts(server, accounts).await?))
}

/// The original on a new folder with `people` users signed in; `None` if it is excluded or Python
/// is missing.
pub(crate) async fn original_with_accounts(
    plan: &Options,
    scenario: &str,
    accounts: usize,
) -> Result<Option<ApiServer>> {
    if !plan.includes_target(TargetName::Original) {
        return Ok(None);
    }
    let python = match original_python().await {
        Ok(python) => python,
        Err(why) => {
            progress::report(&format!("skipping the original: {why:#}"));
            return Ok(None);
        }
    };
    let address = free_address()?;
    let name = format!("original-{scenario}");
    let mut command = Command::new(python);
    command.args([
        "-m",
        "uvicorn",
        "main:app",
        "--no-access-log",
        "--app-dir",
        ORIGINAL,
        "--host",
        "127.0.0.1",
    ]);
    command
        .args(["--port", &address.port().to_string()])
        .env("ORIGINAL_DATA", plan.folder(&name)?);
    let log = plan.scratch.path().join(format!("{name}.log"));
    let server = Server::start(&mut command, address, "/openapi.json", &log).await?;
    Ok(Some(ApiServer::with_accounts(server, accounts).await?))
}

/// The Python of a virtual environment with the original's packages, created in the cache folder on
/// first use.
async fn original_python() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .context("no cache folder")?;
    let folder = cache.join("strongroom-bench/original");
    let python = folder.join("bin/python");
    let wanted = Path::new(ORIGINAL).join("requirements.txt");
    let (wanted_text, stamp) = (fs::read_to_string(&wanted)?, folder.join("installed.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted_text) {
        return Ok(python);
    }
    progress::report("installing the original's packages");
    run_checked(
        AsyncCommand::new("python3")
            .args(["-m", "venv"])
            .arg(&folder),
    )
    .await?;
    run_checked(
        AsyncCommand::new(&python)
            .args(["-m", "pip", "install", "-q", "-r"])
            .arg(&wanted),
    )
    .await?;
    fs::write(stamp, wanted_text)?;
    Ok(python)
}

async fn run_checked(command: &mut AsyncCommand) -> Result<()> {
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// nginx with `PUT` and `GET` of files on the same disk; `None` if it is excluded or not installed.
pub(crate) async fn nginx(plan: &Options) -> Result<Option<(Server, PathBuf)>> {
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx"]
        .map(Path::new)
        .into_iter()
        .find(|path| path.exists());
    let Some(program) = program.filter(|_| plan.includes_target(TargetName::Nginx)) else {
        return Ok(None);
    };
    let address = free_address()?;
    let folder = plan.folder("nginx")?;
    let files = plan.folder("nginx/files")?;
    let settings = folder.join("nginx.conf");
    fs::write(&settings, nginx_settings(address, &folder))?;
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder).arg("-c").arg(&settings);
    let server = Server::start(
        &mut command,
        address,
        "/",
        &plan.scratch.path().join("nginx.log"),
    )
    .await?;
    Ok(Some((server, files)))
}

/// One worker process: a transfer is one connection, which nginx serves with one worker anyway.
fn nginx_settings(address: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; client_max_body_size 0;\n{temporary}\
         server {{ listen {address}; root {folder}/files; location / {{ dav_methods PUT DELETE; }} }} }}\n"
    )
}

/// Waits until the writes of earlier rounds are on the disk, so that they do not slow this one.
pub(crate) async fn sync_disk() -> Result<()> {
    run_checked(&mut AsyncCommand::new("sync")).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}
