//! The account that a form names. Forms that are sent without a script cannot send the header.

use std::convert::Infallible;

use auth::{AuthError, Caller, error::AccessError};
use axum::extract::{FromRequest, Request};

use super::page_account::{FIELD, page_account};
use crate::{error::Problem, extract::Form, state::AppState};

/// The account that a form names, if any.
#[derive(Debug)]
pub(crate) struct FormAccount(Option<String>);

impl FormAccount {
    /// # Errors
    /// [`AccessError::AccountChanged`] if the form was drawn for another account.
    pub(crate) fn require(&self, caller: &Caller) -> Result<(), Problem> {
        let current = &caller.account().username;
        match &self.0 {
            Some(id) if *id != page_account(current.as_str()) => {
                Err(AuthError::Access(AccessError::AccountChanged {
                    current: current.clone(),
                })
                .into())
            }
            _ => Ok(()),
        }
    }
}

impl FromRequest<AppState> for FormAccount {
    type Rejection = Infallible;

    /// A request without a form, or with an unreadable one, names no account.
    async fn from_request(request: Request, state: &AppState) -> Result<Self, Infallible> {
        let form = Form::from_request(request, state).await;
        Ok(Self(form.ok().and_then(|mut form| form.take(FIELD))))
    }
}
