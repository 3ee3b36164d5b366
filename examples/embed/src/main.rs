//! A garden with Strongroom's accounts: users register, sign in, see who they are, and water it if
//! their role allows. `store.rs` stores the accounts. `host.rs` connects `auth` with this service
//! and answers its errors.

mod host;
mod store;

use auth::{
    Action, Anyone, Auth, Caller, Clock, MasterKey, Origin, Password, Permitted, RealmTarget,
    RegistrationRequest, Role, Scope, SecureRandom, Settings, Username,
};
use axum::{Form, Router, extract::State, routing};
use host::{Garden, HandlerResult};
use secrecy::ExposeSecret as _;

/// The action of this service. It needs the role that may change the garden.
#[derive(Debug)]
struct Water;
impl Action for Water {
    const NAME: &'static str = "garden.water";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Editor;
    const SCOPE: Scope = Scope::WriteFiles;
}

#[derive(serde::Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn register(
    _: Anyone,
    State(Garden(auth)): State<Garden>,
    origin: Origin,
    form: Form<Credentials>,
) -> HandlerResult<()> {
    auth.accounts()
        .register(
            RegistrationRequest::new(
                Username::parse(&form.username)?,
                Password::new(form.0.password),
            ),
            &origin,
        )
        .await?;
    Ok(())
}
async fn token(
    _: Anyone,
    State(Garden(auth)): State<Garden>,
    origin: Origin,
    form: Form<Credentials>,
) -> HandlerResult<String> {
    let tokens = auth
        .oauth()
        .token(&form.username, Password::new(form.password.clone()), origin)
        .await?;
    Ok(tokens.access_token.expose_secret().to_owned())
}
async fn me(caller: Caller) -> String {
    format!("You are {}.", caller.account().username)
}
async fn water(Permitted(permit): Permitted<Water>) -> String {
    format!("{} waters {}.", permit.username(), permit.realm().name)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the doors of Strongroom's own server are not wanted here"
)]
async fn service(key: MasterKey) -> anyhow::Result<Router> {
    let settings = Settings::new("http://localhost:3000".into(), "garden".into())
        .with_open_registration(Role::Editor);
    let auth = Auth::open(
        store::MemoryStore::default(),
        settings,
        key,
        Clock::system(),
        SecureRandom::system(),
    )
    .await?;
    let open = Router::new()
        .route("/register", routing::post(register))
        .route("/token", routing::post(token));
    Ok(open
        .route("/me", routing::get(me))
        .route("/water", routing::post(water))
        .with_state(Garden(auth)))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let service = service(MasterKey::load_or_create(
        "garden.key".as_ref(),
        &SecureRandom::system(),
    )?)
    .await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let service = service.into_make_service_with_connect_info::<std::net::SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
