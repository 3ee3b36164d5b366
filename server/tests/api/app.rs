//! One server for each test, and HTTP clients for it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use auth::{
    Clock, Password, Username, access::permit::Administrator,
    accounts::registration::RegistrationRequest,
};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder, multipart};
use serde_json::Value;
use server::{
    Config, ConfigSource, RunningServer,
    config::{
        ByteSize, HashingSection, RegistrationMode, RegistrationSection, Toggle, mail::MailSection,
    },
};
use store::{Database, testing};

pub(crate) use crate::response::TestResponse;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Runs each test on both databases: `both!(async fn a_promise(app: TestApp) { … });`
#[macro_export]
macro_rules! both {
    ($(async fn $name:ident($app:ident: TestApp) $body:block)*) => {$(
        async fn $name($app: $crate::app::TestApp) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::$name($crate::app::TestApp::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgresql() {
                if let Some(app) = $crate::app::TestApp::postgresql().await {
                    super::$name(app).await;
                }
            }
        }
    )*};
}

pub(crate) struct TestApp {
    pub(crate) running: RunningServer,
    pub(crate) data: tempfile::TempDir,
    pub(crate) database: Option<String>,
    clock_offset: Arc<AtomicI64>,
    http: reqwest::Client,
}

impl TestApp {
    pub(crate) async fn sqlite() -> Self {
        Self::start(tempfile::tempdir().unwrap(), None, ConfigSource::default()).await
    }

    /// `None`, with a message on standard error, if PostgreSQL is not installed.
    pub(crate) async fn postgresql() -> Option<Self> {
        let Database::Postgres(url) = testing::postgres().await?.database else {
            unreachable!("the test requested PostgreSQL")
        };
        Some(
            Self::start(
                tempfile::tempdir().unwrap(),
                Some(url),
                ConfigSource::default(),
            )
            .await,
        )
    }

    /// On PostgreSQL, with a role that cannot change the schema.
    pub(crate) async fn serving_only() -> Option<Self> {
        let url = testing::serving_only_url(&testing::postgres().await?).await;
        let settings = ConfigSource {
            database_migrate: Some(Toggle::Off),
            ..ConfigSource::default()
        };
        Some(Self::start(tempfile::tempdir().unwrap(), Some(url), settings).await)
    }

    pub(crate) async fn with_settings(settings: ConfigSource) -> Self {
        Self::start(tempfile::tempdir().unwrap(), None, settings).await
    }

    async fn start(
        data: tempfile::TempDir,
        database: Option<String>,
        settings: ConfigSource,
    ) -> Self {
        Self::open(data, database, settings, 0).await
    }

