//! Replays a vault's changes, one commit each. The caller's [`ObjectSink`] decides whether objects
//! are written or only compared.

use gix::{
    ObjectId,
    bstr::BStr,
    objs::{Find, FindExt, Kind, Tree, WriteTo, tree::Editor, tree::EntryKind},
};

use super::{GitError, objects};
use crate::{Filename, Revision};

/// Takes an object and returns its id.
pub(crate) trait ObjectSink {
    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, GitError>;
}

/// The state of a replay. Unusable after an error: start again at the last [`tip`](Self::tip).
pub(crate) struct CommitReplay<'r> {
    tree: Editor<'r>,
    tip: Option<ObjectId>,
    /// The newest change in it.
    pub(crate) change: i64,
}

impl<'r> CommitReplay<'r> {
    pub(crate) fn empty(find: &'r dyn FindExt) -> Self {
        Self {
            tree: Editor::new(Tree::default(), find, gix::hash::Kind::Sha1),
            tip: None,
            change: 0,
        }
    }

    /// Continues after the commit `tip` of `change`.
    pub(crate) fn after(
        tip: ObjectId,
        change: i64,
        find: &'r (impl Find + 'r),
    ) -> Result<Self, GitError> {
        let mut buffer = Vec::new();
        let tree = find
            .find_commit(&tip, &mut buffer)
            .map_err(GitError::Damaged)?
            .tree();
        let root: Tree = find
            .find_tree(&tree, &mut buffer)
            .map_err(GitError::Damaged)?
            .into();
        Ok(Self {
            tree: Editor::new(root, find, tip.kind()),
            tip: Some(tip),
            change,
        })
    }

    pub(crate) fn tip(&self) -> Option<ObjectId> {
        self.tip
    }

    /// Appends the next change.
    pub(crate) fn append(
        &mut self,
        row: &Revision,
        objects: &mut impl ObjectSink,
    ) -> Result<ObjectId, GitError> {
        if self.tip.is_none() {
            let attributes = objects.put(Kind::Blob, objects::ATTRIBUTES.as_bytes())?;
            self.insert(&Filename::from_stored(objects::ATTRIBUTES_NAME), attributes)?;
        }
        if let Some(old) = &row.moved_from {
            self.remove(old)?;
        }
        match &row.blob {
            Some(blob) => {
                let pointer = objects.put(Kind::Blob, objects::pointer(blob).as_bytes())?;
                self.insert(&row.name, pointer)?;
            }
            None => self.remove(&row.name)?,
        }
        let tree = self.tree.write(|tree| {
            let mut bytes = Vec::new();
            tree.write_to(&mut bytes)
                .map_err(super::at(row.name.as_str()))?;
            objects.put(Kind::Tree, &bytes)
        })?;
        let commit = objects::commit(row, tree, self.tip).map_err(super::at(row.name.as_str()))?;
        let commit = objects.put(Kind::Commit, &commit)?;
        self.tip = Some(commit);
        self.change = row.change;
        Ok(commit)
    }

    fn insert(&mut self, name: &Filename, blob: ObjectId) -> Result<(), GitError> {
        self.tree
            .upsert(segments(name), EntryKind::Blob, blob)
            .map_err(GitError::Damaged)?;
        Ok(())
    }

    fn remove(&mut self, name: &Filename) -> Result<(), GitError> {
        self.tree
            .remove(segments(name))
            .map_err(GitError::Damaged)?;
        Ok(())
    }
}

fn segments(name: &Filename) -> impl Iterator<Item = &BStr> {
    name.as_str().split('/').map(BStr::new)
}
