//! The JSON shapes, defined once, for server, program and tests (`docs/api.md`). Deliberately
//! absent: rules. A shape is parsed only as far as JSON of the right types.

pub mod account;
pub mod audit;
pub mod device;
pub mod event;
pub mod factor;
pub mod file;
pub mod group;
pub mod identity;
pub mod invite;
pub mod passkey;
pub mod password_reset;
pub mod personal_token;
pub mod problem;
pub mod profile;
mod redacted;
pub mod throttle;
pub mod token;
pub mod words;

pub use account::*;
pub use audit::*;
pub use device::*;
pub use event::*;
pub use factor::*;
pub use file::*;
pub use group::*;
pub use identity::*;
pub use invite::*;
pub use passkey::*;
pub use password_reset::*;
pub use personal_token::*;
pub use problem::*;
pub use profile::*;
pub use throttle::*;
pub use token::*;
pub use words::*;
