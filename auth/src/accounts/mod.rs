//! The account life cycle: registration, invitations, profile, self-service and administration.

pub mod administration;
pub mod invitation;
pub mod profile;
pub(crate) mod registration;
pub(crate) mod self_service;
