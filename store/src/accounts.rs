//! Accounts. This module only names its parts, so that each imports no more than it needs.

mod change;
mod create;
mod credentials;
mod password;
mod rows;

pub(crate) use self::{
    change::{ChangeAccount, change},
    create::{CreateAccount, create, create_first},
    credentials::{credentials, hash_samples},
    password::{ReplacePassword, replace_password},
    rows::{COLUMNS, bump_all_epochs, bump_epoch, has_administrator, lock_row, read, username},
};
