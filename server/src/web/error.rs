//! What a browser is shown when a page cannot be.

use askama::Template;

use super::Shell;

/// For any refusal of a request that accepts `text/html`. The handler supplies the problem's status, detail
/// (for a 5xx nothing but a plain sentence) and request id.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub shell: Shell,
    pub status: u16,
    pub detail: String,
    pub request_id: String,
}

impl ErrorPage {
    /// What happened, in plain words.
    pub fn heading(&self) -> &'static str {
        match self.status {
            401 => "You are not signed in",
            403 => "This is not open to you",
            404 => "There is nothing here",
            413 => "That is too large",
            429 => "Too much at once",
            503 => "The server is busy",
            500.. => "Something went wrong here",
            _ => "That did not work",
        }
    }

    /// The detail as a sentence.
    pub fn said(&self) -> String {
        // What a program would need to know stands in brackets, as in `(accounts.see)`.
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

    /// What to do next.
    pub fn advice(&self) -> &'static str {
        match self.status {
            401 => "Sign in to go on.",
            403 => "If you need this for your work, ask an administrator for the right to it.",
            404 => {
                "It may have been moved, renamed or deleted, or you may not have access to its vault."
            }
            413 => "Ask an administrator to raise the limit if the file is meant to be this large.",
            429 | 503 => "Wait a moment, then load the page again.",
            500.. => {
                "Nothing was changed. Try again; if it stays, give an administrator the request number below."
            }
            _ => "Go back and try again.",
        }
    }
}
