//! Tests of rendered pages.

mod modules;

use auth::Role;
use wire::{File, FileStatus, Me, Revision, SessionInfo, User};

use super::{
    AccountPage, ErrorPage, FilePage, Folder, FolderPage, Page, Row, SetupPage, Shell, SignInPage,
    SignUpAvailability, SignUpPage, UsersPage, VaultContext, Viewer,
};

const HOSTILE_TEXT: &str = "<script>alert('x')</script>\"onload=\"y.step";

fn shell() -> Shell {
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
    }
}

fn vault_context(role: Role) -> VaultContext {
    VaultContext {
        vault: "main".into(),
        role,
        since: 41,
        max_file_size: 10 << 30,
    }
}

fn file_row(name: &str, status: FileStatus) -> Row {
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
        lock_note: None,
        change: 1042,
    })
}

fn folder_page(role: Role, names: &[(&str, FileStatus)]) -> FolderPage {
    FolderPage {
        shell: shell(),
        at: vault_context(role),
        folder: String::new(),
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

fn revision(number: i64, kind: &str, size: Option<i64>) -> Revision {
    Revision {
        revision: number,
        change: number,
        comment: format!("Comment of {number} {HOSTILE_TEXT}"),
        user: "grace".into(),
        timestamp: "2026-11-22T16:22:15Z".parse().unwrap(),
        size,
        sha256: size.map(|_| "ab".repeat(32)),
        kind: kind.into(),
    }
}

fn file_page(row: Option<Row>) -> FilePage {
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

fn user(name: &str) -> User {
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

fn session() -> SessionInfo {
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
    }
}

fn me() -> Me {
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

fn signed_out_pages() -> Vec<(&'static str, String)> {
    let text = || HOSTILE_TEXT.to_owned();
    let sign_in = SignInPage {
        providers: Vec::new(),
        shell: Shell::default(),
        username: text(),
        next: "/".into(),
        message: Some(text()),
        registration: SignUpAvailability::Open,
        passkey_origin: Some(text()),
    };
    let sign_up = SignUpPage {
        shell: Shell::default(),
        username: text(),
        display_name: text(),
        email: text(),
        message: Some(text()),
        registration: SignUpAvailability::Open,
        min_length: 15,
    };
    let first = SetupPage {
        shell: Shell::default(),
        token: text(),
        username: text(),
        display_name: text(),
        message: Some(text()),
        is_open: true,
        min_length: 15,
    };
    vec![
        ("sign-in", sign_in.html().unwrap()),
        ("sign-up", sign_up.html().unwrap()),
        ("first", first.html().unwrap()),
    ]
}

fn all_pages() -> Vec<(&'static str, String)> {
    let hostile = [
        (HOSTILE_TEXT, FileStatus::Unlocked),
        ("mine.step", FileStatus::CheckedOutByUser),
    ];
    let text = || HOSTILE_TEXT.to_owned();
    let users = UsersPage {
        filter: None,
        shell: shell(),
        query: text(),
        users: vec![user("ada")],
        vaults: vec!["main".into()],
        next: None,
        registration: SignUpAvailability::Open,
    };
    let error = ErrorPage {
        shell: shell(),
        status: 404,
        detail: text(),
        request_id: "0192".into(),
    };
    let mut pages = signed_out_pages();
    pages.extend([
        (
            "folder",
            folder_page(Role::Manager, &hostile).html().unwrap(),
        ),
        (
            "file",
            file_page(Some(file_row(HOSTILE_TEXT, FileStatus::Locked)))
                .html()
                .unwrap(),
        ),
        (
            "account",
            AccountPage {
                shell: shell(),
                me: me(),
                sessions: vec![session()],
                min_length: 15,
                sends_mail: true,
            }
            .html()
            .unwrap(),
        ),
        ("users", users.html().unwrap()),
        ("error", error.html().unwrap()),
    ]);
    pages
}

#[test]
fn pages_contain_no_inline_script_style_or_handler() {
    for (name, html) in all_pages() {
        assert!(!html.contains("<script>"), "{name} has an inline script");
        assert!(
            !html.contains("<style") && !html.contains(" style="),
            "{name} has inline style"
        );
        assert!(
            !html.contains("\"onload=\"") && !html.contains(" onclick"),
            "{name} has a handler"
        );
        assert!(
            html.contains("lang=\"en\"") && html.contains("id=\"main\""),
            "{name} is no whole page"
        );
    }
}

#[test]
fn page_offers_only_actions_the_role_allows() {
    let names = [("a.step", FileStatus::Unlocked)];
    let offers = |role: Role| -> Vec<&str> {
        let html = folder_page(role, &names).html().unwrap();
        [
            "download",
            "history",
            "check-out",
            "add",
            "describe",
            "move",
            "override",
            "delete",
        ]
        .into_iter()
        .filter(|action| html.contains(&format!("data-action=\"{action}\"")))
        .collect()
    };
    assert_eq!(offers(Role::Viewer), ["download", "history"]);
    assert_eq!(
        offers(Role::Editor),
        [
            "download",
            "history",
            "check-out",
            "add",
            "describe",
            "move"
        ]
    );
    assert_eq!(offers(Role::Manager).len(), 8);
}

#[test]
fn filename_in_page_links_is_url_encoded() {
    let html = folder_page(Role::Editor, &[("a b/50% #1?.step", FileStatus::Unlocked)])
        .html()
        .unwrap();
    assert!(html.contains("href=\"/v/main/h/a%20b/50%25%20%231%3F.step\""));
    assert!(html.contains("href=\"/api/vaults/main/files/a%20b%2F50%25%20%231%3F.step/content\""));
}

#[test]
fn deleted_file_page_offers_restore_only() {
    let html = file_page(None).html().unwrap();
    assert!(html.contains("data-status=\"deleted\"") && html.contains("This file was deleted"));
    assert!(
        html.contains("data-action=\"restore\"") && !html.contains("data-action=\"check-out\"")
    );
}

#[test]
fn failed_sign_in_page_keeps_username_not_password() {
    let page = SignInPage {
        providers: Vec::new(),
        shell: Shell::default(),
        username: "ada".into(),
        next: "/v/main".into(),
        message: Some("Incorrect username or password".into()),
        registration: SignUpAvailability::Closed,
        passkey_origin: None,
    };
    let html = page.html().unwrap();
    // Assets are named by their digest, which is no part of the promise.
    let build = super::assets::asset_url("");
    insta::assert_snapshot!(
        html.replace(&build, "/assets/BUILD/")
            .split_once("<main")
            .unwrap()
            .1
    );
}

#[test]
fn assets_named_by_pages_and_modules_exist() {
    let served = |path: &str| super::assets::serve("any", path, &http::HeaderMap::new());
    let missing = |path: &str| served(path).status() != http::StatusCode::OK;
    for (page, html) in all_pages() {
        for path in html
            .split("/assets/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let (_, path) = path.split_once('/').unwrap();
            assert!(!missing(path), "{page} names {path}");
        }
        for id in html
            .split("href=\"#i-")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                html.contains(&format!("id=\"i-{id}\"")),
                "{page} uses the icon {id}"
            );
        }
    }
}

#[test]
fn page_forms_post_except_search() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let parts = std::fs::read_dir(folder.join("part")).unwrap();
    let mut forms = 0;
    for file in std::fs::read_dir(&folder)
        .unwrap()
        .chain(parts)
        .map(|file| file.unwrap().path())
    {
        let Ok(template) = std::fs::read_to_string(&file) else {
            continue;
        };
        for form in template
            .split("<form")
            .skip(1)
            .map(|rest| rest.split_once('>').unwrap().0)
        {
            forms += 1;
            // Where a script fails, the browser sends a form by itself: a search by its address,
            // all else in a body.
            let fine = if form.contains("role=\"search\"") {
                "method=\"get\""
            } else {
                "method=\"post\""
            };
            assert!(form.contains(fine), "{}: <form{form}>", file.display());
        }
    }
    assert!(forms > 20);
}

#[test]
fn signed_in_pages_contain_a_noscript_notice() {
    let pages = all_pages();
    assert!(pages.iter().any(|(_, html)| html.contains("user-menu")));
    for (name, html) in pages {
        assert!(
            !html.contains("user-menu") || html.contains("<noscript>"),
            "{name}"
        );
    }
}
