//! The commits that changes become, derived from the rows alone. TO BE WRITTEN.

pub mod derive;
pub mod objects;
