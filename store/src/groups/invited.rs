//! Members who come with an invitation.

use auth::{GroupName, store::AcceptInvitation};

use super::{GroupOp, MemberOp, set_member};
use crate::{connection::Connection, error::DbError, value::params};

/// Adds the account of an accepted invitation. The group may be gone since.
pub(crate) async fn add_invited(
    db: &mut Connection,
    name: &GroupName,
    accepted: &AcceptInvitation,
) -> Result<(), DbError> {
    let hold = "SELECT 1 FROM account_groups WHERE name = $1 FOR UPDATE";
    if db.find(hold, params![name.as_str()]).await?.is_none() {
        return Ok(());
    }
    let doing = GroupOp {
        name: name.clone(),
        by: accepted.by.clone(),
        at: accepted.at,
    };
    set_member(db, &doing, &accepted.new.username, MemberOp::In).await
}
