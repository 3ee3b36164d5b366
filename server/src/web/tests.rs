//! Tests of rendered pages.

mod modules;
mod samples;

use auth::Role;
use wire::FileStatus;

use super::{
    AccountPage, ErrorPage, Page, SetupPage, Shell, SignInPage, SignUpAvailability, SignUpPage,
    UsersPage,
};

use samples::{file_page, file_row, folder_page, me, session, shell, user};

const HOSTILE_TEXT: &str = "<script>alert('x')</script>\"onload=\"y.step";

fn signed_out_pages() -> Vec<(&'static str, String)> {
    let text = || HOSTILE_TEXT.to_owned();
    let sign_in = SignInPage {
        providers: Vec::new(),
        shell: Shell::default(),
        username: text(),
        next: "/".into(),
        message: Some(text()),
        was_signed_out: true,
        stays: true,
        registration: SignUpAvailability::Open,
        passkey_origin: Some(text()),
    };
    let sign_up = SignUpPage {
        shell: Shell::default(),
        username: text(),
        display_name: text(),
        email: text(),
        message: Some(text()),
        stays: true,
        registration: SignUpAvailability::Open,
        min_length: 15,
    };
    let first = SetupPage {
        shell: Shell::default(),
        token: text(),
        username: text(),
        display_name: text(),
        message: Some(text()),
        stays: true,
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
        was_signed_out: true,
        stays: true,
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
