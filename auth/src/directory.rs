//! Sessions and rights in memory, so that no request asks the database who is calling.

use std::collections::HashMap;

use crate::{Account, RealmId, Role};

/// What an account may do, as of the last account event.
#[derive(Clone, Debug)]
pub struct Rights {
    pub account: Account,
    pub roles: HashMap<RealmId, Role>,
}
