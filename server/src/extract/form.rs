//! Forms, urlencoded (RFC 6749 §4.3.2) or multipart (RFC 7578).

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request},
};

use super::{has_media_type, read_body};
use crate::{error::Problem, state::AppState};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
/// Members of a multipart form.
const MAX_MEMBERS: usize = 32;

/// A form with each member at most once. An empty member
/// counts as absent (RFC 6749 §3.2).
#[derive(Debug)]
pub struct Form(pub(super) std::collections::HashMap<String, String>);

impl Form {
    /// # Errors
    /// `invalid_request`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let text = percent_encoding::percent_decode(bytes)
            .decode_utf8()
            .map(|_| bytes);
        let text = text.map_err(|_| invalid("The form is not UTF-8."))?;
        let mut members = std::collections::HashMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if value.contains('\0') {
                return Err(invalid("The form contains a NUL character."));
            }
            if !value.is_empty()
                && members
                    .insert(name.into_owned(), value.into_owned())
                    .is_some()
            {
                return Err(invalid("A parameter occurs more than once."));
            }
        }
        Ok(Self(members))
    }

    /// Removes a member and returns it.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// # Errors
    /// `invalid_request` if it is missing.
    pub fn require(&mut self, name: &str) -> Result<String, Problem> {
        self.take(name).ok_or_else(|| Problem::OAuth {
            code: "invalid_request",
            detail: format!("The parameter {name} is missing."),
        })
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::OAuth {
        code: "invalid_request",
        detail: detail.to_owned(),
    }
}

/// The members of a multipart form, re-encoded. A browser sends `FormData` in this format.
async fn read_multipart(request: Request) -> Result<Vec<u8>, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(Request::new(body)).await?;
    let request = Request::from_parts(parts, Body::from(bytes));
    let mut fields = Multipart::from_request(request, &())
        .await
        .map_err(|_| invalid("The form has no boundary."))?;
    let malformed = |_| invalid("The multipart form is malformed.");
    let mut members = Vec::new();
    while let Some(field) = fields.next_field().await.map_err(malformed)? {
        if members.len() == MAX_MEMBERS {
            return Err(invalid("The form has too many parameters."));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.bytes().await.map_err(malformed)?;
        let value =
            String::from_utf8(value.into()).map_err(|_| invalid("The form is not UTF-8."))?;
        members.push((name, value));
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    Ok(form.extend_pairs(members).finish().into_bytes())
}

impl FromRequest<AppState> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        if has_media_type(request.headers(), MULTIPART) {
            return Self::parse(&read_multipart(request).await?);
        }
        if !has_media_type(request.headers(), URLENCODED) {
            return Err(Problem::MediaType(URLENCODED));
        }
        Self::parse(&read_body(request).await?)
    }
}
