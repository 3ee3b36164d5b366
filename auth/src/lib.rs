//! Authentication and authorization.
//!
//! Deliberately absent: files, SQL, HTTP statuses. The host application implements [`AuthStore`]
//! and declares its [`Action`]s. With the feature `axum` it takes [`access::extract::Permitted`] as
//! a handler's first argument.

pub mod access;
pub mod accounts;
pub mod actions;
pub mod audit;
mod background;
pub mod clock;
mod detached;
pub mod error;
pub mod factor;
mod handles;
pub mod keys;
pub mod mail;
pub mod model;
pub mod oauth;
pub mod password;
pub mod service;
pub mod session;
pub mod settings;
pub mod store;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod upstream;

pub use crate::{
    accounts::registration::RegistrationRequest,
    settings::{Registration, Settings},
};
#[cfg(feature = "axum")]
pub use access::extract::{
    AllowRestricted, AnySession, Anyone, EnrollmentSession, HasAuth, Interactive, OptionalCaller,
    Permitted, RecentlyAuthenticated, SameOriginForm,
};
pub use access::permit::{Action, Permit, RealmTarget};
pub use access::policy::Caller;
pub use accounts::invitation::{CreatedInvitation, Delivery, Invitation, Inviter, NewInvitation};
pub use clock::{Clock, SecureRandom};
pub use error::{AuthError, StoreUnavailable};
pub use factor::{Factor, FactorId, FactorKind, FactorKinds, OneTimeCode};
pub use handles::{
    Accounts, Admin, Background, Factors, Invitations, Keys, Mail, OAuth, Passkeys, Passwords,
    PersonalTokens, Sessions, Upstream,
};
pub use keys::master::MasterKey;
pub use keys::signing::SigningAlgorithm;
pub use mail::{HostNotice, MailBody, OutgoingMail, SecurityNotice};
pub use model::account::{
    Account, AccountChange, AccountStatus, DisplayName, EmailAddress, NewAccount, SecurityEpoch,
};
pub use model::actor::{Actor, ActorVia};
pub use model::auth_method::{AuthMethod, AuthMethods};
pub use model::group::{Group, GroupName, RealmMember};
pub use model::realm::{Realm, RealmId, RealmName, Role};
pub use model::scope::{Scope, Scopes};
pub use model::token::{Token, TokenHash, TokenKind};
pub use model::username::Username;
pub use oauth::authorization_code::{
    AuthorizationCode, AuthorizationCodeGrant, AuthorizationRequest,
};
pub use oauth::client::{BadClient, Client, Clients};
pub use oauth::consent::{Decision, OAuthError};
pub use oauth::device::{DeviceCodes, PendingDevice, UserCode};
pub use oauth::personal_token::{NewPersonalToken, PersonalTokenError, PersonalTokenRules};
pub use password::{Password, PasswordHash};
pub use service::Auth;
pub use session::create::SignedIn;
pub use session::model::{Origin, Session, SessionId, SessionKind};
pub use store::AuthStore;
