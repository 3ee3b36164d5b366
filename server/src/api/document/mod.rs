//! The API document: title and schemas here, what operations share in `shared.json`.

mod finish;

pub use finish::finish;
use utoipa::OpenApi;

#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Strongroom",
        description = "The check-out server for files that cannot be merged. Authorize with username and password \
                       to try every operation here.",
        license(name = "AGPL-3.0-or-later", identifier = "AGPL-3.0-or-later"),
    ),
    servers((url = "/")),
    components(schemas(
        wire::AuditActor, wire::AuditEntry, wire::AuditOrigin,
        wire::ChangePassword, wire::UpdateUser, wire::CheckIn, wire::CheckOut, wire::Describe, wire::EndedSessions,
        wire::FieldError, wire::File, wire::FileStatus, wire::IntrospectionResponse, wire::Me, wire::MemberInfo, wire::Move,
        wire::NewContent, wire::NewVault, wire::EndAllSessions, wire::TokenReference, wire::Override, wire::ProblemBody, wire::Register,
        wire::Registered, wire::Restore, wire::Revision, wire::Change, wire::SessionInfo, wire::SetRole, wire::Ticket,
        wire::TokenError, wire::TokenRequest, wire::TokenResponse, wire::User, wire::VaultInfo, wire::AuthorizationServer,
        wire::FileUpdated, wire::FileDeleted, wire::DeletedFile, wire::InviteInfo, wire::CreatedInvite,
        wire::NewInvite, wire::PreviewInvite, wire::GroupInfo, wire::NewGroup, wire::GroupRole,
        wire::Role, wire::EventAction, wire::RevisionKind, wire::SessionKind, wire::ActorKind, wire::FactorKind,
        wire::CredentialKind, wire::UserFilter,
        wire::UpdateMe, wire::UpdatedMe, wire::EmailLink, wire::EndAllSessions,
        wire::RegisteredPasskey, wire::RequestReset, wire::Authorize, wire::AuthorizeRedirect, wire::ConfirmReset,
        wire::ConfirmTotp, wire::DeviceDecision, wire::DeviceAuthorization, wire::DeviceForm, wire::FactorAdded,
        wire::FactorInfo, wire::Identities, wire::IdentityInfo, wire::LinkStarted, wire::Lockout,
        wire::UserCodeLookup, wire::CreatedPersonalToken, wire::NewPasskey, wire::NewPersonalToken, wire::NewTotp,
        wire::PasskeyInfo, wire::PasskeyOptions, wire::PersonalToken, wire::ProviderInfo, wire::ResetFactors,
        wire::RecoveryCodes, wire::RenameFactor, wire::RenamePasskey, wire::ResetLink, wire::PasskeyAssertion,
        wire::StepUp, wire::StepUpOptions, wire::StepUpResponse, wire::ConsentDecision, wire::PendingDevice, wire::FactorOverview,
    )),
)]
struct Base;

/// The document without operations.
#[must_use]
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}
