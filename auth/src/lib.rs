//! Who is calling and what they may do.
//!
//! Deliberately absent: files, SQL, HTTP statuses. The host application answers [`AuthStore`], declares its
//! [`Action`]s, and (with the feature `axum`) takes [`extract::Permitted`] as a handler's first argument.

mod access;
pub mod account;
pub mod actor;
pub mod administration;
mod asking;
pub mod audit;
pub mod auditing;
pub mod auth;
mod authorizing;
mod beginning;
pub mod breach;
pub mod client;
pub mod clock;
mod delegating;
mod device;
pub mod directory;
pub mod error;
#[cfg(feature = "axum")]
pub mod extract;
pub mod factor;
mod following;
pub mod grant;
pub mod group;
pub mod guessing;
mod hashing;
pub mod inviting;
pub mod key;
pub mod key_ring;
pub mod letter;
pub mod lockouts;
pub mod master;
pub mod method;
mod notes;
mod own_account;
pub mod password;
mod pepper;
pub mod permit;
mod personal;
pub mod place;
pub mod policy;
pub mod profile;
pub mod realm;
mod refreshing;
pub mod refusals;
mod registering;
pub mod reminding;
pub mod resetting;
pub mod seal;
pub mod second_step;
pub mod session;
pub mod signing_in;
mod signing_key;
pub mod step_up;
pub mod store;
mod tending_keys;
#[cfg(test)]
mod tests;
pub mod token;
pub mod upstream;
pub mod username;

pub use account::{Account, AccountChange, DisplayName, EmailAddress, SecurityEpoch, NewAccount, AccountStatus};
pub use actor::{Actor, ActorVia};
pub use auth::{RegistrationRequest, Auth, Registration, Settings};
pub use authorizing::{AuthorizationRequest, AuthorizationCode, AuthorizationCodeGrant};
pub use client::{BadClient, Client, Clients};
pub use clock::{SecureRandom, Clock};
pub use delegating::{Decision, OAuthError};
pub use device::{DeviceCodes, PendingDevice, UserCode};
pub use error::{AuthError, StoreUnavailable};
#[cfg(feature = "axum")]
pub use extract::{
    Anyone, EnrollmentSession, AllowRestricted, HasAuth, Interactive, AnySession, OptionalCaller, SameOriginForm, Permitted,
    RecentlyAuthenticated,
};
pub use factor::{Factor, FactorId, FactorKind, FactorKinds, OneTimeCode};
pub use grant::{Scope, Scopes};
pub use group::{Group, GroupName, RealmMember};
pub use inviting::{Delivery, NewInvitation, Invitation, CreatedInvitation, Inviter};
pub use key::MasterKey;
pub use letter::{OutgoingMail, MailBody, SecurityNotice};
pub use method::{AuthMethod, AuthMethods};
pub use password::{Password, PasswordHash};
pub use permit::{Action, RealmTarget, Permit};
pub use personal::{NewPersonalToken, PersonalTokenError, PersonalTokenRules};
pub use policy::Caller;
pub use realm::{Realm, RealmId, RealmName, Role};
pub use session::{Origin, Session, SessionId, SessionKind};
pub use signing_key::SigningAlgorithm;
pub use store::AuthStore;
pub use token::{Token, TokenHash, TokenKind};
pub use username::Username;
