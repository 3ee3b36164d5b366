//! The git objects of a revision's row, byte for byte. A change here changes every commit id.

use gix::{
    ObjectId,
    actor::Signature,
    objs::{Commit, WriteTo},
};

use crate::{Blob, Filename, Revision, RevisionKind, history::Author};

/// In the first commit of every vault. Clones keep content in git-lfs, and files read-only until
/// they are locked.
pub(crate) const ATTRIBUTES_NAME: &str = ".gitattributes";
pub(crate) const ATTRIBUTES: &str = "\
* filter=lfs diff=lfs merge=lfs -text lockable
/.gitattributes !filter !diff !merge text !lockable
";

/// The git-lfs pointer of a blob (git-lfs specification, version 1). Empty content is its own
/// pointer.
pub(crate) fn pointer(blob: &Blob) -> String {
    if blob.size == 0 {
        return String::new();
    }
    format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        blob.id, blob.size
    )
}

/// The bytes of the commit that records `row`.
pub(crate) fn commit(
    row: &Revision,
    tree: ObjectId,
    parent: Option<ObjectId>,
) -> std::io::Result<Vec<u8>> {
    let who = signature(row);
    let commit = Commit {
        tree,
        parents: parent.into_iter().collect(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: message(row).into(),
        extra_headers: Vec::new(),
    };
    let mut bytes = Vec::with_capacity(512);
    commit.write_to(&mut bytes)?;
    Ok(bytes)
}

fn signature(row: &Revision) -> Signature {
    let Author {
        username,
        name,
        email,
    } = &row.author;
    let or_username = |text: String| {
        if text.is_empty() {
            username.to_string()
        } else {
            text
        }
    };
    Signature {
        name: or_username(without_crud(name)).into(),
        email: or_username(without_crud(email)).into(),
        time: gix::date::Time {
            seconds: row.at.as_second().max(0),
            offset: 0,
        },
    }
}

/// Git's rules for names (`strbuf_addstr_without_crud` in ident.c): angle brackets and line breaks
/// are dropped, and punctuation and spaces at both ends. Other control characters are dropped too.
fn without_crud(raw: &str) -> String {
    let crud =
        |c: char| c <= ' ' || matches!(c, '.' | ',' | ':' | ';' | '<' | '>' | '"' | '\\' | '\'');
    let dropped = |c: &char| !(matches!(c, '<' | '>') || c.is_control());
    raw.trim_matches(crud).chars().filter(dropped).collect()
}

fn message(row: &Revision) -> String {
    let comment = row
        .comment
        .as_str()
        .trim()
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    if comment.is_empty() {
        trailers(row)
    } else {
        comment + "\n"
    }
}

/// A generated subject, for a change without a comment.
fn trailers(row: &Revision) -> String {
    let name = &row.name;
    let moved = |from: &Filename| format!("Move {from} to {name}\n");
    match row.kind {
        RevisionKind::Added => format!("Add {name}\n"),
        RevisionKind::CheckedIn => format!("Check in {name}\n"),
        RevisionKind::Moved => row
            .moved_from
            .as_ref()
            .map_or_else(|| format!("Move {name}\n"), moved),
        RevisionKind::Restored => format!("Restore {name}\n"),
        RevisionKind::Deleted => format!("Delete {name}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_names_are_cleaned_like_in_git() {
        assert_eq!(without_crud(" Ada <ada@x>\n"), "Ada ada@x");
        assert_eq!(without_crud("...\"Ada, B.\""), "Ada, B");
        assert_eq!(without_crud("<>"), "");
        assert_eq!(without_crud("Ада Лавлейс"), "Ада Лавлейс");
        assert_eq!(without_crud("a\u{85}b\0c"), "abc");
    }

    #[test]
    fn empty_content_has_an_empty_lfs_pointer() {
        let blob = |size| Blob {
            id: crate::BlobId::of_digest(&[1; 32]),
            size,
        };
        assert_eq!(pointer(&blob(0)), "");
        assert_eq!(
            pointer(&blob(12)),
            format!(
                "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n",
                "01".repeat(32)
            )
        );
    }
}
