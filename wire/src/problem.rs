//! Problem details (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every error. `detail` is one plain English sentence.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct ProblemBody {
    /// The type, for programs to branch on: a URI reference such as `/problems/locked`. New types
    /// can appear.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/locked")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub request_id: String,
    /// The errors by member, for status 422.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// An OAuth error code, for clients that expect one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body, or the name of a query or path parameter after `#`.
    #[schema(example = "/password")]
    pub pointer: String,
    pub detail: String,
}
