//! Completes the API document with what its operations share: parameters, headers, responses and
//! security schemes, from `shared.json`.

use serde_json::{Map, Value, json};

const SHARED: &str = include_str!("shared.json");
const PROBLEM_JSON: &str = "application/problem+json";
/// These answer errors in the format of OAuth.
const OAUTH_PATHS: [&str; 3] = ["/auth/token", "/auth/revoke", "/auth/introspect"];

/// The complete document.
#[must_use]
pub fn finish(mut document: Value) -> Value {
    let shared: Value = serde_json::from_str(SHARED).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for operation in members(Some(item)) {
            finish_description(operation);
            finish_parameters(operation, &shared);
            finish_body(operation);
            finish_responses(operation, path, &shared);
        }
    }
    merge(&mut document, shared);
    document
}

fn members(object: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    let object = object.and_then(Value::as_object_mut);
    object.into_iter().flat_map(|object| object.values_mut())
}

/// Objects are united and lists joined. Other values are replaced.
fn merge(target: &mut Value, source: Value) {
    match (target, source) {
        (Value::Object(target), Value::Object(source)) => {
            for (key, value) in source {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(target), Value::Array(source)) => target.extend(source),
        (target, source) => *target = source,
    }
}

/// Linters want a description. A summary that says all stands there again.
fn finish_description(operation: &mut Value) {
    if operation.get("description").is_none() {
        operation["description"] = operation["summary"].clone();
    }
}

/// A header is text or absent, never null. A shared parameter becomes a reference.
fn finish_parameters(operation: &mut Value, shared: &Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if parameter["schema"]["type"] == json!(["string", "null"]) {
            parameter["schema"]["type"] = json!("string");
        }
        let same = |other: &Value| {
            other["name"] == parameter["name"]
                && other["in"] == parameter["in"]
                && other["schema"]["type"] == parameter["schema"]["type"]
        };
        if let Some(name) = find_component(shared, "parameters", same) {
            *parameter = reference("parameters", name);
        }
    }
}

/// An optional body is a body that may be absent, not one that may be null.
fn finish_body(operation: &mut Value) {
    let Some(body) = operation.get_mut("requestBody") else {
        return;
    };
    let mut optional = false;
    for content in members(body.get_mut("content")) {
        let choices = content["schema"]["oneOf"].as_array();
        let one = choices.and_then(|all| all.iter().find(|one| one.get("$ref").is_some()));
        if let Some(one) = one.cloned() {
            content["schema"] = one;
            optional = true;
        }
    }
    body["required"] = json!(!optional);
}

fn finish_responses(operation: &mut Value, path: &str, shared: &Value) {
    let after = reference("parameters", "After");
    let in_pages = operation["parameters"].as_array().is_some_and(|all| {
        all.iter()
            .any(|one| *one == after || one["name"] == "after")
    });
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let is_oauth = OAUTH_PATHS.contains(&path);
    for (status, response) in &mut *responses {
        if is_oauth {
            use_oauth_format(response);
        }
        let same = |other: &Value| {
            other["description"] == response["description"]
                && response["content"].get(PROBLEM_JSON).is_some()
        };
        if let Some(name) = find_component(shared, "responses", same) {
            *response = reference("responses", name);
        } else {
            finish_response(status, response);
        }
    }
    if let Some(page) = responses.get_mut("200").filter(|_| in_pages) {
        page["headers"]["Link"] = reference("headers", "Link");
    }
    let default = if is_oauth { "OAuthError" } else { "Problem" };
    responses.insert("default".to_owned(), reference("responses", default));
}

fn use_oauth_format(response: &mut Value) {
    if response["content"].get(PROBLEM_JSON).is_some() {
        let schema = reference("schemas", "TokenError");
        response["content"] = json!({"application/json": {"schema": schema}});
    }
}

fn finish_response(status: &str, response: &mut Value) {
    let mut names = vec!["X-Request-Id"];
    let content = response.get_mut("content");
    if let Some(content) = content.and_then(|content| content.get_mut("application/octet-stream")) {
        content["schema"] = json!({"type": "string", "format": "binary"});
        names.extend(["ETag", "Accept-Ranges", "Content-Disposition"]);
    }
    match status {
        "206" | "416" => names.push("Content-Range"),
        "304" => names.push("ETag"),
        "401" => names.push("WWW-Authenticate"),
        "429" | "503" => names.push("Retry-After"),
        _ => {}
    }
    let declared = response["headers"].as_object().into_iter().flatten();
    let declared: Vec<String> = declared.map(|(name, _)| name.clone()).collect();
    let names = names.into_iter().chain(declared.iter().map(String::as_str));
    let headers: Map<String, Value> = names
        .map(|name| (name.to_owned(), reference("headers", name)))
        .collect();
    response["headers"] = Value::Object(headers);
}

fn find_component<'a>(
    shared: &'a Value,
    kind: &str,
    same: impl Fn(&Value) -> bool,
) -> Option<&'a str> {
    let mut all = shared["components"][kind].as_object()?.iter();
    all.find(|(_, one)| same(one))
        .map(|(name, _)| name.as_str())
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}
