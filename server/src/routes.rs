//! Adds each route with its door to the router and to the API document in one call, so that the two
//! cannot differ.

use auth::Scope;
use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use utoipa::{
    __dev::Tags,
    openapi::{
        HttpMethod, OpenApi, RefOr, Response as Answer,
        content::ContentBuilder,
        path::{Operation, ParameterIn, PathItemBuilder},
        security::SecurityRequirement,
    },
};

use crate::{
    door::{AccessRule, Door, HasDoor},
    state::AppState,
};

#[expect(
    missing_debug_implementations,
    reason = "utoipa's document has none without its feature"
)]
pub struct ApiRouter {
    router: Router<AppState>,
    document: OpenApi,
}

/// A problem that one operation answers, beside those of `complete_operation`.
#[derive(Clone, Copy, Debug)]
pub struct ExtraProblem {
    pub status: u16,
    pub text: &'static str,
}

/// Routes of a vault that also have a short path, which means the vault `main`.
const VAULT_PREFIX: &str = "/api/vaults/{vault}/";
const MAIN_TAG: &str = "Main vault";
const MAIN_ALIASES: [&str; 3] = ["files", "changes", "events"];

impl ApiRouter {
    #[must_use]
    pub fn new(document: OpenApi) -> Self {
        Self {
            router: Router::new(),
            document,
        }
    }

    /// Adds the operation that `P` describes at its path, and at its short path if it has one.
    /// `#[utoipa::path]` generates `P`.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the signature of axum's own `route`"
    )]
    pub fn route<P: utoipa::Path + for<'a> Tags<'a>, H, T>(
        mut self,
        name: &str,
        problems: &[ExtraProblem],
        handler: H,
    ) -> Self
    where
        H: Handler<T, AppState>,
        T: HasDoor + 'static,
    {
        let path = P::path();
        let main_alias = path
            .strip_prefix(VAULT_PREFIX)
            .filter(|tail| MAIN_ALIASES.contains(&tail.split('/').next().unwrap_or_default()));
        let main_alias = main_alias.map(|tail| format!("/api/{tail}"));
        for method in P::methods() {
            for (path, suffix) in [(Some(&path), ""), (main_alias.as_ref(), "_in_main")] {
                let Some(path) = path else { continue };
                let mut operation = tagged_operation::<P>();
                add_problems(&mut operation, problems);
                let mut operation = complete_operation(
                    operation,
                    <T::Door as Door>::ACCESS,
                    <T::Door as Door>::SCOPE,
                    path,
                );
                if !suffix.is_empty() {
                    operation.tags = Some(vec![MAIN_TAG.to_owned()]);
                }
                operation.operation_id = Some(format!("{name}{suffix}"));
                self.document_at(path, method.clone(), operation);
                self.router = self
                    .router
                    .route(path, on(method_filter(&method), handler.clone()));
            }
        }
        self
    }

    /// Adds a page or a stream. It has a door, and is not part of the API document.
    #[must_use]
    pub fn page<H, T>(mut self, filter: MethodFilter, path: &str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: HasDoor + 'static,
    {
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    pub fn into_parts(self) -> (Router<AppState>, OpenApi) {
        (self.router, self.document)
    }

    fn document_at(&mut self, path: &str, method: HttpMethod, operation: Operation) {
        let item = self
            .document
            .paths
            .paths
            .entry(path.to_owned())
            .or_default();
        item.merge_operations(PathItemBuilder::new().operation(method, operation).build());
    }
}

/// The operation with its tags, which `P::operation` omits.
fn tagged_operation<P: utoipa::Path + for<'a> Tags<'a>>() -> Operation {
    let mut operation = P::operation();
    operation.tags = Some(P::tags().into_iter().map(ToOwned::to_owned).collect());
    operation
}

/// Adds the operation's own problems, and those of its body.
fn add_problems(operation: &mut Operation, problems: &[ExtraProblem]) {
    for problem in problems.iter().chain(body_problems(operation)) {
        let response = || RefOr::T(problem_response(problem.text));
        let responses = &mut operation.responses.responses;
        let status = problem.status.to_string();
        responses.entry(status).or_insert_with(response);
    }
}

/// A form has the error format of OAuth, so its operation describes these itself.
fn body_problems(operation: &Operation) -> &'static [ExtraProblem] {
    const JSON: [ExtraProblem; 2] = [
        ExtraProblem {
            status: 413,
            text: "The request body is too large.",
        },
        ExtraProblem {
            status: 415,
            text: "The media type is not JSON.",
        },
    ];
    const UPLOAD: [ExtraProblem; 2] = [
        ExtraProblem {
            status: 413,
            text: "The file is larger than the limit.",
        },
        ExtraProblem {
            status: 415,
            text: "The media type is not multipart/form-data.",
        },
    ];
    let Some(RefOr::T(body)) = &operation.request_body else {
        return &[];
    };
    if body.content.contains_key("application/json") {
        &JSON
    } else if body.content.contains_key("multipart/form-data") {
        &UPLOAD
    } else {
        &[]
    }
}

/// Adds the responses, security and description that follow from the operation's door and path.
fn complete_operation(
    mut operation: Operation,
    access: AccessRule,
    scope: Option<Scope>,
    path: &str,
) -> Operation {
    let in_vault =
        path.starts_with("/api/vaults/{vault}/") || matches!(access, AccessRule::Permitted(_));
    let mut add = |status: &str, text: &str| {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem_response(text)));
    };
    add("400", "The request is malformed.");
    add(
        "422",
        "The input is invalid. `errors` has a pointer to each invalid member.",
    );
    add("431", "The headers are too large.");
    add(
        "503",
        "The server is busy or its database is down. Nothing has changed.",
    );
    if access != AccessRule::Anyone {
        add("401", "The credentials are missing, invalid or expired.");
    }
    if access != AccessRule::Anyone {
        add("403", "The caller does not have the required right.");
    }
    if in_vault {
        add(
            "404",
            "The resource does not exist, or the caller may not know of it.",
        );
    }
    if let Some(parameters) = operation
        .parameters
        .as_mut()
        .filter(|_| !path.contains("{vault}"))
    {
        parameters.retain(
            |parameter| !matches!(parameter, RefOr::T(parameter) if parameter.name == "vault" && parameter.parameter_in == ParameterIn::Path),
        );
    }
    operation.security = Some(security(access, scope));
    if let AccessRule::Permitted(action) = access {
        let text = operation.description.take().unwrap_or_default();
        operation.description = Some(format!("{text}\n\nNeeds `{action}`.").trim().to_owned());
    }
    operation
}

/// An open operation has an empty list, which overrides every default.
fn security(access: AccessRule, scope: Option<Scope>) -> Vec<SecurityRequirement> {
    if access == AccessRule::Anyone {
        return Vec::new();
    }
    let scopes = scope.into_iter().map(Scope::as_str);
    vec![SecurityRequirement::new("oauth2", scopes)]
}

fn problem_response(text: &str) -> Answer {
    let schema = utoipa::openapi::Ref::from_schema_name("ProblemBody");
    utoipa::openapi::ResponseBuilder::new()
        .description(text)
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(schema)).build(),
        )
        .build()
}

fn method_filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}