    /// Opens an existing data folder and database, with a clock this many seconds ahead.
    pub(crate) async fn open(
        data: tempfile::TempDir,
        database: Option<String>,
        settings: ConfigSource,
        ahead: i64,
    ) -> Self {
        let ahead = Arc::new(AtomicI64::new(ahead));
        let running = start_server(&data, database.clone(), settings, ahead.clone()).await;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            running,
            data,
            database,
            clock_offset: ahead,
            http,
        }
    }

    /// Stops the server cleanly and restarts it on the same data.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(async |_| {}).await
    }

    /// Stops the server cleanly, runs `work` on its data, and restarts it.
    pub(crate) async fn restart_after(self, work: impl AsyncFnOnce(Config)) -> Self {
        let Self {
            running,
            data,
            database,
            clock_offset: ahead,
            http,
        } = self;
        running.stop().await.unwrap();
        work(test_config(
            &data,
            database.clone(),
            ConfigSource::default(),
        ))
        .await;
        let running = start_server(
            &data,
            database.clone(),
            ConfigSource::default(),
            ahead.clone(),
        )
        .await;
        Self {
            running,
            data,
            database,
            clock_offset: ahead,
            http,
        }
    }

    /// Advances the server's clock.
    pub(crate) fn advance_clock(&self, by: Duration) {
        self.clock_offset
            .fetch_add(i64::try_from(by.as_secs()).unwrap(), Ordering::SeqCst);
    }

    /// The time of the server's clock.
    pub(crate) fn now(&self) -> Timestamp {
        Clock::system().now() + SignedDuration::from_secs(self.clock_offset.load(Ordering::SeqCst))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// A client that is not signed in.
    pub(crate) fn anonymous(&self) -> Client {
        Client {
            http: self.http.clone(),
            base: self.url(""),
            token: None,
            refresh: String::new(),
            username: String::new(),
        }
    }

    /// Registers and signs in: an editor of `main`.
    pub(crate) async fn editor(&self, name: &str) -> Client {
        let body = serde_json::json!({"username": name, "password": PASSWORD});
        self.anonymous()
            .post("/auth/register", body)
            .await
            .expect_status(201);
        self.sign_in(name).await
    }

    pub(crate) async fn administrator(&self, name: &str) -> Client {
        let applicant = RegistrationRequest {
            username: Username::parse(name).unwrap(),
            display_name: None,
            email: None,
            password: Password::new(PASSWORD.to_owned()),
        };
        self.running
            .auth
            .accounts()
            .add_account(applicant, Some(Administrator))
            .await
            .unwrap();
        self.sign_in(name).await
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Client {
        let form = [("username", name), ("password", PASSWORD)];
        let anonymous = self.anonymous();
        let answer = anonymous
            .send(anonymous.post_request("/auth/token").form(&form))
            .await
            .expect_status(200);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Client {
            token: Some(text("access_token")),
            refresh: text("refresh_token"),
            username: name.to_owned(),
            ..self.anonymous()
        }
    }
}

async fn start_server(
    data: &tempfile::TempDir,
    database: Option<String>,
    settings: ConfigSource,
    ahead: Arc<AtomicI64>,
) -> RunningServer {
    let now = Clock::system();
    let clock = Clock::from_fn(move || -> Timestamp {
        now.now() + SignedDuration::from_secs(ahead.load(Ordering::SeqCst))
    });
    server::start(test_config(data, database, settings), clock)
        .await
        .unwrap()
}

pub(crate) fn test_config(
    data: &tempfile::TempDir,
    database: Option<String>,
    settings: ConfigSource,
) -> Config {
    let defaults = ConfigSource {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        data: Some(data.path().to_owned()),
        // The issuer of tokens, which stays the same after a restart on another port.
        public_url: Some("http://strongroom.test".to_owned()),
        database_url: database.map(Into::into),
        max_file_size: Some(ByteSize(64 << 20)),
        registration: RegistrationSection {
            mode: Some(RegistrationMode::Open),
            role: None,
        },
        hashing: HashingSection {
            memory_kib: Some(19 * 1024),
            passes: Some(2),
        },
        mail: Some(MailSection {
            folder: Some(data.path().join("mail")),
            ..MailSection::default()
        }),
        ..ConfigSource::default()
    };
    settings.or_else(defaults).resolve().unwrap()
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
    pub(crate) refresh: String,
    pub(crate) username: String,
}

impl Client {
    pub(crate) fn request_builder(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) fn get_request(&self, path: &str) -> RequestBuilder {
        self.request_builder(Method::GET, path)
    }

    pub(crate) fn post_request(&self, path: &str) -> RequestBuilder {
        self.request_builder(Method::POST, path)
    }

    pub(crate) fn put_request(&self, path: &str) -> RequestBuilder {
        self.request_builder(Method::PUT, path)
    }

    pub(crate) fn delete_request(&self, path: &str) -> RequestBuilder {
        self.request_builder(Method::DELETE, path)
    }

    #[must_use]
    pub(crate) async fn send(&self, request: RequestBuilder) -> TestResponse {
        TestResponse::read(request.send().await.unwrap()).await
    }

    /// `GET`, with the complete response.
    #[must_use]
    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        self.send(self.get_request(path)).await
    }

    /// `POST` with a JSON body, or without a body if it is null.
    #[must_use]
    pub(crate) async fn post(&self, path: &str, body: Value) -> TestResponse {
        let request = self.post_request(path);
        self.send(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
    }

    #[must_use]
    pub(crate) async fn add(&self, filename: &str, content: &[u8]) -> TestResponse {
        let form = multipart::Form::new().part(
            "file",
            multipart::Part::bytes(content.to_vec()).file_name("upload"),
        );
        self.send(
            self.put_request(&file_url(filename, "/content"))
                .multipart(form),
        )
        .await
    }

    #[must_use]
    pub(crate) async fn check_out(&self, filename: &str) -> TestResponse {
        self.post(&file_url(filename, "/checkout"), Value::Null)
            .await
    }

    #[must_use]
    pub(crate) async fn check_in(
        &self,
        filename: &str,
        content: &[u8],
        comment: &str,
    ) -> TestResponse {
        let form = multipart::Form::new()
            .text("comment", comment.to_owned())
            .part(
                "file",
                multipart::Part::bytes(content.to_vec()).file_name("upload"),
            );
        self.send(
            self.post_request(&file_url(filename, "/checkin"))
                .multipart(form),
        )
        .await
    }

    pub(crate) async fn content(&self, filename: &str) -> Vec<u8> {
        let answer = self
            .get_request(&file_url(filename, "/content"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }
}

/// The URL of a file in `main`, with the name percent-encoded as one segment.
pub(crate) fn file_url(filename: &str, rest: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(filename, percent_encoding::NON_ALPHANUMERIC);
    format!("/api/files/{name}{rest}")
}
