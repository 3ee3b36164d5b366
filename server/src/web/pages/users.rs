//! `GET /admin/users`

use askama::Template;
use auth::{
    Caller, Permitted, Username,
    actions::ReadAccounts,
    store::{AccountFilter, AccountQuery},
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use wire::User;

use crate::{
    api::users,
    error::Problem,
    extract::Query,
    state::AppState,
    web::{
        Shell, SignUpAvailability, format,
        pages::{send, shell, sign_in::sign_up_availability},
    },
};

/// `GET /admin/users`, administrators only.
///
/// The handler supplies one page of `GET /api/users`, filtered by `?q=` and `?only=`, the names of
/// all vaults, and the URL of the next page.
#[derive(Debug, Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    pub shell: Shell,
    pub query: String,
    pub filter: Option<AccountFilter>,
    pub users: Vec<User>,
    pub vaults: Vec<String>,
    pub next: Option<String>,
    pub registration: SignUpAvailability,
}

impl UsersPage {
    /// The display name, if there is one.
    pub fn display_name<'a>(&self, user: &'a User) -> Option<&'a str> {
        user.display_name.as_deref().filter(|name| !name.is_empty())
    }

    pub fn user_url(&self, user: &User) -> String {
        format!("/admin/users/{}", format::segment(&user.username))
    }

    /// With few vaults the list has a role menu for each. Otherwise it shows roles, and the user
    /// page changes them.
    pub fn has_few_vaults(&self) -> bool {
        self.vaults.len() <= 2
    }

    pub fn can_register(&self) -> bool {
        self.registration == SignUpAvailability::Open
    }

    /// The filters: value, text, and whether it is selected.
    pub fn filters(&self) -> Vec<(&'static str, &'static str, bool)> {
        let lists = AccountFilter::ALL.into_iter().map(|among| {
            (
                among.as_str(),
                filter_label(among),
                self.filter == Some(among),
            )
        });
        std::iter::once(("", "All users", self.filter.is_none()))
            .chain(lists)
            .collect()
    }

    /// `authenticator app, passkey`, or `no second factor`.
    pub fn factors(&self, user: &User) -> String {
        factor_labels(&user.second_factors)
    }

    /// The role in a vault, or `none`.
    pub fn role<'a>(&self, user: &'a User, vault: &str) -> &'a str {
        user.roles.get(vault).map_or("none", String::as_str)
    }

    pub fn has_role(&self, user: &User, vault: &str, role: &str) -> bool {
        self.role(user, vault) == role
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [
            ("none", "No access"),
            ("viewer", "Viewer"),
            ("editor", "Editor"),
            ("manager", "Manager"),
        ]
    }

    pub fn is_self(&self, user: &User) -> bool {
        self.shell
            .viewer
            .as_ref()
            .is_some_and(|viewer| viewer.username == user.username)
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}

fn filter_label(among: AccountFilter) -> &'static str {
    match among {
        AccountFilter::Active => "Active",
        AccountFilter::Disabled => "Disabled",
        AccountFilter::Administrators => "Administrators",
        AccountFilter::WithoutSecondFactor => "Without a second factor",
        AccountFilter::LockedOut => "Sign-in blocked",
        AccountFilter::MustChangePassword => "Password reset required",
    }
}

/// The kinds of second factors, in words.
pub(crate) fn factor_labels(kinds: &[String]) -> String {
    let words = kinds.iter().map(|kind| match kind.as_str() {
        "totp" => "authenticator app",
        kind => kind,
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        "no second factor".to_owned()
    } else {
        words.join(", ")
    }
}

/// Accounts on one page.
const PAGE_ACCOUNTS: u32 = 50;

#[derive(Debug, Deserialize)]
pub(crate) struct UsersQuery {
    q: Option<String>,
    #[serde(default)]
    only: String,
    after: Option<String>,
}

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAccounts>,
    caller: Caller,
    State(state): State<AppState>,
    Query(query_params): Query<UsersQuery>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, &caller, None).await?;
    let search = query_params
        .q
        .clone()
        .filter(|q| !q.trim().is_empty() && !q.contains('\0'));
    let after = query_params
        .after
        .as_deref()
        .and_then(|after| Username::parse(after).ok());
    let filter = AccountFilter::parse(&query_params.only);
    let mut members = state
        .auth
        .admin()
        .members(
            &permit,
            AccountQuery {
                search,
                filter,
                after,
                limit: PAGE_ACCOUNTS + 1,
            },
        )
        .await?;
    let query = query_params.q.unwrap_or_default();
    let more = members.len() > PAGE_ACCOUNTS as usize;
    members.truncate(PAGE_ACCOUNTS as usize);
    let next = members.last().filter(|_| more).map(|last| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs
            .append_pair("q", &query)
            .append_pair("only", filter.map_or("", AccountFilter::as_str));
        pairs.append_pair("after", last.account.username.as_str());
        format!("/admin/users?{}", pairs.finish())
    });
    let users = users::wire_users(&state.store, members).await?;
    let vaults = shell.vaults.clone();
    let registration = sign_up_availability(&state.site);
    send(
        StatusCode::OK,
        &UsersPage {
            shell,
            query,
            filter,
            users,
            vaults,
            next,
            registration,
        },
    )
}
