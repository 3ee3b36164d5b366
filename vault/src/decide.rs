//! The rules of files, as pure functions: no clock, no database, no randomness. Permits have
//! settled the permissions before.

#[cfg(test)]
mod tests;

use auth::{Actor, Username};

use crate::{
    Blob, BlobId, Command, Effect, EventAction, File, FileId, Filename, Lock, Operation,
    RevisionKind, UserText, VaultError,
    store::{AfterCheckIn, AfterOverride, NewRevision, UnchangedContent},
};

/// The effect of `command` on `file`. `file` is the row of that name, or the deleted one that a
/// restore refers to, or `None`.
///
/// # Errors
/// The rule that forbids it, with the conflicting user or file.
pub fn decide(file: Option<&File>, command: &Command) -> Result<Effect, VaultError> {
    if let Operation::Add { id, blob, comment } = &command.operation {
        return match file {
            Some(file) if !file.deleted => Err(VaultError::Exists {
                name: file.name.clone(),
            }),
            _ => Ok(add(command, id, blob, comment)),
        };
    }
    let case = Transition {
        file: file.ok_or(VaultError::NotFound)?,
        command,
    };
    if let Operation::Restore {
        file,
        revision,
        blob,
    } = &command.operation
    {
        return case.restore(file, *revision, blob);
    }
    if case.file.deleted {
        return Err(VaultError::NotFound);
    }
    match &command.operation {
        Operation::CheckOut { note } => case.check_out(note.as_ref()),
        Operation::Cancel => case.cancel(),
        Operation::CheckIn {
            blob,
            comment,
            then,
            base,
            unchanged,
        } => case
            .require_base(base.as_ref())
            .and_then(|()| case.require_change(blob, *unchanged))
            .and_then(|()| case.check_in(blob, comment, *then)),
        Operation::Override { reason, then } => case.override_lock(reason, *then),
        Operation::Describe { description } => case.describe(description.as_ref()),
        Operation::Move { to } => case.move_to(to),
        Operation::Delete { comment } => case.delete(comment),
        Operation::Add { .. } | Operation::Restore { .. } => Err(VaultError::NotFound),
    }
}

fn add(command: &Command, id: &FileId, blob: &Blob, comment: &UserText) -> Effect {
    let file = File {
        id: id.clone(),
        name: command.file.clone(),
        description: None,
        revision: 1,
        change: 0,
        blob: blob.clone(),
        modified_at: command.at,
        modified_by: command.by.username.clone(),
        lock: None,
        lock_seq: 0,
        deleted: false,
    };
    let revision = NewRevision {
        kind: RevisionKind::Added,
        comment: comment.clone(),
    };
    Effect {
        file,
        revision: Some(revision),
        action: EventAction::Add,
        moved_from: None,
        reason: None,
        overridden: None,
    }
}

/// An existing file and the command on it.
#[derive(Clone, Copy)]
struct Transition<'a> {
    file: &'a File,
    command: &'a Command,
}

