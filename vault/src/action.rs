//! What people do in a vault, and the least role that may do it.

use auth::{
    Action, Scope, Role,
    permit::{Administrator, GlobalTarget, RealmTarget, StepUp},
};

macro_rules! in_a_vault {
    ($($(#[$doc:meta])* $name:ident = $wire:literal needs $role:ident grant $grant:ident $(step_up $step_up:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Action for $name {
            const NAME: &'static str = $wire;
            type Scope = InRealm;
            const NEEDS: Role = Role::$role;
            const GRANT: Grant = Grant::$grant;
            $(const STEP_UP: StepUp = StepUp::$step_up;)?
        }
    )*};
}

in_a_vault! {
    /// See files, history, content and events.
    Read = "file.read" needs Viewer grant ReadFiles;
    /// Add a file that was not there.
    Add = "file.add" needs Editor grant WriteFiles;
    /// Take a file's exclusive lock.
    CheckOut = "file.check_out" needs Editor grant WriteFiles;
    /// Give one's own lock back, nothing changed.
    Cancel = "file.cancel" needs Editor grant WriteFiles;
    /// A new revision of a file one has checked out.
    CheckIn = "file.check_in" needs Editor grant WriteFiles;
    Describe = "file.describe" needs Editor grant WriteFiles;
    Move = "file.move" needs Editor grant WriteFiles;
    /// Make an old revision the newest, or bring a deleted file back.
    Restore = "file.restore" needs Editor grant WriteFiles;
    /// Break somebody's lock.
    Override = "lock.override" needs Manager grant OverrideLocks step_up BrowserOnly;
    Delete = "file.delete" needs Manager grant WriteFiles step_up BrowserOnly;
}

/// Make a vault.
#[derive(Debug)]
pub struct CreateVault;
impl Action for CreateVault {
    const NAME: &'static str = "vault.create";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
}
