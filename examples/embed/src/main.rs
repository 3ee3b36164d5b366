//! Strongroom's accounts in a service of one's own: register, sign in, and a route that wants a right. The store is in
//! `store.rs`, in memory; what it does without (second factors, groups, invitations, …) it does not mention.

mod host;
mod store;

use auth::{
    Action, Anyone, Auth, Chance, Clock, Password, Permitted, Role, Settings, Username,
    auth::{Applicant, Registration},
    key::MasterKey,
    permit::InRealm,
};
use axum::{Form, Json, Router, extract::State, routing::post};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{
    host::{Garden, Problem},
    store::Memory,
};

/// The right this service knows: to water the garden, for everybody who may change something there.
#[derive(Debug)]
struct Water;
impl Action for Water {
    const NAME: &'static str = "garden.water";
    type Scope = InRealm;
    const NEEDS: Role = Role::Editor;
    const GRANT: auth::Grant = auth::Grant::WriteFiles;
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn register(_: Anyone, State(Garden(auth)): State<Garden>, Form(form): Form<Credentials>) -> Result<(), Problem> {
    let username = Username::parse(&form.username).map_err(|_| Problem::Nonsense)?;
    let password = Password::new(form.password);
    let applicant = Applicant { username, display_name: None, email: None, password };
    auth.register(applicant, &host::nowhere()).await?;
    Ok(())
}

async fn token(
    _: Anyone,
    State(Garden(auth)): State<Garden>,
    Form(form): Form<Credentials>,
) -> Result<String, Problem> {
    let tokens = auth.token(&form.username, Password::new(form.password), host::nowhere()).await?;
    Ok(tokens.access.expose_secret().to_owned())
}

async fn water(Permitted(permit): Permitted<Water>) -> Json<String> {
    Json(format!("{} waters {}", permit.username(), permit.realm().name))
}

#[expect(clippy::disallowed_methods, reason = "this service does not use the doors of Strongroom's server")]
async fn service(key: MasterKey) -> anyhow::Result<Router> {
    let settings = Settings::new("http://localhost:3000".to_owned(), "garden".to_owned());
    let settings = Settings { registration: Registration::Open, first_role: Some(Role::Editor), ..settings };
    let auth = Auth::open(Memory::default(), settings, key, Clock::system(), Chance::system()).await?;
    let router = Router::new().route("/register", post(register)).route("/token", post(token));
    Ok(router.route("/water", post(water)).with_state(Garden(auth)))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let key = MasterKey::load_or_make("garden.key".as_ref(), &Chance::system())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, service(key).await?).await?)
}

#[cfg(test)]
mod tests;
