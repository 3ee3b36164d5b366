//! The actions in a vault, and the least role for each.

use auth::{
    Action, Role, Scope,
    access::permit::{Administrator, GlobalTarget, RealmTarget, StepUp},
};

macro_rules! vault_actions {
    ($($(#[$doc:meta])* $name:ident = $wire:literal needs $role:ident grant $grant:ident $(step_up $step_up:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Action for $name {
            const NAME: &'static str = $wire;
            type Target = RealmTarget;
            const REQUIRED_ROLE: Role = Role::$role;
            const SCOPE: Scope = Scope::$grant;
            $(const STEP_UP: StepUp = StepUp::$step_up;)?
        }
    )*};
}

vault_actions! {
    /// Read files, history, content and events.
    Read = "file.read" needs Viewer grant ReadFiles;
    /// Add a new file.
    Add = "file.add" needs Editor grant WriteFiles;
    /// Take a file's exclusive lock.
    CheckOut = "file.check_out" needs Editor grant WriteFiles;
    /// Release one's own lock without a change.
    Cancel = "file.cancel" needs Editor grant WriteFiles;
    /// Add a revision to a file that the caller has checked out.
    CheckIn = "file.check_in" needs Editor grant WriteFiles;
    Describe = "file.describe" needs Editor grant WriteFiles;
    Move = "file.move" needs Editor grant WriteFiles;
    /// Make an old revision the newest, or undelete a file.
    Restore = "file.restore" needs Editor grant WriteFiles;
    /// Break another user's lock.
    Override = "lock.override" needs Manager grant OverrideLocks step_up BrowserOnly;
    Delete = "file.delete" needs Manager grant WriteFiles step_up BrowserOnly;
}

/// Create a vault.
#[derive(Debug)]
pub struct CreateVault;
impl Action for CreateVault {
    const NAME: &'static str = "vault.create";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}