impl Transition<'_> {
    fn caller(&self) -> &Username {
        &self.command.by.username
    }

    /// The holder of the lock, if it is not the caller.
    fn other_holder(&self) -> Option<Username> {
        self.file
            .holder()
            .filter(|holder| *holder != self.caller())
            .cloned()
    }

    fn require_unlocked_by_others(&self) -> Result<(), VaultError> {
        self.other_holder()
            .map_or(Ok(()), |holder| Err(VaultError::LockedByOther { holder }))
    }

    fn require_own_lock(&self) -> Result<(), VaultError> {
        self.other_holder()
            .map_or(Ok(()), |holder| Err(VaultError::NotLockHolder { holder }))
    }

    fn draft(&self, action: EventAction) -> Draft<'_> {
        Draft {
            effect: Effect {
                file: self.file.clone(),
                revision: None,
                action,
                moved_from: None,
                reason: None,
                overridden: None,
            },
            by: &self.command.by,
            at: self.command.at,
        }
    }

    fn check_out(&self, note: Option<&UserText>) -> Result<Effect, VaultError> {
        // The caller's own lock refuses too: a second window must not share it unknowingly.
        if let Some(holder) = self.file.holder() {
            return Err(VaultError::Locked {
                holder: holder.clone(),
            });
        }
        Ok(self
            .draft(EventAction::CheckOut)
            .locked_by_caller(note.cloned())
            .finish())
    }

    fn cancel(&self) -> Result<Effect, VaultError> {
        if self.file.lock.is_none() {
            return Err(VaultError::NotLocked);
        }
        self.require_own_lock()?;
        Ok(self.draft(EventAction::Cancel).unlocked().finish())
    }

    fn lock_to_check_in(&self) -> Result<&Lock, VaultError> {
        let lock = self.file.lock.as_ref().ok_or(VaultError::NotCheckedOut)?;
        self.require_own_lock()?;
        Ok(lock)
    }

    fn require_base(&self, base: Option<&BlobId>) -> Result<(), VaultError> {
        self.lock_to_check_in()?;
        if base.is_some_and(|base| *base != self.file.blob.id) {
            return Err(VaultError::StaleBase);
        }
        Ok(())
    }

    fn require_change(&self, blob: &Blob, unchanged: UnchangedContent) -> Result<(), VaultError> {
        if unchanged == UnchangedContent::Refuse && blob.id == self.file.blob.id {
            return Err(VaultError::Unchanged {
                revision: self.file.revision,
            });
        }
        Ok(())
    }

    fn check_in(
        &self,
        blob: &Blob,
        comment: &UserText,
        then: AfterCheckIn,
    ) -> Result<Effect, VaultError> {
        let lock = self.lock_to_check_in()?;
        let draft = self
            .draft(EventAction::CheckIn)
            .with_revision(RevisionKind::CheckedIn, comment);
        let draft = match then {
            AfterCheckIn::Release => draft.unlocked(),
            AfterCheckIn::KeepCheckedOut => draft.locked_by_caller(lock.note.clone()),
        };
        Ok(draft.with_content(blob))
    }

    fn override_lock(&self, reason: &UserText, then: AfterOverride) -> Result<Effect, VaultError> {
        if self.file.lock.is_none() {
            return Err(VaultError::NothingToOverride);
        }
        let draft = self.draft(EventAction::Override);
        let mut effect = match then {
            AfterOverride::Release => draft.unlocked(),
            AfterOverride::Take => draft.locked_by_caller(None),
        }
        .finish();
        effect.reason = Some(reason.clone());
        effect.overridden = self.other_holder();
        Ok(effect)
    }

    fn describe(&self, description: Option<&UserText>) -> Result<Effect, VaultError> {
        self.require_unlocked_by_others()?;
        let mut effect = self.draft(EventAction::Describe).finish();
        effect.file.description = description.cloned();
        Ok(effect)
    }

    fn move_to(&self, to: &Filename) -> Result<Effect, VaultError> {
        self.require_unlocked_by_others()?;
        // Another spelling of the same name is a move; the unique index settles conflicts with
        // other files.
        if *to == self.file.name {
            return Err(VaultError::Exists { name: to.clone() });
        }
        let mut effect = self
            .draft(EventAction::Move)
            .with_revision(RevisionKind::Moved, &UserText::empty())
            .finish();
        effect.moved_from = Some(std::mem::replace(&mut effect.file.name, to.clone()));
        Ok(effect)
    }

    fn restore(&self, file: &FileId, revision: i64, blob: &Blob) -> Result<Effect, VaultError> {
        if *file != self.file.id {
            return Err(VaultError::NotFound);
        }
        self.require_unlocked_by_others()?;
        let comment = UserText::from_stored(format!("Restored revision {revision}"));
        let draft = self
            .draft(EventAction::Restore)
            .with_revision(RevisionKind::Restored, &comment);
        let mut effect = draft.with_content(blob);
        effect.file.deleted = false;
        Ok(effect)
    }

    fn delete(&self, comment: &UserText) -> Result<Effect, VaultError> {
        self.require_unlocked_by_others()?;
        let draft = self
            .draft(EventAction::Delete)
            .unlocked()
            .with_revision(RevisionKind::Deleted, comment);
        let mut effect = draft.finish();
        effect.file.deleted = true;
        Ok(effect)
    }
}

/// An effect under construction, which starts from the unchanged file.
struct Draft<'a> {
    effect: Effect,
    by: &'a Actor,
    at: jiff::Timestamp,
}

impl Draft<'_> {
    fn unlocked(mut self) -> Self {
        self.effect.file.lock = None;
        self
    }

    /// A new lock for the caller. Its id is unused, so requests under an older lock are refused.
    fn locked_by_caller(mut self, note: Option<UserText>) -> Self {
        let file = &mut self.effect.file;
        file.lock_seq += 1;
        file.lock = Some(Lock {
            id: file.lock_seq,
            holder: self.by.username.clone(),
            holder_name: self.by.display_name.clone(),
            at: self.at,
            note,
        });
        self
    }

    fn with_revision(mut self, kind: RevisionKind, comment: &UserText) -> Self {
        self.effect.file.revision += 1;
        self.effect.file.modified_at = self.at;
        self.effect.file.modified_by = self.by.username.clone();
        self.effect.revision = Some(NewRevision {
            kind,
            comment: comment.clone(),
        });
        self
    }

    fn with_content(mut self, blob: &Blob) -> Effect {
        self.effect.file.blob = blob.clone();
        self.effect
    }

    fn finish(self) -> Effect {
        self.effect
    }
}
