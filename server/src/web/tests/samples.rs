//! Views with hostile text where users can write any.

use auth::Role;
use wire::{File, FileStatus, Me, Revision, SessionInfo, User};

use super::{
    super::{
        Columns, FilePage, Folder, FolderPage, OverrideNotice, Row, Shell, VaultContext, Viewer,
    },
    HOSTILE_TEXT,
};

pub(super) fn shell() -> Shell {
    let ada = Viewer {
        username: "ada".into(),
        display_name: Some("Ada Byron".into()),
        is_admin: true,
        manages: true,
    };
    Shell {
        viewer: Some(ada),
        vault: Some("main".into()),
        vaults: vec!["fixtures".into(), "main".into()],
        proper_url: None,
        notices: vec![OverrideNotice {
            vault: "main".into(),
            event: 9,
            filename: HOSTILE_TEXT.into(),
            by: "grace".into(),
            reason: HOSTILE_TEXT.into(),
            at: "2026-11-22T16:22:15Z".parse().unwrap(),
        }],
    }
}

pub(super) fn vault_context(role: Role) -> VaultContext {
    VaultContext {
        vault: "main".into(),
        role,
        since: 41,
        max_file_size: 10 << 30,
    }
}

pub(super) fn file_row(name: &str, status: FileStatus) -> Row {
    let holder = match status {
        FileStatus::Unlocked => None,
        FileStatus::Locked => Some("grace".to_owned()),
        FileStatus::CheckedOutByUser => Some("ada".to_owned()),
    };
    Row(File {
        filename: name.into(),
        description: None,
        status,
        revision: 12,
        size: 1_572_864,
        sha256: "ab".repeat(32),
        modified_at: "2026-11-22T16:22:15Z".parse().unwrap(),
        modified_by: "grace".into(),
        locked_at: holder
            .is_some()
            .then(|| "2026-11-22T17:00:00Z".parse().unwrap()),
        locked_by: holder,
        locked_by_name: None,
        lock_note: None,
        change: 1042,
    })
}

pub(super) fn folder_page(role: Role, names: &[(&str, FileStatus)]) -> FolderPage {
    FolderPage {
        shell: shell(),
        at: vault_context(role),
        folder: String::new(),
        columns: Columns::default(),
        folders: vec![Folder {
            path: "fixtures".into(),
        }],
        files: names
            .iter()
            .map(|(name, status)| file_row(name, *status))
            .collect(),
        next: None,
    }
}

pub(super) fn revision(number: i64, kind: &str, size: Option<i64>) -> Revision {
    Revision {
        revision: number,
        change: number,
        comment: format!("Comment of {number} {HOSTILE_TEXT}"),
        user: "grace".into(),
        timestamp: "2026-11-22T16:22:15Z".parse().unwrap(),
        size,
        sha256: size.map(|_| "ab".repeat(32)),
        kind: kind.into(),
        moved_from: None,
        moved_to: None,
        overrides: Vec::new(),
    }
}

pub(super) fn file_page(row: Option<Row>) -> FilePage {
    FilePage {
        shell: shell(),
        at: vault_context(Role::Editor),
        filename: "fixtures/a b.step".into(),
        file: row,
        revisions: vec![
            revision(12, "checked_in", Some(5)),
            revision(1, "added", Some(4)),
        ],
        next: Some("?after=1".into()),
    }
}

pub(super) fn user(name: &str) -> User {
    User {
        username: name.into(),
        display_name: Some(HOSTILE_TEXT.into()),
        email: Some("x@example.org".into()),
        email_verified: false,
        is_admin: name == "ada",
        reset_required: false,
        disabled: false,
        created_at: "2026-11-22T16:22:15Z".parse().unwrap(),
        last_seen_at: None,
        last_sign_in_at: None,
        mfa: false,
        second_factors: Vec::new(),
        roles: [("main".to_owned(), "editor".to_owned())].into(),
        groups: vec![],
        effective_roles: [("main".to_owned(), "editor".to_owned())].into(),
    }
}

pub(super) fn session() -> SessionInfo {
    let at = "2026-11-22T16:22:15Z".parse().unwrap();
    SessionInfo {
        id: "s1".into(),
        kind: "web".into(),
        current: true,
        signed_in_at: at,
        last_seen_at: at,
        expires_at: at,
        address: "127.0.0.1".into(),
        user_agent: Some(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36".into(),
        ),
        methods: vec!["pwd".into(), "otp".into()],
        label: None,
        stays_signed_in: true,
    }
}

pub(super) fn me() -> Me {
    Me {
        username: "ada".into(),
        display_name: Some(HOSTILE_TEXT.to_owned()),
        email: None,
        email_verified: false,
        is_admin: true,
        scopes: vec![],
        mfa: false,
    }
}
