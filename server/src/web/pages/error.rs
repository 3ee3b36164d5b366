//! The error page.

use askama::Template;

use crate::web::Shell;

/// For any error response to a request that accepts `text/html`. The handler supplies the status,
/// the detail (a generic sentence for 5xx) and the request id.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub shell: Shell,
    pub status: u16,
    pub detail: String,
    pub request_id: String,
}

impl ErrorPage {
    /// A short title for the status.
    pub fn heading(&self) -> &'static str {
        match self.status {
            401 => "You are not signed in",
            403 => "Access denied",
            404 => "Page not found",
            409 => "Nothing was changed",
            413 => "Too large",
            429 => "Too many requests",
            503 => "The server is busy",
            500.. => "Server error",
            _ => "Request failed",
        }
    }

    /// The detail as a sentence.
    pub fn message(&self) -> String {
        // Details for programs are in parentheses, as in `(accounts.see)`.
        let detail = self
            .detail
            .split(" (")
            .next()
            .filter(|_| self.status == 403)
            .unwrap_or(&self.detail);
        let end = if detail.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        format!("{detail}{end}")
    }

    /// The next step for the user.
    pub fn advice(&self) -> &'static str {
        match self.status {
            401 => "Sign in to continue.",
            403 => "If you need access, ask an administrator.",
            404 => {
                "It may have been moved, renamed or deleted, or you may not have access to its \
                 vault."
            }
            409 => "Load the page again to see it as the user who is signed in.",
            413 => "If the file size is intended, ask an administrator to raise the limit.",
            429 | 503 => "Wait a moment, then load the page again.",
            500.. => {
                "Nothing was changed. Try again. If the error persists, give an administrator the \
                 request id below."
            }
            _ => "Go back and try again.",
        }
    }
}
