//! The rows of one vault in memory. [`decide`] makes the decisions, as in the SQL store.

use crate::{
    Command, Event, File, Filename, Outcome, Realm, Revision, VaultError,
    decide::decide,
    history::Author,
    store::{DerivedCommit, Effect, NewRevision, Operation},
};

#[derive(Debug)]
pub(crate) struct VaultRows {
    pub(super) realm: Realm,
    pub(crate) files: Vec<File>,
    pub(crate) revisions: Vec<Revision>,
    pub(super) events: Vec<Event>,
    pub(crate) commits: Vec<DerivedCommit>,
    pub(super) keys: Vec<(String, String, Outcome)>,
}

impl VaultRows {
    pub(super) fn live(&self, name: &Filename) -> Option<&File> {
        self.files
            .iter()
            .find(|file| !file.deleted && file.name.key() == name.key())
    }

    pub(super) fn deleted(&self, name: &Filename) -> Option<&File> {
        let gone = |file: &&File| file.deleted && file.name.key() == name.key();
        self.files
            .iter()
            .filter(gone)
            .max_by_key(|file| file.change)
    }

    pub(super) fn apply(&mut self, command: &Command) -> Result<Outcome, VaultError> {
        if let Some(replayed) = self.replayed(command)? {
            return Ok(replayed);
        }
        let mut file = self.live(&command.file);
        if matches!(command.operation, Operation::Restore { .. }) {
            file = file.or_else(|| self.deleted(&command.file));
        }
        let effect = decide(file, command)?;
        if let Some(other) = self
            .live(&effect.file.name)
            .filter(|other| other.id != effect.file.id)
        {
            return Err(VaultError::Exists {
                name: other.name.clone(),
            });
        }
        let outcome = self.record(effect, command);
        if let Some(key) = &command.key {
            self.keys
                .push((key.key.clone(), key.fingerprint.clone(), outcome.clone()));
        }
        Ok(outcome)
    }

    /// The outcome of an earlier command with the same idempotency key.
    fn replayed(&self, command: &Command) -> Result<Option<Outcome>, VaultError> {
        let Some(key) = &command.key else {
            return Ok(None);
        };
        match self.keys.iter().find(|(known, ..)| *known == key.key) {
            None => Ok(None),
            Some((_, fingerprint, _)) if *fingerprint != key.fingerprint => {
                Err(VaultError::KeyReused)
            }
            Some((_, _, outcome)) => Ok(Some(Outcome {
                replayed: true,
                overridden: None,
                ..outcome.clone()
            })),
        }
    }

    fn record(&mut self, mut effect: Effect, command: &Command) -> Outcome {
        let change = effect
            .revision
            .take()
            .map(|new| self.append_revision(&mut effect, new, command));
        let event = i64::try_from(self.events.len()).unwrap() + 1;
        self.events.push(Event {
            id: event,
            at: command.at,
            by: command.by.username.clone(),
            action: effect.action,
            file: effect.file.clone(),
            moved_from: effect.moved_from,
            reason: effect.reason,
        });
        self.files.retain(|file| file.id != effect.file.id);
        self.files.push(effect.file.clone());
        Outcome {
            file: effect.file,
            event,
            change,
            overridden: effect.overridden,
            replayed: false,
        }
    }

    fn append_revision(&mut self, effect: &mut Effect, new: NewRevision, command: &Command) -> i64 {
        effect.file.change = i64::try_from(self.revisions.len()).unwrap() + 1;
        self.revisions.push(Revision {
            file: effect.file.id.clone(),
            revision: effect.file.revision,
            change: effect.file.change,
            kind: new.kind,
            name: effect.file.name.clone(),
            moved_from: effect.moved_from.clone(),
            blob: (!effect.file.deleted).then(|| effect.file.blob.clone()),
            author: Author::of(&command.by),
            at: command.at,
            comment: new.comment,
        });
        effect.file.change
    }
}
