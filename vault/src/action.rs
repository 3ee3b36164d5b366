//! What people do in a vault, and the least role that may do it.

use auth::{
    Action, Role,
    permit::{Administrator, Everywhere, InRealm},
};

macro_rules! in_a_vault {
    ($($(#[$doc:meta])* $name:ident = $wire:literal needs $role:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Action for $name {
            const NAME: &'static str = $wire;
            type Scope = InRealm;
            const NEEDS: Role = Role::$role;
        }
    )*};
}

in_a_vault! {
    /// See files, history, content and events.
    Read = "file.read" needs Viewer;
    /// Add a file that was not there.
    Add = "file.add" needs Editor;
    /// Take a file's exclusive lock.
    CheckOut = "file.check_out" needs Editor;
    /// Give one's own lock back, nothing changed.
    Cancel = "file.cancel" needs Editor;
    /// A new revision of a file one has checked out.
    CheckIn = "file.check_in" needs Editor;
    Describe = "file.describe" needs Editor;
    Move = "file.move" needs Editor;
    /// Make an old revision the newest, or bring a deleted file back.
    Restore = "file.restore" needs Editor;
    /// Break somebody's lock.
    Override = "lock.override" needs Manager;
    Delete = "file.delete" needs Manager;
}

/// Make a vault.
#[derive(Debug)]
pub struct CreateVault;
impl Action for CreateVault {
    const NAME: &'static str = "vault.create";
    type Scope = Everywhere;
    const NEEDS: Administrator = Administrator;
}
