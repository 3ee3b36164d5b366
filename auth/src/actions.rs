//! The actions of this crate: what administrators and vault managers may do. Hosts declare their own beside them.

use crate::{
    Action, Role, Scope,
    access::permit::{Administrator, GlobalTarget, Initiator, RealmTarget, StepUp},
};

/// Administrators change and delete accounts.
#[derive(Debug)]
pub struct ManageAccounts;

impl Action for ManageAccounts {
    const NAME: &'static str = "accounts.manage";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}

/// Administrators give access to an account: by a reset link, or by removing its second factors.
/// Requires an interactive session, so that a stolen token cannot take over an account.
#[derive(Debug)]
pub struct OpenAccountAccess;

impl Action for OpenAccountAccess {
    const NAME: &'static str = "accounts.let_in";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
    const INITIATOR: Initiator = Initiator::User;
}

/// Administrators list accounts.
#[derive(Debug)]
pub struct ReadAccounts;

impl Action for ReadAccounts {
    const NAME: &'static str = "accounts.see";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
}

/// Managers of a vault, and administrators, change its members' roles.
#[derive(Debug)]
pub struct ManageMembers;

impl Action for ManageMembers {
    const NAME: &'static str = "members.manage";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}

/// Managers of a vault, and administrators, list its members.
#[derive(Debug)]
pub struct ReadMembers;

impl Action for ReadMembers {
    const NAME: &'static str = "members.see";
    type Target = RealmTarget;
    const REQUIRED_ROLE: Role = Role::Manager;
    const SCOPE: Scope = Scope::Administer;
}
