//! The account life cycle: registration, invitations, profile, self-service and administration.

pub mod administration;
pub mod invitation;
pub mod profile;
pub mod registration;
pub mod self_service;
pub(crate) mod setup_link;
